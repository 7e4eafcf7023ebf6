"""What OpenSSL gets to see before the peer is known."""

import pytest

from zwerm.webrtc.dtls.event import Config
from zwerm.webrtc.dtls.gate import Gate
from zwerm.webrtc.dtls.record import DTLS_1_2, ContentType, Record

CONFIG = Config(max_message=1_000, max_messages=8, max_held_records=2)


def handshake(size: int = 2, sequence: int = 0, offset: int = 0, body: bytes = b"ab") -> bytes:
    return (
        b"\1"
        + size.to_bytes(3, "big")
        + sequence.to_bytes(2, "big")
        + offset.to_bytes(3, "big")
        + len(body).to_bytes(3, "big")
        + body
    )


def record(fragment: bytes, kind: ContentType = ContentType.HANDSHAKE, epoch: int = 0) -> Record:
    return Record(kind, DTLS_1_2, epoch, 0, fragment)


@pytest.mark.parametrize(
    ("offered", "is_admitted"),
    [
        (record(handshake()), True),
        (record(handshake() * 3), True),
        (record(handshake(1_000)), True),
        (record(handshake(1_001)), False),
        (record(handshake(0xFFFFFF)), False),
        (record(handshake() + handshake(1_001)), False),
        (record(handshake(sequence=7)), True),
        (record(handshake(sequence=8)), False),
        (record(handshake()[:-1]), False),
        (record(handshake(offset=1)), False),
        (record(b""), False),
        (record(b"\1", ContentType.CHANGE_CIPHER_SPEC), True),
        (record(b"\2\x28", ContentType.ALERT), True),
        (record(b"\2\x28\0", ContentType.ALERT), False),
        (record(b"data", ContentType.APPLICATION_DATA), False),
        (record(b"x", ContentType.APPLICATION_DATA), False),
        (record(b"sealed", ContentType.HANDSHAKE, 1), True),
        (record(b"sealed", ContentType.CHANGE_CIPHER_SPEC, 1), False),
        (record(handshake(), epoch=2), False),
    ],
    ids=[
        "a message",
        "three messages",
        "the longest message",
        "one byte more",
        "a bomb of 16 MiB",
        "a long one behind a short one",
        "the last message number",
        "one more",
        "cut short",
        "beyond its message",
        "nothing",
        "change cipher spec",
        "an alert",
        "a long alert",
        "plain application data",
        "one byte of it",
        "a Finished",
        "a protected change cipher spec",
        "an epoch that does not exist",
    ],
)
def test_only_what_is_plausible_passes(offered: Record, is_admitted: bool) -> None:
    gate = Gate(CONFIG)
    assert gate.admits(offered) is is_admitted
    assert gate.dropped == (not is_admitted)


def test_what_came_too_early_is_held_up_to_a_limit() -> None:
    gate = Gate(CONFIG)
    early = [record(b"%d" % number, ContentType.APPLICATION_DATA, 1) for number in range(5)]
    for one in early:
        gate.hold(one)
    assert gate.take_held() == [one.serialize() for one in early[:2]]
    assert gate.dropped == 3
    assert gate.take_held() == []
