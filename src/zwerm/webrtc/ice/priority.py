"""Which candidate, and which pair of them, is tried and taken first (RFC 8445 sections 5.1.2 and 6.1.2.3).

Type decides, then the address: IPv6 and IPv4 take turns, so that a broken one of the two delays a connection by one
check and not by all of its own (RFC 8421 section 4).
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.ice.candidate import CandidateType, TcpType

COMPONENT: Final = 1  # the only one: RTCP is multiplexed (RFC 8445 section 13)

# RFC 8445 section 5.1.2.2. TCP stands below everything of UDP but relays, as RFC 6544 section 4.2 wants.
_TYPE_PREFERENCES: Final[dict[str, int]] = {
    CandidateType.HOST: 126,
    CandidateType.PEER_REFLEXIVE: 110,
    CandidateType.SERVER_REFLEXIVE: 100,
    CandidateType.RELAYED: 2,
}
_TCP_TYPE_PREFERENCES: Final[dict[str, int]] = {
    CandidateType.HOST: 90,
    CandidateType.PEER_REFLEXIVE: 80,
    CandidateType.SERVER_REFLEXIVE: 70,
    CandidateType.RELAYED: 0,
}
_DIRECTION_PREFERENCES: Final = {TcpType.ACTIVE: 6, TcpType.PASSIVE: 4, TcpType.SIMULTANEOUS_OPEN: 2}

_STEP: Final = 256  # local preferences between two addresses: room for servers
_TCP_STEP: Final = 32


def candidate_priority(
    candidate_type: CandidateType,
    rank: int,
    *,
    server: int = 0,
    tcp_type: TcpType | None = None,
    over_tcp: bool = False,
) -> int:
    """The priority of a local candidate.

    Args:
        candidate_type: where the address comes from.
        rank: place of its address among the local ones, as `rank_addresses` gives it.
        server: place of the server it came from.
        tcp_type: for a TCP candidate, who opens.
        over_tcp: for a relayed one, whether the server is reached by TCP.
    """
    if tcp_type is None:
        type_preference = _TYPE_PREFERENCES[candidate_type] - over_tcp
        local_preference = max(0, 65_535 - _STEP * rank - server)
    else:
        type_preference = _TCP_TYPE_PREFERENCES[candidate_type]
        other = max(0, 8_191 - _TCP_STEP * rank - server)
        local_preference = 8_192 * _DIRECTION_PREFERENCES[tcp_type] + other  # RFC 6544 section 4.2
    return type_preference << 24 | local_preference << 8 | (256 - COMPONENT)


def peer_reflexive_priority(priority: int, *, is_tcp: bool = False) -> int:
    """What a candidate of that priority would have, were it peer-reflexive (RFC 8445 section 7.1.1)."""
    preferences = _TCP_TYPE_PREFERENCES if is_tcp else _TYPE_PREFERENCES
    return preferences[CandidateType.PEER_REFLEXIVE] << 24 | priority & 0xFFFFFF


def pair_priority(controlling: int, controlled: int) -> int:
    """RFC 8445 section 6.1.2.3, of the two agents' candidate priorities."""
    return min(controlling, controlled) << 32 | max(controlling, controlled) << 1 | (controlling > controlled)


class _Scope(NamedTuple):
    """What an address's place depends on."""

    version: int  # of IP
    narrowness: int


@functools.lru_cache(256)
def _scope_of(host: str) -> _Scope:
    """Read a numeric address; the few of this machine are ranked again for each connection."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return _Scope(address.version, 2 * address.is_loopback + address.is_link_local)


def rank_addresses(hosts: Sequence[str]) -> dict[str, int]:
    """Order local addresses: within a family as given, but those of small scope last; families take turns.

    IPv6 begins; when one family has no more, the rest of the other follows.

    Raises:
        LocalProtocolError: one of them is not numeric.
    """
    families: dict[int, list[str]] = {6: [], 4: []}
    try:
        scopes = {host: _scope_of(host) for host in hosts}
    except ValueError as error:
        raise LocalProtocolError(str(error)) from None
    for host in sorted(scopes, key=lambda host: scopes[host].narrowness):
        families[scopes[host].version].append(host)
    places = [(index, version != 6, host) for version, family in families.items() for index, host in enumerate(family)]
    return {host: rank for rank, (_, _, host) in enumerate(sorted(places))}
