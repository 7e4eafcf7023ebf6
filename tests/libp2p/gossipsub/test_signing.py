"""Who wrote a message: the strict policies."""

from __future__ import annotations

import dataclasses

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import Message
from zwerm.libp2p.gossipsub.signing import Policy, anonymous, check, sign

KEY = seeded_key(1)
SIGNED = sign("t", b"data", 7, KEY)


def changed(message: Message, **fields: bytes) -> Message:
    return Message.parse(dataclasses.replace(message, encoded=b"", **fields).serialize())  # type: ignore[arg-type]


@pytest.mark.parametrize("key_type", list(KeyType), ids=lambda kind: kind.name)
def test_a_signed_message_is_its_authors(key_type: KeyType) -> None:
    key = PrivateKey.generate(key_type)
    message = sign("t", b"data", 7, key)
    check(message, Policy.STRICT_SIGN)
    assert message.author == PeerId.of(key.public).multihash
    assert message.sequence == bytes(7) + b"\x07"
    assert bool(message.key) is (key_type in (KeyType.RSA, KeyType.ECDSA))


@pytest.mark.parametrize(
    "message",
    [
        changed(SIGNED, signature=b""),
        changed(SIGNED, author=b""),
        changed(SIGNED, sequence=b"\x07"),
        changed(SIGNED, data=b"other"),
        changed(SIGNED, author=PeerId.of(seeded_key(2).public).multihash),
        changed(SIGNED, key=seeded_key(2).public.serialize()),
        changed(SIGNED, key=b"junk"),
        changed(SIGNED, author=b"junk"),
        changed(sign("t", b"", 1, PrivateKey.generate(KeyType.RSA)), key=b""),
        anonymous("t", b"data"),
    ],
    ids=[
        "no signature",
        "no author",
        "short sequence",
        "other data",
        "other author",
        "another's key",
        "no key",
        "no peer ID",
        "key is missing",
        "anonymous",
    ],
)
def test_what_its_author_did_not_sign_is_refused(message: Message) -> None:
    with pytest.raises(WireError):
        check(message, Policy.STRICT_SIGN)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"key": seeded_key(2).public.serialize()}, "another key than that of its author"),
        ({"signature": b""}, "without author, sequence or signature"),
        ({"author": b""}, "without author, sequence or signature"),
        ({"sequence": b"\x07"}, "without author, sequence or signature"),
    ],
    ids=["another's key", "no signature", "no author", "short sequence"],
)
def test_what_is_wrong_is_said(fields: dict[str, bytes], reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        check(changed(SIGNED, **fields), Policy.STRICT_SIGN)


def test_an_attacker_cannot_sign_for_others_with_a_key_of_its_own() -> None:
    """Its signature holds, by the key that the message carries; only that is not the author's."""
    forger = seeded_key(2)
    author = PeerId.of(PrivateKey.generate(KeyType.RSA).public).multihash
    bare = Message("t", b"data", author, bytes(8), b"", forger.public.serialize())
    signature = forger.sign(b"libp2p-pubsub:" + bare.unsigned())
    with pytest.raises(WireError, match="another key"):
        check(Message.parse(dataclasses.replace(bare, signature=signature).serialize()), Policy.STRICT_SIGN)


def test_where_nobody_signs_nobody_may() -> None:
    check(anonymous("t", b"data"), Policy.STRICT_NO_SIGN)
    with pytest.raises(WireError, match="names its author"):
        check(SIGNED, Policy.STRICT_NO_SIGN)
    with pytest.raises(WireError):
        check(changed(anonymous("t", b"data"), sequence=bytes(8)), Policy.STRICT_NO_SIGN)
