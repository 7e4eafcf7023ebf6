"""Noise revision 34: the XX pattern against the vectors of other implementations, and against damage."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.libp2p.noise.sides import XX
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.noise.pattern import Pattern
from zwerm.libp2p.noise.records import NoiseRecords

SOURCES = [vector["source"] for vector in XX]


def key(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def patterns(vector: dict[str, Any]) -> tuple[Pattern, Pattern]:
    initiator, responder = (
        Pattern(
            key(vector[f"{role}_static"]),
            key(vector[f"{role}_ephemeral"]),
            is_initiator=role == "init",
            prologue=bytes.fromhex(vector[f"{role}_prologue"]),
        )
        for role in ("init", "resp")
    )
    return initiator, responder


@pytest.mark.parametrize("vector", XX, ids=SOURCES)
def test_messages_and_records_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    sides = patterns(vector)
    messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in vector["messages"]]
    for turn, (payload, ciphertext) in enumerate(messages[:3]):
        writer, reader = sides[turn % 2], sides[1 - turn % 2]
        assert writer.write_message(payload) == ciphertext
        assert reader.read_message_untrusted(ciphertext) == payload
    assert sides[0].handshake_hash == sides[1].handshake_hash
    assert sides[0].handshake_hash.hex() == vector.get("handshake_hash", sides[1].handshake_hash.hex())
    assert sides[0].remote_static == key(vector["resp_static"]).public_key().public_bytes_raw()
    assert sides[1].remote_static == key(vector["init_static"]).public_key().public_bytes_raw()

    records = [NoiseRecords(*one.split()) for one in sides]
    for turn, (payload, ciphertext) in enumerate(messages[3:], 3):
        framed = len(ciphertext).to_bytes(2, "big") + ciphertext
        assert records[turn % 2].encrypt([payload]) == framed
        assert [bytes(view) for view in records[1 - turn % 2].decrypt_untrusted(framed)] == [payload]


@pytest.mark.parametrize("turn", range(3))
def test_a_message_with_one_bit_changed_ends_the_handshake(turn: int) -> None:
    for place in range(len(XX[0]["messages"][turn]["ciphertext"]) // 2):
        sides = patterns(XX[0])
        for number in range(turn):
            message = sides[number % 2].write_message(b"")
            sides[1 - number % 2].read_message_untrusted(message)
        message = bytearray(sides[turn % 2].write_message(b"payload"))
        if place >= len(message):
            break
        message[place] ^= 1
        if turn == 0:  # nothing is secret yet: the next message tells
            sides[1].read_message_untrusted(bytes(message))
            with pytest.raises(WireError, match="message 2 is not encrypted with this handshake's keys"):
                sides[0].read_message_untrusted(sides[1].write_message(b""))
        else:
            with pytest.raises(WireError, match=f"message {turn + 1} "):
                sides[1 - turn % 2].read_message_untrusted(bytes(message))


@pytest.mark.parametrize("size", [0, 31], ids=["empty", "a byte short"])
def test_a_first_message_without_a_key_is_refused(size: int) -> None:
    with pytest.raises(WireError, match=rf"message 1 of {size} bytes, expected at least 32"):
        patterns(XX[0])[1].read_message_untrusted(bytes(size))


def test_a_key_of_low_order_is_refused() -> None:
    responder = patterns(XX[0])[1]
    responder.read_message_untrusted(bytes(32))
    with pytest.raises(WireError, match=r"noise key 0{64} of low order"):
        responder.write_message(b"")


def test_another_prologue_is_another_handshake() -> None:
    initiator, _ = patterns(XX[0])
    responder = Pattern(
        key(XX[0]["resp_static"]), key(XX[0]["resp_ephemeral"]), is_initiator=False, prologue=b"another"
    )
    responder.read_message_untrusted(initiator.write_message(b""))
    with pytest.raises(WireError, match="message 2"):
        initiator.read_message_untrusted(responder.write_message(b""))


def test_calls_out_of_turn_are_the_callers_fault() -> None:
    initiator, responder = patterns(XX[0])
    with pytest.raises(LocalProtocolError, match="message 1 is not ours"):
        responder.write_message(b"")
    with pytest.raises(LocalProtocolError, match="message 1 is not the peer's"):
        initiator.read_message_untrusted(bytes(32))
    with pytest.raises(LocalProtocolError, match="not over"):
        initiator.split()
