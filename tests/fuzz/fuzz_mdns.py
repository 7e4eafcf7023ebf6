"""A message of multicast DNS is refused with WireError, or what is written of it reads the same."""

from zwerm.core.errors import WireError
from zwerm.net.mdns.message import AAAA, A, AddressRecord, MdnsMessage, Question, name_of

_NAME = name_of("8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local")
SEEDS = [
    MdnsMessage(questions=(Question(_NAME, A), Question(_NAME, AAAA, wants_unicast=True))).serialize(),
    MdnsMessage(is_response=True, records=(AddressRecord(_NAME, "192.0.2.7", 120),)).serialize(),
    MdnsMessage(is_response=True, records=(AddressRecord(_NAME, "2001:db8::7", 0),)).serialize(),
    b"\0\0\x84\0\0\x01\0\x01\0\0\0\0\x04host\x05local\0\0\x01\0\x01\xc0\x0c\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x09",
]


def fuzz(data: bytes) -> None:
    try:
        message = MdnsMessage.parse(data)
    except WireError:
        return
    assert MdnsMessage.parse(message.serialize()) == message
