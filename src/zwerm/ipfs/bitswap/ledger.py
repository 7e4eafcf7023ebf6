"""Ledgers: what was exchanged with each peer (bitswap, "Bitswap credit"), kept beyond its connection."""

from __future__ import annotations

from typing import Generic, TypeVar

from zwerm.core.bounded import LruCache

PeerT = TypeVar("PeerT")


class Ledger:
    """What one peer and this node gave each other."""

    __slots__ = ("blocks_received", "blocks_sent", "exchanged", "received", "sent")

    def __init__(self) -> None:
        self.sent = 0  # bytes of blocks
        self.received = 0  # bytes of blocks, also of those that nobody asked for
        self.blocks_sent = 0
        self.blocks_received = 0
        self.exchanged = 0  # blocks in both directions

    @property
    def value(self) -> float:
        """How much the peer is in debt: bytes sent for each byte received."""
        return self.sent / (self.received + 1)


class Ledgers(Generic[PeerT]):
    """One for each of the peers that were met last."""

    def __init__(self, limit: int) -> None:
        self._ledgers: LruCache[PeerT, Ledger] = LruCache(limit)

    def of(self, peer: PeerT) -> Ledger:
        """Return the ledger; a new one for a peer that is not known."""
        ledger = self._ledgers.find(peer)
        if ledger is None:
            ledger = Ledger()
            self._ledgers.put(peer, ledger)
        return ledger

    def note_sent(self, peer: PeerT, size: int, blocks: int = 1) -> None:
        ledger = self.of(peer)
        ledger.sent += size
        ledger.blocks_sent += blocks
        ledger.exchanged += blocks

    def note_received(self, peer: PeerT, size: int, blocks: int = 1) -> None:
        ledger = self.of(peer)
        ledger.received += size
        ledger.blocks_received += blocks
        ledger.exchanged += blocks
