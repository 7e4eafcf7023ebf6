"""What peers do wrong, said in the log with their names: each kind of wrong once, however often they try."""

from __future__ import annotations

from typing import Final

from zwerm.core.bounded import LruCache
from zwerm.identity.peer_id import PeerId

MAX_PEERS: Final = 1_024  # remembered; one that is forgotten sooner is told of again
MAX_KINDS: Final = 8  # told of one peer


class Complaints:
    """Whose wrongs were told already; a log must not grow as fast as somebody attacks."""

    def __init__(self) -> None:
        self._told: LruCache[PeerId, set[str]] = LruCache(MAX_PEERS)

    def is_news(self, peer: PeerId, kind: str) -> bool:
        """Whether this is to be told of a peer; from now on it was."""
        told = self._told.find(peer)
        if told is None:
            told = set()
            self._told.put(peer, told)
        if kind in told or len(told) >= MAX_KINDS:
            return False
        told.add(kind)
        return True

    def forget(self, peer: PeerId) -> None:
        """It is gone; whoever comes back is told of anew."""
        self._told.remove(peer)
