"""The order in which the addresses of a peer are tried (RFC 8305, "Happy Eyeballs", with transports beside families).

Direct before relayed, cheap handshakes before dear ones, and IPv6 and IPv4 in turns, so that one family that is broken
costs one wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zwerm.multiformats.multiaddr import Multiaddr

_RANKS: Final = (("memory", 0), ("quic-v1", 2), ("wss", 3), ("ws", 3), ("webrtc-direct", 4), ("webtransport", 5))
_OTHERS: Final = 1  # tcp: here its streams carry several times what those of QUIC do


def ranked(addresses: Iterable[Multiaddr]) -> list[Multiaddr]:
    """Return each address once, best first; among equals those that came first lead."""
    best_first = sorted(dict.fromkeys(addresses), key=_cost)
    groups: dict[int, tuple[list[Multiaddr], list[Multiaddr]]] = {}
    for address in best_first:
        families = groups.setdefault(_cost(address), ([], []))
        families["ip4" in address.names].append(address)
    return [address for sixes, fours in groups.values() for address in _in_turns(sixes, fours)]


def is_relayed(address: Multiaddr) -> bool:
    """Whether a connection there goes through a relay."""
    return "p2p-circuit" in address.names


def _cost(address: Multiaddr) -> int:
    names = address.names
    rank = next((rank for name, rank in _RANKS if name in names), _OTHERS)
    return rank + (10 if "p2p-circuit" in names else 0)


def _in_turns(left: list[Multiaddr], right: list[Multiaddr]) -> list[Multiaddr]:
    both = min(len(left), len(right))
    pairs = [address for pair in zip(left[:both], right[:both], strict=True) for address in pair]
    return pairs + left[both:] + right[both:]
