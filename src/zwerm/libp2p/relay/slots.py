"""Who may be reached through this relay, and how many circuits run: the rules of the hop protocol (circuit-v2.md).

The book knows no streams. A peer reserves; whoever wants to reach it asks for a circuit, which takes a place on both
sides until it ends. A reservation ends with its time, or with the last connection of its peer.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import NamedTuple

from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.relay.message import Limit, Status


@dataclasses.dataclass(frozen=True, slots=True)
class RelayLimits:
    """What a relay gives away. The defaults are those of the network's relays."""

    reservations: int = 128  # peers that may be reached at once
    reservations_per_address: int = 8  # of them from one IP address
    reservation_time: float = 3_600.0  # seconds
    circuits: int = 256  # at once in all
    circuits_per_peer: int = 16  # that one peer opened, and that lead to one peer
    circuit_time: float = 120.0  # seconds; 0: no limit
    circuit_data: int = 131_072  # bytes in each direction; 0: no limit

    @property
    def circuit(self) -> Limit | None:
        """What is told to both sides; None when nothing is limited."""
        limit = Limit(int(self.circuit_time), self.circuit_data)
        return limit if any(limit) else None


class _Slot(NamedTuple):
    ip: str  # that the reservation came from; empty when it has none
    expires: Instant


class Slots:
    """The reservations and circuits of one relay. Answers are the statuses of the protocol."""

    def __init__(self, limits: RelayLimits) -> None:
        self._limits = limits
        self._slots: dict[PeerId, _Slot] = {}
        self._opened: Counter[PeerId] = Counter()  # circuits by who opened them
        self._reached: Counter[PeerId] = Counter()  # circuits by whom they lead to

    @property
    def reservations(self) -> int:
        return len(self._slots)

    @property
    def circuits(self) -> int:
        return self._opened.total()

    def reserve(self, peer: PeerId, ip: str, now: Instant) -> Status:
        """Give `peer` a place, or renew the one that it has."""
        self._expire(now)
        others = {other: slot for other, slot in self._slots.items() if other != peer}
        if len(others) >= self._limits.reservations:
            return Status.RESERVATION_REFUSED
        if ip and sum(slot.ip == ip for slot in others.values()) >= self._limits.reservations_per_address:
            return Status.RESERVATION_REFUSED
        self._slots[peer] = _Slot(ip, now + self._limits.reservation_time)
        return Status.OK

    def release(self, peer: PeerId) -> None:
        """End the reservation of a peer that is gone."""
        self._slots.pop(peer, None)

    def open_circuit(self, source: PeerId, target: PeerId, now: Instant) -> Status:
        """Take a place for a circuit; when the answer is OK, `close_circuit` gives it back."""
        self._expire(now)
        if target not in self._slots:
            return Status.NO_RESERVATION
        if self.circuits >= self._limits.circuits:
            return Status.RESOURCE_LIMIT_EXCEEDED
        if max(self._opened[source], self._reached[target]) >= self._limits.circuits_per_peer:
            return Status.RESOURCE_LIMIT_EXCEEDED
        self._opened[source] += 1
        self._reached[target] += 1
        return Status.OK

    def close_circuit(self, source: PeerId, target: PeerId) -> None:
        for counter, peer in ((self._opened, source), (self._reached, target)):
            counter[peer] -= 1
            if counter[peer] <= 0:
                del counter[peer]

    def _expire(self, now: Instant) -> None:
        for peer in [peer for peer, slot in self._slots.items() if slot.expires <= now]:
            del self._slots[peer]
