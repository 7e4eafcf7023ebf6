"""libp2p peer-ids spec, "Peer Ids": how a key becomes a name, and the two texts of it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "libp2p_keys.json").read_text())
NAMED = [name for name, row in VECTORS.items() if "peer_id" in row]


@pytest.mark.parametrize("name", NAMED)
def test_peer_ids_are_those_of_js_libp2p(name: str) -> None:
    peer_id = PeerId.of(PublicKey.parse(bytes.fromhex(VECTORS[name]["public"])))
    assert str(peer_id) == VECTORS[name]["peer_id"]
    assert str(peer_id.to_cid()) == VECTORS[name]["cid"]
    assert PeerId.from_text(VECTORS[name]["peer_id"]) == peer_id
    assert PeerId.from_text(VECTORS[name]["cid"]) == peer_id
    assert PeerId.parse(bytes(peer_id)) == peer_id


def test_the_examples_of_the_spec_name_one_peer() -> None:
    by_cid = PeerId.from_text("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe")
    by_hash = PeerId.from_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
    assert by_cid == by_hash
    assert hash(by_cid) == hash(by_hash)
    assert by_hash.public_key is None


def test_an_ed25519_peer_id_carries_its_key() -> None:
    peer_id = PeerId.from_text("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")
    key = peer_id.public_key
    assert key is not None
    assert peer_id.matches(key)
    assert not peer_id.matches(PrivateKey.generate().public)


def test_an_ipns_name_is_the_cid_in_base36() -> None:
    peer_id = PeerId.of(PrivateKey.generate().public)
    text = peer_id.to_cid().encode("base36")
    assert text.startswith("k51")
    assert PeerId.from_text(text) == peer_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "Qm",
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5",  # one letter short
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx50",  # 0 is not in the alphabet
        "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",  # dag-pb, not libp2p-key
        "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA1",
        "z",
    ],
)
def test_text_that_names_no_peer_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        PeerId.from_text(text)


def test_a_cid_is_a_peer_id_when_its_codec_says_so() -> None:
    peer_id = PeerId.of(PrivateKey.generate().public)
    assert PeerId.from_cid(peer_id.to_cid()) == peer_id
    with pytest.raises(WireError, match="raw"):
        PeerId.from_cid(CID.of(b""))


def test_a_hash_no_key_can_have_is_refused() -> None:
    for data in (
        multihash.digest(b"x" * 43, multicodec.IDENTITY),
        multihash.digest(b"x", multicodec.SHA2_512),
        b"\x12\x14" + bytes(20),  # truncated
        multihash.digest(b"x") + b"\0",
    ):
        with pytest.raises(WireError):
            PeerId.parse(data)


def test_what_is_no_key_inside_shows_when_the_key_is_asked_for() -> None:
    peer_id = PeerId.parse(multihash.digest(b"not a key", multicodec.IDENTITY))
    with pytest.raises(WireError):
        _ = peer_id.public_key


@pytest.mark.parametrize("name", NAMED)
def test_a_peer_id_cut_short_at_any_byte_is_refused(name: str) -> None:
    data = bytes(PeerId.from_text(VECTORS[name]["peer_id"]))
    for size in range(len(data)):
        with pytest.raises(WireError):
            PeerId.parse(data[:size])


def test_peer_ids_sort_by_their_bytes_and_show_themselves() -> None:
    ids = [PeerId.from_text(VECTORS[name]["peer_id"]) for name in NAMED]
    assert sorted(ids) == sorted(ids, key=bytes)
    assert repr(ids[0]) == f"PeerId({ids[0]})"
    assert ids[0] != str(ids[0])


@given(st.binary(max_size=64))
def test_untrusted_bytes_are_a_peer_id_or_refused(data: bytes) -> None:
    try:
        peer_id = PeerId.parse(data)
    except WireError:
        return
    assert bytes(peer_id) == data
    assert PeerId.from_cid(CID.from_text(str(peer_id.to_cid()))) == peer_id


@given(st.text(max_size=80))
def test_untrusted_text_is_a_peer_id_or_refused(text: str) -> None:
    try:
        peer_id = PeerId.from_text(text)
    except WireError:
        return
    assert PeerId.from_text(str(peer_id)) == peer_id
