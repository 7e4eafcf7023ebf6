"""STUN attributes: every kind that STUN, NAT discovery, ICE and TURN use, by the name of its RFC.

A kind is called to make an attribute, and given to `Message.find` to read one; either way the value has its type:

    Message(Method.BINDING, MessageClass.REQUEST, transaction_id, [USERNAME("evtj:h6vY"), PRIORITY(1_845_494_271)])
    message.find(USERNAME)  # str or None

MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT are no attributes in this sense: they depend on the bytes
before them, so `message.py` writes and reads them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Address
from zwerm.webrtc.stun.address import (
    parse_address,
    parse_xor_address,
    serialize_address,
    serialize_xor_address,
)

T = TypeVar("T")

COMPREHENSION_OPTIONAL: Final = 0x8000  # from here on what is not known may be ignored (RFC 8489 section 14)
MAX_TEXT: Final = 763  # bytes of REALM, NONCE, SOFTWARE and reason: fewer than 128 characters (RFC 8489 section 14.9)
MAX_USERNAME: Final = 508  # bytes (RFC 8489 section 14.3)

Parse: TypeAlias = Callable[[bytes, bytes], T]  # (value, transaction ID) -> T, or WireError
Serialize: TypeAlias = Callable[[T, bytes], bytes]


class AttributeKind(Generic[T]):
    """What an attribute is called, and how its value is written."""

    __slots__ = ("name", "number", "parse", "serialize")

    def __init__(self, number: int, name: str, parse: Parse[T], serialize: Serialize[T]) -> None:
        self.number = number
        self.name = name
        self.parse = parse
        self.serialize = serialize

    def __call__(self, value: T) -> Attribute:
        return Attribute(self, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttributeKind) and self.number == other.number

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return self.name


class FlagKind(AttributeKind[bool]):
    """An attribute without a value: that it is there says all."""

    __slots__ = ()

    def __call__(self, value: bool = True) -> Attribute:
        return Attribute(self, value)


class Attribute(NamedTuple):
    """One attribute of a message."""

    kind: AttributeKind[Any]
    value: Any  # of the kind's type


class ErrorCode(NamedTuple):
    """Why a request was refused (RFC 8489 section 14.8)."""

    code: int  # 300 to 699
    reason: str = ""  # for a person; at most 127 characters are sent


class AddressError(NamedTuple):
    """Why there is no relayed address of one family (RFC 8656 section 18.12)."""

    family: int
    code: int
    reason: str = ""


class Icmp(NamedTuple):
    """An ICMP error about what was relayed (RFC 8656 section 18.13)."""

    type: int
    code: int
    data: int  # the MTU, for "packet too big"


class Algorithm(NamedTuple):
    """A password algorithm and its parameters, empty for all there are (RFC 8489 section 14.11)."""

    number: int
    parameters: bytes = b""


class Change(NamedTuple):
    """From where an answer is wanted (RFC 5780 section 7.2)."""

    address: bool
    port: bool


KINDS: Final[dict[int, AttributeKind[Any]]] = {}


def unknown_kind(number: int) -> AttributeKind[bytes]:
    """The kind of an attribute that nobody here knows: its value is left as it came."""
    return AttributeKind(number, f"0x{number:04x}", _bytes, _same)


def _kind(number: int, name: str, parse: Parse[T], serialize: Serialize[T]) -> AttributeKind[T]:
    kind = AttributeKind(number, name, parse, serialize)
    KINDS[number] = kind
    return kind


def _bytes(value: bytes, _transaction_id: bytes) -> bytes:
    return value


def _same(value: bytes, _transaction_id: bytes) -> bytes:
    return value


def _address(number: int, name: str) -> AttributeKind[Address]:
    return _kind(number, name, lambda value, _: parse_address(value), lambda value, _: serialize_address(value))


def _xor_address(number: int, name: str) -> AttributeKind[Address]:
    return _kind(number, name, parse_xor_address, serialize_xor_address)


def _integer(number: int, name: str, size: int) -> AttributeKind[int]:
    def parse(value: bytes, _transaction_id: bytes) -> int:
        _expect_size(value, size, name)
        return int.from_bytes(value, "big")

    def serialize(value: int, _transaction_id: bytes) -> bytes:
        if not 0 <= value < 1 << 8 * size:
            raise LocalProtocolError(f"{name} {value}, expected {size} bytes unsigned")
        return value.to_bytes(size, "big")

    return _kind(number, name, parse, serialize)


def _flag(number: int, name: str) -> FlagKind:
    def parse(value: bytes, _transaction_id: bytes) -> bool:
        _expect_size(value, 0, name)
        return True

    kind = FlagKind(number, name, parse, lambda _value, _transaction_id: b"")
    KINDS[number] = kind
    return kind


def _text(number: int, name: str, limit: int) -> AttributeKind[str]:
    def parse(value: bytes, _transaction_id: bytes) -> str:
        if len(value) > limit:
            raise WireError(f"{name} of {len(value)} bytes, expected at most {limit}")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise WireError(f"{name} is no UTF-8") from None

    def serialize(value: str, _transaction_id: bytes) -> bytes:
        data = value.encode()
        if len(data) > limit:
            raise LocalProtocolError(f"{name} of {len(data)} bytes, expected at most {limit}")
        return data

    return _kind(number, name, parse, serialize)


def _opaque(number: int, name: str, sizes: range) -> AttributeKind[bytes]:
    def parse(value: bytes, _transaction_id: bytes) -> bytes:
        if len(value) not in sizes:
            raise WireError(f"{name} of {len(value)} bytes, expected {sizes[0]} to {sizes[-1]}")
        return value

    def serialize(value: bytes, _transaction_id: bytes) -> bytes:
        if len(value) not in sizes:
            raise LocalProtocolError(f"{name} of {len(value)} bytes, expected {sizes[0]} to {sizes[-1]}")
        return value

    return _kind(number, name, parse, serialize)


def _padded_integer(number: int, name: str, size: int) -> AttributeKind[int]:
    """An integer in front of reserved bytes (RFFU) that make 4 with it."""

    def parse(value: bytes, _transaction_id: bytes) -> int:
        _expect_size(value, 4, name)
        return int.from_bytes(value[:size], "big")

    return _kind(number, name, parse, lambda value, _: value.to_bytes(size, "big") + bytes(4 - size))


def _expect_size(value: bytes, size: int, name: str) -> None:
    if len(value) != size:
        raise WireError(f"{name} of {len(value)} bytes, expected {size}")


def _shown(value: bytes) -> str:
    """Text that only people read: what is wrong in it is replaced, and what is too long cut."""
    return value.decode(errors="replace")[:127]


def _parse_software(value: bytes, _transaction_id: bytes) -> str:
    return _shown(value)


def _serialize_software(value: str, _transaction_id: bytes) -> bytes:
    return value[:127].encode()


def _parse_code(value: bytes) -> int:
    hundreds, rest = value[2] & 7, value[3]
    if not (3 <= hundreds <= 6 and rest <= 99):
        raise WireError(f"error class {hundreds}, number {rest}, expected 3 to 6 and 0 to 99")
    return hundreds * 100 + rest


def _serialize_code(code: int) -> bytes:
    if not 300 <= code <= 699:
        raise LocalProtocolError(f"error code {code}, expected 300 to 699")
    return bytes(divmod(code, 100))


def _parse_error_code(value: bytes, _transaction_id: bytes) -> ErrorCode:
    if len(value) < 4:
        raise WireError(f"ERROR-CODE of {len(value)} bytes, expected at least 4")
    return ErrorCode(_parse_code(value), _shown(value[4:]))


def _serialize_error_code(value: ErrorCode, transaction_id: bytes) -> bytes:
    return bytes(2) + _serialize_code(value.code) + _serialize_software(value.reason, transaction_id)


def _parse_address_error(value: bytes, _transaction_id: bytes) -> AddressError:
    if len(value) < 4:
        raise WireError(f"ADDRESS-ERROR-CODE of {len(value)} bytes, expected at least 4")
    return AddressError(value[0], _parse_code(value), _shown(value[4:]))


def _serialize_address_error(value: AddressError, transaction_id: bytes) -> bytes:
    return bytes((value.family, 0)) + _serialize_code(value.code) + _serialize_software(value.reason, transaction_id)


def _parse_numbers(value: bytes, _transaction_id: bytes) -> tuple[int, ...]:
    if len(value) % 2:
        raise WireError(f"UNKNOWN-ATTRIBUTES of {len(value)} bytes, expected an even number")
    return struct.unpack(f"!{len(value) // 2}H", value)


def _serialize_numbers(value: tuple[int, ...], _transaction_id: bytes) -> bytes:
    return struct.pack(f"!{len(value)}H", *value)


def _parse_change(value: bytes, _transaction_id: bytes) -> Change:
    _expect_size(value, 4, "CHANGE-REQUEST")
    return Change(address=bool(value[3] & 0x4), port=bool(value[3] & 0x2))


def _serialize_change(value: Change, _transaction_id: bytes) -> bytes:
    return bytes((0, 0, 0, value.address * 0x4 | value.port * 0x2))


def _parse_even_port(value: bytes, _transaction_id: bytes) -> bool:
    _expect_size(value, 1, "EVEN-PORT")
    return bool(value[0] & 0x80)


def _parse_icmp(value: bytes, _transaction_id: bytes) -> Icmp:
    _expect_size(value, 8, "ICMP")
    bits = int.from_bytes(value[2:4], "big")
    return Icmp(bits >> 9, bits & 0x1FF, int.from_bytes(value[4:], "big"))


def _serialize_icmp(value: Icmp, _transaction_id: bytes) -> bytes:
    return struct.pack("!HHI", 0, value.type << 9 | value.code, value.data)


def _parse_algorithms(value: bytes, _transaction_id: bytes) -> tuple[Algorithm, ...]:
    algorithms = []
    position = 0
    while position < len(value):
        size = int.from_bytes(value[position + 2 : position + 4], "big")
        end = position + 4 + size
        if end > len(value) or position + 4 > len(value):
            raise WireError(f"password algorithm cut short at byte {position} of {len(value)}")
        algorithms.append(Algorithm(int.from_bytes(value[position : position + 2], "big"), value[position + 4 : end]))
        position = end + -size % 4
    return tuple(algorithms)


def _serialize_algorithms(value: tuple[Algorithm, ...], _transaction_id: bytes) -> bytes:
    return b"".join(
        struct.pack("!HH", number, len(parameters)) + parameters + bytes(-len(parameters) % 4)
        for number, parameters in value
    )


def _parse_algorithm(value: bytes, transaction_id: bytes) -> Algorithm:
    algorithms = _parse_algorithms(value, transaction_id)
    if len(algorithms) != 1:
        raise WireError(f"PASSWORD-ALGORITHM with {len(algorithms)} algorithms, expected 1")
    return algorithms[0]


def _family(number: int, name: str) -> AttributeKind[int]:
    """RFC 8656 section 18.6: a family we do not know is no damage but error 440."""
    return _padded_integer(number, name, 1)


# RFC 8489: STUN itself.
MAPPED_ADDRESS: Final = _address(0x0001, "MAPPED-ADDRESS")
USERNAME: Final = _text(0x0006, "USERNAME", MAX_USERNAME)
ERROR_CODE: Final = _kind(0x0009, "ERROR-CODE", _parse_error_code, _serialize_error_code)
UNKNOWN_ATTRIBUTES: Final = _kind(0x000A, "UNKNOWN-ATTRIBUTES", _parse_numbers, _serialize_numbers)
REALM: Final = _text(0x0014, "REALM", MAX_TEXT)
NONCE: Final = _opaque(0x0015, "NONCE", range(MAX_TEXT + 1))
PASSWORD_ALGORITHM: Final = _kind(
    0x001D,
    "PASSWORD-ALGORITHM",
    _parse_algorithm,
    lambda value, transaction_id: _serialize_algorithms((value,), transaction_id),
)
USERHASH: Final = _opaque(0x001E, "USERHASH", range(32, 33))
XOR_MAPPED_ADDRESS: Final = _xor_address(0x0020, "XOR-MAPPED-ADDRESS")
PASSWORD_ALGORITHMS: Final = _kind(0x8002, "PASSWORD-ALGORITHMS", _parse_algorithms, _serialize_algorithms)
ALTERNATE_DOMAIN: Final = _text(0x8003, "ALTERNATE-DOMAIN", 255)
SOFTWARE: Final = _kind(0x8022, "SOFTWARE", _parse_software, _serialize_software)
ALTERNATE_SERVER: Final = _address(0x8023, "ALTERNATE-SERVER")

# RFC 5780: discovery of NAT behaviour.
CHANGE_REQUEST: Final = _kind(0x0003, "CHANGE-REQUEST", _parse_change, _serialize_change)
PADDING: Final = _kind(0x0026, "PADDING", _bytes, _same)
RESPONSE_PORT: Final = _padded_integer(0x0027, "RESPONSE-PORT", 2)
RESPONSE_ORIGIN: Final = _address(0x802B, "RESPONSE-ORIGIN")
OTHER_ADDRESS: Final = _address(0x802C, "OTHER-ADDRESS")

# RFC 8445: ICE. NOMINATION is libwebrtc's (draft-thatcher-ice-renomination).
PRIORITY: Final = _integer(0x0024, "PRIORITY", 4)
USE_CANDIDATE: Final = _flag(0x0025, "USE-CANDIDATE")
ICE_CONTROLLED: Final = _integer(0x8029, "ICE-CONTROLLED", 8)
ICE_CONTROLLING: Final = _integer(0x802A, "ICE-CONTROLLING", 8)
NOMINATION: Final = _integer(0xC001, "NOMINATION", 4)

# RFC 8656: TURN.
CHANNEL_NUMBER: Final = _padded_integer(0x000C, "CHANNEL-NUMBER", 2)
LIFETIME: Final = _integer(0x000D, "LIFETIME", 4)
XOR_PEER_ADDRESS: Final = _xor_address(0x0012, "XOR-PEER-ADDRESS")
DATA: Final = _kind(0x0013, "DATA", _bytes, _same)
XOR_RELAYED_ADDRESS: Final = _xor_address(0x0016, "XOR-RELAYED-ADDRESS")
REQUESTED_ADDRESS_FAMILY: Final = _family(0x0017, "REQUESTED-ADDRESS-FAMILY")
EVEN_PORT: Final = _kind(0x0018, "EVEN-PORT", _parse_even_port, lambda reserve, _: b"\x80" if reserve else b"\x00")
REQUESTED_TRANSPORT: Final = _padded_integer(0x0019, "REQUESTED-TRANSPORT", 1)
DONT_FRAGMENT: Final = _flag(0x001A, "DONT-FRAGMENT")
RESERVATION_TOKEN: Final = _opaque(0x0022, "RESERVATION-TOKEN", range(8, 9))
ADDITIONAL_ADDRESS_FAMILY: Final = _family(0x8000, "ADDITIONAL-ADDRESS-FAMILY")
ADDRESS_ERROR_CODE: Final = _kind(0x8001, "ADDRESS-ERROR-CODE", _parse_address_error, _serialize_address_error)
ICMP: Final = _kind(0x8004, "ICMP", _parse_icmp, _serialize_icmp)

# RFC 6062: TURN with TCP to the peer. RFC 8016: mobility.
CONNECTION_ID: Final = _integer(0x002A, "CONNECTION-ID", 4)
MOBILITY_TICKET: Final = _kind(0x8030, "MOBILITY-TICKET", _bytes, _same)
