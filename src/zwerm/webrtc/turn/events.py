"""What a TURN client tells whoever owns it."""

from __future__ import annotations

import dataclasses
import enum
from typing import NamedTuple, TypeAlias

from zwerm.core.machine import Address
from zwerm.webrtc.stun.attributes import Icmp


class Remedy(enum.Enum):
    """What may help after a failure."""

    NONE = "nothing: the request or the credentials are wrong for this server"
    OTHER_PORT = "another local port: the server holds an allocation for this one"
    LATER = "waiting a minute at least: a quota, or the server itself, is full"
    OTHER_SERVER = "another server: this one is not there, or names the one to ask"


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done: the server's own words, or ours."""

    reason: str
    code: int | None = None  # of the error response; None: there was none
    remedy: Remedy = Remedy.NONE
    alternate: Address | None = None  # the server to ask instead (RFC 8489 section 10)


@dataclasses.dataclass(frozen=True, slots=True)
class Allocated:
    """The server relays for us."""

    relayed: tuple[Address, ...]  # one, or one of each family
    mapped: Address | None  # our address as the server sees it; None: it did not say
    lifetime: float  # seconds; it is refreshed before that
    reservation_token: bytes | None = None  # for the allocation that is to get the next port
    refused_family: int | None = None  # the second family that was asked for and not given


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationFailed:
    """There is no allocation, and this machine will not get one."""

    failure: Failure


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationLost:
    """There was an allocation, and now there is none."""

    failure: Failure


@dataclasses.dataclass(frozen=True, slots=True)
class Released:
    """The allocation was given back, as asked by `close`. Last event."""


@dataclasses.dataclass(frozen=True, slots=True)
class Permitted:
    """Peers with these addresses can send to us."""

    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class PermissionRefused:
    """The server does not let us talk to these addresses, or to one of them."""

    hosts: tuple[str, ...]
    failure: Failure


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelBound:
    """From now on data to and from this peer has a header of 4 bytes."""

    peer: Address
    channel: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelRefused:
    """Data to and from this peer goes on as before."""

    peer: Address
    failure: Failure


class DataReceived(NamedTuple):
    """A peer sent this. Made for every packet, hence a tuple."""

    data: bytes
    peer: Address


@dataclasses.dataclass(frozen=True, slots=True)
class PeerUnreachable:
    """An ICMP error came back about what was sent to this peer."""

    peer: Address
    icmp: Icmp


Event: TypeAlias = (
    Allocated
    | AllocationFailed
    | AllocationLost
    | Released
    | Permitted
    | PermissionRefused
    | ChannelBound
    | ChannelRefused
    | DataReceived
    | PeerUnreachable
)
