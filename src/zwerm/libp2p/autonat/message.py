"""The messages of AutoNAT v2 (libp2p specs, autonat/autonat-v2.md, "RPC Messages")."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, NamedTuple, Self, TypeAlias, TypeVar

from zwerm.core.errors import WireError
from zwerm.core.protobuf import Value, bytes_of, integer_of, parse_fields, serialize_field, serialize_fixed64

DIAL_REQUEST: Final = "/libp2p/autonat/2/dial-request"
DIAL_BACK: Final = "/libp2p/autonat/2/dial-back"

MAX_MESSAGE: Final = 8_192  # bytes
MAX_ADDRESSES: Final = 50  # in one request
CHUNK: Final = 4_096  # bytes of data in one `DialDataResponse`, the specification's limit

T = TypeVar("T")


class ResponseStatus(enum.IntEnum):
    """What became of a request."""

    E_INTERNAL_ERROR = 0
    E_REQUEST_REJECTED = 100
    E_DIAL_REFUSED = 101
    OK = 200


class DialStatus(enum.IntEnum):
    """What became of the dial."""

    UNUSED = 0
    E_DIAL_ERROR = 100
    E_DIAL_BACK_ERROR = 101
    OK = 200


class DialRequest(NamedTuple):
    """Please dial one of these, the first that you would."""

    addresses: tuple[bytes, ...]  # multiaddrs, read by who looks at them
    nonce: int  # uint64

    @classmethod
    def parse(cls, data: bytes) -> Self:
        addresses: list[bytes] = []
        nonce = 0
        for number, value in parse_fields(data):
            if number == 1:
                addresses.append(bytes_of(value, "address"))
            elif number == 2:
                nonce = integer_of(value, "nonce")
        if len(addresses) > MAX_ADDRESSES:
            raise WireError(f"dial request with {len(addresses)} addresses, expected at most {MAX_ADDRESSES}")
        return cls(tuple(addresses), nonce)

    def serialize(self) -> bytes:
        return b"".join(serialize_field(1, address) for address in self.addresses) + serialize_fixed64(2, self.nonce)


class DialResponse(NamedTuple):
    """What the server did."""

    status: ResponseStatus
    place: int = 0  # of the address that was dialled
    dial_status: DialStatus = DialStatus.UNUSED

    @classmethod
    def parse(cls, data: bytes) -> Self:
        fields = dict(parse_fields(data))
        return cls(
            _member(ResponseStatus, fields.get(1, 0), "response status"),
            integer_of(fields.get(2, 0), "address index"),
            _member(DialStatus, fields.get(3, 0), "dial status"),
        )

    def serialize(self) -> bytes:
        return serialize_field(1, self.status) + serialize_field(2, self.place) + serialize_field(3, self.dial_status)


class DialDataRequest(NamedTuple):
    """Pay with so many bytes before an address that is not where you come from is dialled."""

    place: int
    size: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        fields = dict(parse_fields(data))
        return cls(integer_of(fields.get(1, 0), "address index"), integer_of(fields.get(2, 0), "number of bytes"))

    def serialize(self) -> bytes:
        return serialize_field(1, self.place) + serialize_field(2, self.size)


class DialDataResponse(NamedTuple):
    """A part of those bytes."""

    data: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        return cls(bytes_of(dict(parse_fields(data)).get(1, b""), "data"))

    def serialize(self) -> bytes:
        return serialize_field(1, self.data)


Message: TypeAlias = DialRequest | DialResponse | DialDataRequest | DialDataResponse

_KINDS: Final[dict[int, Callable[[bytes], Message]]] = {
    1: DialRequest.parse,
    2: DialResponse.parse,
    3: DialDataRequest.parse,
    4: DialDataResponse.parse,
}
_NUMBERS: Final[dict[type[Message], int]] = {
    DialRequest: 1,
    DialResponse: 2,
    DialDataRequest: 3,
    DialDataResponse: 4,
}


def parse_message(data: bytes) -> Message:
    """Read what stands on a stream of `DIAL_REQUEST`, from exactly these untrusted bytes.

    Raises:
        WireError: none of the four messages, or broken.
    """
    found: Message | None = None
    for number, value in parse_fields(data):
        if (parse := _KINDS.get(number)) is not None:
            found = parse(bytes_of(value, f"message {number}"))
    if found is None:
        raise WireError("autonat message of no known kind")
    return found


def serialize_message(message: Message) -> bytes:
    return serialize_field(_NUMBERS[type(message)], message.serialize())


def parse_dial_back(data: bytes) -> int:
    """Read a `DialBack`: the nonce."""
    return integer_of(dict(parse_fields(data)).get(1, 0), "nonce")


def serialize_dial_back(nonce: int) -> bytes:
    return serialize_fixed64(1, nonce)


def serialize_dial_back_response() -> bytes:
    """Write the only `DialBackResponse` there is."""
    return serialize_field(1, 0)


def _member(kind: Callable[[int], T], value: Value, what: str) -> T:
    number = integer_of(value, what)
    try:
        return kind(number)
    except ValueError:
        raise WireError(f"{what} {number}, which is none that we know") from None
