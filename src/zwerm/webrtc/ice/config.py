"""What an agent may be told: times, limits, servers and policy."""

from __future__ import annotations

import dataclasses
import enum

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address
from zwerm.webrtc.ice.address_policy import Network


class Role(enum.Enum):
    """Who decides which pair is used (RFC 8445 section 6.1.1)."""

    CONTROLLING = "controlling"
    CONTROLLED = "controlled"

    @property
    def other(self) -> Role:
        return Role.CONTROLLED if self is Role.CONTROLLING else Role.CONTROLLING


class CandidatePolicy(enum.Enum):
    """Which local candidates are used (W3C RTCIceTransportPolicy)."""

    ALL = "all"
    RELAY = "relay"


class ServerTransport(enum.Enum):
    """How a server is reached."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclasses.dataclass(frozen=True, slots=True)
class StunServer:
    """A server that says how it sees us. Its name is resolved by the caller."""

    address: Address
    url: str = ""  # for a person
    transport: ServerTransport = ServerTransport.UDP  # by others it is asked for addresses of ICE-TCP
    name: str = ""  # for TLS: whose certificate is expected


@dataclasses.dataclass(frozen=True, slots=True)
class TurnServer:
    """A server that relays for us. Its name is resolved by the caller."""

    address: Address
    username: str
    password: str = dataclasses.field(repr=False)
    transport: ServerTransport = ServerTransport.UDP
    url: str = ""  # for a person
    name: str = ""  # for TLS: whose certificate is expected


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Times are seconds. The defaults connect fast and keep to the RFC's bounds; docs/ice.md has the reasons."""

    lite: bool = False  # answer checks, send none; for a host with a public address (RFC 8445 section 2.5)
    policy: CandidatePolicy = CandidatePolicy.ALL
    renomination: bool = True  # offered, and used where the other side offers it too
    mdns: bool = False  # hide host addresses behind names of multicast DNS
    discard_host_addresses: bool = True  # with mdns: reflexive and relayed candidates do not name their base either

    stun_servers: tuple[StunServer, ...] = ()
    turn_servers: tuple[TurnServer, ...] = ()
    stun_timeout: float = 5.0  # for one server; the RFC's 39.5 s would keep gathering from ending
    turn_timeout: float = 10.0  # for one allocation, with its round trips for realm and nonce
    mdns_timeout: float = 10.0  # for one name, made or looked up; browsers send one answer a second, to all who ask

    ta: float = 0.02  # between two new checks; below 0.005 the RFC forbids, 0.05 is its default
    ta_triggered: float = 0.005  # the same for a check that answers one of the peer's: there is a path already
    rto: float = 0.1  # until the first repetition of a check; doubles up to `rto_limit`
    rto_limit: float = 1.6
    check_timeout: float = 12.0  # of a check, from the first request to giving up
    connect_timeout: float = 30.0  # until "failed" when the peer never says that it has no more candidates
    minimum_checking: float = 5.0  # "failed" not before: the peer's first checks may still be on their way

    direct_patience: float = 0.05  # for a better pair, once a direct one works; counted in addition to 2 round trips
    relay_patience: float = 0.3  # the same, once a relayed one works

    consent_interval: float = 5.0  # RFC 7675 section 5.1, randomized by 20 %
    consent_timeout: float = 30.0  # likewise: nothing is sent after that long without an answer
    probe_interval: float = 0.5  # between checks of a selected pair whose last check was not answered
    disconnect_after: float = 3.0  # unanswered probing, until "disconnected"
    keepalive_interval: float = 15.0  # RFC 8445 section 11, of what a translator may forget: spare pairs, mappings
    stream_keepalive_interval: float = 300.0  # the same for TCP, which translators remember for hours

    max_local_addresses: int = 32
    max_remote_candidates: int = 128  # peer-reflexive ones included
    max_pairs: int = 100  # RFC 8445 section 6.1.2.5
    max_transactions: int = 256  # checks in flight
    max_early_checks: int = 32  # requests that came before the remote credentials
    max_early_data: int = 16  # datagrams from a path that is just being validated
    max_data_size: int = 65_535  # bytes of one datagram
    max_streams: int = 32  # TCP connections
    max_waiting_events: int = 512  # data events that nobody took; more is dropped, as a socket's buffer would

    allowed_networks: tuple[Network, ...] = ()  # for remote candidates, in spite of `address_policy`

    def __post_init__(self) -> None:
        """Refuse times the RFC forbids.

        Raises:
            LocalProtocolError: pacing below 5 ms (RFC 8445 section 14.2), consent checks more often than every 4 s
                (RFC 7675 section 5.1), or a consent that lasts longer than 30 s.
        """
        if min(self.ta, self.ta_triggered) < 0.005:
            raise LocalProtocolError(f"a check each {min(self.ta, self.ta_triggered)} s, expected at least 0.005")
        if self.consent_interval < 4 or self.consent_timeout > 30:
            raise LocalProtocolError(
                f"consent each {self.consent_interval} s for {self.consent_timeout} s, expected 4 or more and up to 30"
            )
