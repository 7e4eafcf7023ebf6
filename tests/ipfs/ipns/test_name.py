"""IPNS names: their texts, their routing keys, their topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import name as names
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ED25519 = PeerId.from_text("12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d")
RSA = PeerId.from_text("QmVujd5Vb7moysJj8itnGufN7MEtPRCNHkKpNuA4onsRa3")


@pytest.mark.parametrize("name", [ED25519, RSA], ids=["ed25519", "rsa"])
def test_every_form_of_a_name_names_the_same(name: PeerId) -> None:
    text = names.to_text(name)
    assert text.startswith("k")
    forms = [str(name), text, f"/ipns/{text}", f"ipns://{text}", str(name.to_cid())]
    forms.append(CID(1, multicodec.DAG_PB, name.multihash).encode("base36"))
    assert {names.from_text(form) for form in forms} == {name}
    assert all(names.is_key(form) for form in forms)


@pytest.mark.parametrize("text", ["example.org", "", "bafkqaddwgevxmmraojswg33smq", "Qm", "k51notakey", "/ipfs/a"])
def test_what_is_no_key_may_be_a_domain(text: str) -> None:
    assert not names.is_key(text)


def test_a_routing_key_is_the_prefix_and_the_bytes_of_the_name() -> None:
    key = names.routing_key(ED25519)
    assert key == bytes.fromhex("2f69706e732f") + ED25519.multihash
    assert names.from_routing_key(key) == ED25519


@pytest.mark.parametrize("key", [b"", b"/ipns/", b"/pk/" + ED25519.multihash, b"/ipns/" + ED25519.multihash + b"x"])
def test_other_routing_keys_are_refused(key: bytes) -> None:
    with pytest.raises(WireError):
        names.from_routing_key(key)


def test_a_topic_is_the_routing_key_in_base64url_without_padding() -> None:
    # go-libp2p-pubsub-router's name of the topic
    topic = names.topic(RSA)
    assert topic.startswith("/record/L2lwbnMv")
    assert "=" not in topic
    assert names.from_topic(topic) == RSA


@pytest.mark.parametrize("topic", ["", "chat", "/record/", "/record/!!!!", "/record/L2lwbnMv", "/record/é"])
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(WireError):
        names.from_topic(topic)


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_not_and_never_anything_else(text: str) -> None:
    assert names.is_key(text) in (True, False)
