"""The messages of circuit relay v2 (libp2p specs, relay/circuit-v2.md, "Protobuf").

`HopMessage` is spoken between a client and its relay, `StopMessage` between the relay and who is reached through it.
Fields that nobody knows are skipped, as protocol buffers want; what is known and broken is refused.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple, Self, TypeVar

from zwerm.core.errors import WireError
from zwerm.core.protobuf import Value, bytes_of, integer_of, parse_fields, serialize_field
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

HOP: Final = "/libp2p/circuit/relay/0.2.0/hop"
STOP: Final = "/libp2p/circuit/relay/0.2.0/stop"

_KindT = TypeVar("_KindT", bound=enum.IntEnum)

MAX_MESSAGE: Final = 4_096  # bytes, as other implementations allow
MAX_ADDRESSES: Final = 32  # in one message


class Status(enum.IntEnum):
    """What became of a request."""

    UNUSED = 0
    OK = 100
    RESERVATION_REFUSED = 200
    RESOURCE_LIMIT_EXCEEDED = 201
    PERMISSION_DENIED = 202
    CONNECTION_FAILED = 203
    NO_RESERVATION = 204
    MALFORMED_MESSAGE = 400
    UNEXPECTED_MESSAGE = 401

    @property
    def words(self) -> str:
        """It in words, for a person."""
        return self.name.lower().replace("_", " ")


class HopType(enum.IntEnum):
    """What a message between client and relay is."""

    RESERVE = 0
    CONNECT = 1
    STATUS = 2


class StopType(enum.IntEnum):
    """What a message between relay and target is."""

    CONNECT = 0
    STATUS = 1


class Limit(NamedTuple):
    """What a relay lets through one circuit. Zero is no limit."""

    duration: int = 0  # seconds
    data: int = 0  # bytes in each direction

    @classmethod
    def parse(cls, data: bytes) -> Self:
        duration = size = 0
        for number, value in parse_fields(data):
            if number == 1:
                duration = integer_of(value, "limit's duration") & 0xFFFFFFFF
            elif number == 2:
                size = integer_of(value, "limit's data")
        return cls(duration, size)

    def serialize(self) -> bytes:
        return serialize_field(1, self.duration) + serialize_field(2, self.data)


class Reservation(NamedTuple):
    """What a relay gives to a peer that may be reached through it."""

    expire: int  # seconds since 1970
    addresses: tuple[Multiaddr, ...]  # of the relay, with its peer ID, without `/p2p-circuit`
    voucher: bytes | None  # a sealed envelope; see `zwerm.libp2p.relay.voucher`

    @classmethod
    def parse(cls, data: bytes) -> Self:
        expire, addresses, voucher = 0, [], None
        for number, value in parse_fields(data):
            if number == 1:
                expire = integer_of(value, "reservation's expire")
            elif number == 2:
                addresses.append(bytes_of(value, "reservation's address"))
            elif number == 3:
                voucher = bytes_of(value, "reservation's voucher")
        return cls(expire, _readable(addresses), voucher)

    def serialize(self) -> bytes:
        data = serialize_field(1, self.expire)
        data += b"".join(serialize_field(2, bytes(address)) for address in self.addresses)
        return data if self.voucher is None else data + serialize_field(3, self.voucher)


class HopMessage(NamedTuple):
    """Between a client and its relay."""

    type: HopType
    peer: PeerId | None = None
    reservation: Reservation | None = None
    limit: Limit | None = None
    status: Status | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes; WireError when they are no such message."""
        message = cls(HopType.RESERVE)
        kind: HopType | None = None
        for number, value in parse_fields(data):
            if number == 1:
                kind = _member(HopType, value, "hop message of type")
            elif number == 2:
                message = message._replace(peer=_peer(value))
            elif number == 3:
                message = message._replace(reservation=Reservation.parse(bytes_of(value, "reservation")))
            elif number == 4:
                message = message._replace(limit=Limit.parse(bytes_of(value, "limit")))
            elif number == 5:
                message = message._replace(status=_status(value))
        if kind is None:
            raise WireError("hop message without a type")
        return message._replace(type=kind)

    def serialize(self) -> bytes:
        data = serialize_field(1, self.type)
        if self.peer is not None:
            data += serialize_field(2, serialize_field(1, bytes(self.peer)))
        if self.reservation is not None:
            data += serialize_field(3, self.reservation.serialize())
        if self.limit is not None:
            data += serialize_field(4, self.limit.serialize())
        return data if self.status is None else data + serialize_field(5, self.status)


class StopMessage(NamedTuple):
    """Between a relay and the peer that is reached through it."""

    type: StopType
    peer: PeerId | None = None
    limit: Limit | None = None
    status: Status | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes; WireError when they are no such message."""
        message = cls(StopType.CONNECT)
        kind: StopType | None = None
        for number, value in parse_fields(data):
            if number == 1:
                kind = _member(StopType, value, "stop message of type")
            elif number == 2:
                message = message._replace(peer=_peer(value))
            elif number == 3:
                message = message._replace(limit=Limit.parse(bytes_of(value, "limit")))
            elif number == 4:
                message = message._replace(status=_status(value))
        if kind is None:
            raise WireError("stop message without a type")
        return message._replace(type=kind)

    def serialize(self) -> bytes:
        data = serialize_field(1, self.type)
        if self.peer is not None:
            data += serialize_field(2, serialize_field(1, bytes(self.peer)))
        if self.limit is not None:
            data += serialize_field(3, self.limit.serialize())
        return data if self.status is None else data + serialize_field(4, self.status)


def _peer(value: Value) -> PeerId:
    """Read a `Peer`; its addresses served a use that the specification gave up, and are not looked at."""
    found: PeerId | None = None
    for number, inner in parse_fields(bytes_of(value, "peer")):
        if number == 1:
            found = PeerId.parse(bytes_of(inner, "peer's ID"))
    if found is None:
        raise WireError("relay message with a peer that has no ID")
    return found


def _status(value: Value) -> Status:
    """Read a status; one that is not known yet is a failure all the same."""
    number = integer_of(value, "status")
    try:
        return Status(number)
    except ValueError:
        return Status.UNUSED


def _readable(addresses: Sequence[bytes]) -> tuple[Multiaddr, ...]:
    """Read addresses, leaving out those of protocols that are not known here."""
    found = []
    for address in addresses[:MAX_ADDRESSES]:
        try:
            found.append(Multiaddr.parse(address))
        except WireError:
            continue
    return tuple(found)


def _member(kind: type[_KindT], value: Value, what: str) -> _KindT:
    number = integer_of(value, what)
    try:
        return kind(number)
    except ValueError:
        raise WireError(f"{what} {number}, expected 0 to {len(kind) - 1}") from None
