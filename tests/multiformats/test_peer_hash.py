"""The multihash of a key: which there are, and its two texts."""

import pytest

from zwerm.core.errors import WireError
from zwerm.multiformats import multicodec, multihash, peer_hash
from zwerm.multiformats.cid import CID

ED25519 = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
RSA = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
RSA_CID = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe"


@pytest.mark.parametrize("text", [ED25519, RSA])
def test_the_bare_text_is_read_and_written(text: str) -> None:
    assert peer_hash.to_text(peer_hash.from_text(text)) == text


def test_a_cid_is_read_as_the_same_peer() -> None:
    assert peer_hash.from_text(RSA_CID) == peer_hash.from_text(RSA)
    assert peer_hash.from_text(CID.from_text(RSA_CID).encode("base36")) == peer_hash.from_text(RSA)


def test_a_cid_of_something_else_is_refused() -> None:
    with pytest.raises(WireError, match="dag-pb"):
        peer_hash.from_text(str(CID.of(b"", multicodec.DAG_PB)))


@pytest.mark.parametrize(
    "data",
    [
        multihash.digest(b"x" * 43, multicodec.IDENTITY),
        multihash.digest(b"x", multicodec.SHA2_512),
        multihash.digest(b"x")[:1] + b"\x14" + bytes(20),
        multihash.digest(b"x") + b"\0",
        b"",
    ],
    ids=["long key", "sha2-512", "truncated", "longer", "nothing"],
)
def test_what_no_key_has_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        peer_hash.check(data)
