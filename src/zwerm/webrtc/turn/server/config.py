"""What a TURN server offers, and where it stops."""

from __future__ import annotations

import dataclasses
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.peers import PeerPolicy

DEFAULT_LIFETIME: Final = 600  # seconds (RFC 8656 section 3.2)
MAX_LIFETIME: Final = 3_600  # seconds (RFC 8656 section 7.2 recommends an hour)
PERMISSION_LIFETIME: Final = 300.0  # seconds (RFC 8656 section 9)
CHANNEL_LIFETIME: Final = 600.0  # seconds (RFC 8656 section 12)
RESERVATION_LIFETIME: Final = 30.0  # seconds (RFC 8656 section 7.2)


class FiveTuple(NamedTuple):
    """Which client: an allocation belongs to one (RFC 8656 section 3)."""

    transport: Transport
    source: Address  # the client's address as the server sees it
    local: Address  # where it came to


@dataclasses.dataclass(frozen=True, slots=True)
class RelayHost:
    """An IP address that relays, and what it is called outside where a NAT (1:1) stands before it."""

    local: str
    announced: str = ""  # the same by default

    @property
    def outside(self) -> str:
        return self.announced or self.local


@dataclasses.dataclass(frozen=True, slots=True)
class TurnServerConfig:
    """One relay. Every limit is reached by a test."""

    listening: tuple[Address, ...]  # the first is where datagrams come to unless said otherwise
    relays: tuple[RelayHost, ...]  # at most one of each family
    ports: range = range(49_152, 65_536)  # of relayed addresses (RFC 8656 section 7.2)
    siblings: range = range(0)  # ports of all workers, where this is one of several; `ports` is its share of them
    own: frozenset[str] = frozenset()  # further addresses of this machine, which are not sent to either
    peers: PeerPolicy = dataclasses.field(default_factory=PeerPolicy)
    max_lifetime: int = MAX_LIFETIME  # seconds; what is granted at most
    nonce_lifetime: float = 600.0  # seconds; a stolen nonce is of use no longer (RFC 8656 section 5: an hour at most)
    max_allocations: int = 10_000  # in all; one costs a socket and about 15 kB
    max_allocations_per_user: int = 64  # a browser with several servers and interfaces makes about 10
    max_permissions: int = 128  # hosts of one allocation
    max_channels: int = 128  # of one allocation
    bytes_per_second: float | None = None  # for one user, both ways together; None: no cap
    total_bytes_per_second: float | None = None  # for all
    max_failures: int = 20  # wrong passwords from one host (IPv6: one /64) in `failure_window`
    failure_window: float = 60.0  # seconds
    challenges_per_second: float = 100.0  # to one host; a challenge is larger than what asked for it
    max_watched_hosts: int = 16_384  # hosts whose failures are counted; the one not seen for longest is forgotten
    dont_fragment: bool = True  # whoever has the sockets can forbid fragments; else who asks for it is told 420
    software: str | None = None

    def __post_init__(self) -> None:
        families = [family_of(relay.local) for relay in self.relays]
        if not self.listening or not families or len(set(families)) != len(families):
            raise LocalProtocolError("a relay listens somewhere, and has one address of each family at most")
        if any(family_of(relay.local) != family_of(relay.outside) for relay in self.relays):
            raise LocalProtocolError("a relay address and what it is called outside are of one family")
        if len(self.ports) < 2 or self.ports.start < 1 or self.ports.stop > 65_536 or self.ports.step != 1:
            raise LocalProtocolError(f"relay ports {self.ports}, expected two or more between 1 and 65535")

    def own_hosts(self) -> frozenset[str]:
        """Every address of this server, by whatever name, but for what was opened on purpose."""
        hosts = {host for relay in self.relays for host in (relay.local, relay.outside)}
        hosts |= {host for host, _ in self.listening} | self.own
        return frozenset(host for host in hosts if not self.peers.opens(host))
