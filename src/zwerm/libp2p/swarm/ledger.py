"""How many streams are open: in all, and of those that peers open by peer and by protocol.

A peer that opens streams without end reaches its own limit, not that of the others.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from zwerm.core.errors import ResourceLimitError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.limits import Limits

K = TypeVar("K")


class StreamLedger:
    """The open streams of one swarm, counted."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.total = 0
        self._by_peer: Counter[PeerId] = Counter()
        self._by_protocol: Counter[tuple[PeerId, str]] = Counter()

    def open_outbound(self) -> None:
        """Count a stream that we open.

        Raises:
            ResourceLimitError: it would be one too many; it is not counted.
        """
        self._check(self.total, self._limits.streams, "open streams")
        self.total += 1

    def open_inbound(self, peer: PeerId) -> None:
        """Count a stream that `peer` opened; raises as `open_outbound`."""
        self._check(self.total, self._limits.streams, "open streams")
        self._check(self._by_peer[peer], self._limits.streams_per_peer, f"streams that {peer} opened")
        self.total += 1
        self._by_peer[peer] += 1

    def agree_inbound(self, peer: PeerId, protocol: str) -> None:
        """Count that a stream of `peer`, counted before, speaks `protocol`; raises as `open_outbound`."""
        key, limit = (peer, protocol), self._limits.streams_per_protocol
        self._check(self._by_protocol[key], limit, f"streams of {protocol} that {peer} opened")
        self._by_protocol[key] += 1

    def close_outbound(self) -> None:
        self.total -= 1

    def close_inbound(self, peer: PeerId, protocol: str | None) -> None:
        """Count that a stream of `peer` is gone; `protocol` when it had agreed on one."""
        self.total -= 1
        _decrement(self._by_peer, peer)
        if protocol is not None:
            _decrement(self._by_protocol, (peer, protocol))

    @staticmethod
    def _check(count: int, limit: int, name: str) -> None:
        if count >= limit:
            raise ResourceLimitError(f"{count + 1} {name}, the limit is {limit}")


def _decrement(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
