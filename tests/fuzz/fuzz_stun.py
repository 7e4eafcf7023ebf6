"""A STUN message is refused with WireError, or written and read again it is the same."""

from tests.webrtc.stun.vectors import ALL
from zwerm.core.errors import WireError
from zwerm.webrtc.stun.message import HEADER_SIZE, Message

SEEDS = [
    *ALL.values(),
    bytes.fromhex("00030008 2112a442 000102030405060708090a0b 0019000411000000"),
    bytes.fromhex("01130010 2112a442 000102030405060708090a0b 0009000c00000401556e617574686f72"),
]


def fuzz(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except WireError:
        return
    message.has_integrity(b"key", sha256_minimum=16)
    again = message.serialize(fingerprint=message.has_fingerprint)
    assert Message.parse(again) == message
    assert len(again) >= HEADER_SIZE
