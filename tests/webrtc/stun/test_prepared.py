"""A message that repeats: written anew it is what the serializer writes, and only its twin is known."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.machine import Address
from zwerm.webrtc.stun.attributes import SOFTWARE, USERNAME, XOR_MAPPED_ADDRESS, Attribute
from zwerm.webrtc.stun.integrity import SHA1Key
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.stun.prepared import Prepared, is_usual

KEY = b"a password of 24 letters"
FIRST, SECOND = bytes(range(12)), bytes(range(200, 212))
MESSAGES = {
    "a question": (USERNAME("ours:them"),),
    "an answer by IPv4": (XOR_MAPPED_ADDRESS(("192.0.2.1", 4_000)),),
    "an answer by IPv6": (XOR_MAPPED_ADDRESS(("2001:db8::1", 4_000)),),
    "an address after another attribute": (SOFTWARE("odd"), XOR_MAPPED_ADDRESS(("2001:db8::1", 4_000))),
    "nothing at all": (),
}
every_message = pytest.mark.parametrize("attributes", MESSAGES.values(), ids=list(MESSAGES))


def write(transaction_id: bytes, *attributes: Attribute, key: bytes = KEY) -> bytes:
    return request(Method.BINDING, transaction_id, *attributes).serialize(key)


@every_message
def test_it_is_written_as_the_serializer_would(attributes: tuple[Attribute, ...]) -> None:
    prepared = Prepared(write(FIRST, *attributes), SHA1Key(KEY))
    again = prepared.serialize(SECOND)
    assert again == write(SECOND, *attributes)
    assert Message.parse(again).has_integrity(KEY)


@every_message
def test_it_is_known_by_any_transaction_id(attributes: tuple[Attribute, ...]) -> None:
    prepared = Prepared(write(FIRST, *attributes), SHA1Key(KEY))
    assert prepared.matches(write(FIRST, *attributes))
    assert prepared.matches(write(SECOND, *attributes))


@every_message
def test_one_changed_byte_makes_it_another_message(attributes: tuple[Attribute, ...]) -> None:
    prepared = Prepared(write(FIRST, *attributes), SHA1Key(KEY))
    twin = write(SECOND, *attributes)
    for position in range(len(twin)):
        assert not prepared.matches(twin[:position] + bytes([twin[position] ^ 1]) + twin[position + 1 :])


def test_it_is_not_known_under_another_key_or_with_other_words() -> None:
    prepared = Prepared(write(FIRST, USERNAME("ours:them")), SHA1Key(KEY))
    assert not prepared.matches(write(SECOND, USERNAME("ours:them"), key=b"another"))
    assert not prepared.matches(write(SECOND, USERNAME("ours:they")))
    assert not prepared.matches(write(SECOND, USERNAME("ours:them"), SOFTWARE("new")))
    assert not prepared.matches(b"")


@pytest.mark.parametrize("mapped", [("2001:db8::2", 4_000), ("2001:db8::1", 4_001)], ids=["host", "port"])
def test_an_answer_that_names_another_address_is_not_known(mapped: Address) -> None:
    prepared = Prepared(write(FIRST, XOR_MAPPED_ADDRESS(("2001:db8::1", 4_000))), SHA1Key(KEY))
    assert not prepared.matches(write(SECOND, XOR_MAPPED_ADDRESS(mapped)))


def test_only_what_ends_with_both_seals_is_usual() -> None:
    message = request(Method.BINDING, FIRST)
    assert is_usual(message.serialize(KEY))
    assert not is_usual(message.serialize())
    assert not is_usual(message.serialize(KEY, fingerprint=False))
    assert not is_usual(b"")


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=200))
def test_a_key_hashed_once_gives_the_hmac_of_the_library(key: bytes, data: bytes) -> None:
    prepared = SHA1Key(key)
    assert prepared.digest(data) == prepared.digest(data) == hmac.digest(key, data, "sha1")
