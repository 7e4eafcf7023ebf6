"""Reproviding by sweeping the key space: where to go next, when, and who is told of what.

One look-up at a key gives the servers nearest to it, and with them a *zone*: the widest prefix of which all servers are
known now. Every key of ours in the zone is told to the k of these that are nearest to it. So the work grows with the
size of the network and not with the number of keys: ten thousand servers are some five hundred look-ups a round.

The sweep moves through the key space at a steady pace, once round in the republish interval of 22 hours; stretches
without a key of ours cost nothing. This module has no clock and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.providing.ledger import KeyLedger
from zwerm.libp2p.kad.key import BITS, KEY_LIMIT, Key, common_prefix_length, key_of
from zwerm.libp2p.kad.message import Peer

_PART_WIDTH: Final = BITS - 12  # bits; as wide as a bucket of the ledger
WIDTH: Final = 2  # times k: servers that one look-up is to find


class Zone(NamedTuple):
    """A stretch of the key space."""

    start: Key
    end: Key  # not part of it


def zone_of(target: Key, servers: Sequence[Peer], wanted: int) -> Zone:
    """Return the zone that a look-up at `target` covers.

    Args:
        target: the key that was looked up.
        servers: the nearest ones, nearest first.
        wanted: how many were looked for; fewer were found: they are all there are.
    """
    if len(servers) < wanted:
        return Zone(0, KEY_LIMIT)
    farthest = common_prefix_length(key_of(servers[-1].peer.multihash), target)
    width = BITS - min(farthest + 1, BITS)
    start = target >> width << width
    return Zone(start, start + (1 << width))


def parts_of(zone: Zone) -> Iterator[Zone]:
    """Yield a zone in parts of which each holds few keys, even of a million."""
    start = zone.start
    while start < zone.end:
        end = min((start >> _PART_WIDTH) + 1 << _PART_WIDTH, zone.end)
        yield Zone(start, end)
        start = end


def assign(keys: Iterable[tuple[Key, bytes]], servers: Sequence[Peer], k: int) -> dict[PeerId, list[bytes]]:
    """Return which server is told of which multihashes: each goes to the k nearest to it."""
    placed = [(key_of(server.peer.multihash), server.peer) for server in servers]
    told: dict[PeerId, list[bytes]] = {}
    for key, multihash in keys:
        for _, peer in sorted(placed, key=lambda server, key=key: server[0] ^ key)[:k]:  # type: ignore[misc]
            told.setdefault(peer, []).append(multihash)
    return told


class Sweep:
    """How far the round has come."""

    def __init__(self, ledger: KeyLedger, interval: float, now: Instant) -> None:
        """Begin a round of `interval` seconds."""
        self._ledger = ledger
        self._interval = interval
        self._begun = now
        self.cursor: Key = 0  # all below it has been told in this round
        self.rounds = 0  # that are complete

    def next_due(self) -> Instant | None:
        """When the next key is to be told; None when there is nothing to tell."""
        if not len(self._ledger):
            return None
        found = self._ledger.first_from(self.cursor)
        if found is None:
            return self._begun + self._interval
        return self._begun + self._interval * (found[0] / KEY_LIMIT)

    def next_target(self, now: Instant) -> tuple[Key, bytes] | None:
        """Return the key to look up now, with its multihash; None when it is not time yet."""
        due = self.next_due()
        if due is None or due > now:
            return None
        found = self._ledger.first_from(self.cursor)
        if found is None:
            self.rounds += 1
            self.cursor = 0
            self._begun = max(self._begun + self._interval, now - self._interval)
            return self.next_target(now)
        return found

    def done(self, zone: Zone) -> None:
        """Note that everything of ours in a zone was told."""
        self.cursor = max(self.cursor, zone.end)
