"""One retrieval: the blocks that one caller asks for after one another share a session, and are read ahead.

The task that asks carries it along (a context variable), so that the code which reads files, directories and archives
need not know of it. Reading ahead follows the links of blocks that were asked for in bulk, and goes further the more of
what it brought was used.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final

from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.session import Share
from zwerm.ipfs.exchange.failure import Search
from zwerm.multiformats.cid import CID

AHEAD_FIRST: Final = 8  # blocks fetched before anybody asked for them, until some of them were used
AHEAD_MOST: Final = 128
_QUEUED: Final = 8_192  # links remembered for reading ahead

CURRENT: ContextVar[Retrieval | None] = ContextVar("zwerm.retrieval", default=None)
TAG: ContextVar[str | None] = ContextVar("zwerm.tag", default=None)  # by which whoever asks finds what is got for it


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How a retrieval stands."""

    size: int  # bytes of blocks that came
    blocks: int
    duplicates: int  # blocks that came more than once
    shares: dict[PeerId, Share]  # from whom
    others: dict[str, Share]  # from sources that are no peers, by name
    search: Search


class Retrieval:
    """What one caller is getting. `NetworkSource` makes and drives it."""

    def __init__(self, number: int, root: CID, now: Instant, listener: Callable[[Retrieval], None] | None) -> None:
        self.number = number  # of the bitswap session
        self.root = root
        self.began: Instant = now
        self.used: Instant = now
        self.tag = TAG.get()
        self.active = 0  # callers that wait for something now
        self.is_held = False  # somebody has it open and closes it
        self.others: dict[str, Share] = {}
        self.listener = listener  # called when a block came
        self._ahead: dict[bytes, None] = {}  # fetched or being fetched, and not asked for yet
        self._links: deque[CID] = deque()
        self._hits = 0

    def follow(self, links: Iterable[CID]) -> None:
        """Note links that are likely to be asked for soon."""
        for cid in links:
            if len(self._links) >= _QUEUED:
                return
            self._links.append(cid)

    def use(self, cid: CID) -> None:
        """Note that a block is asked for."""
        if self._ahead.pop(cid.multihash, True) is None:
            self._hits += 1

    def next_ahead(self) -> list[CID]:
        """Return what to fetch ahead now; it counts as being fetched."""
        room = min(AHEAD_FIRST + 2 * self._hits, AHEAD_MOST) - len(self._ahead)
        chosen: list[CID] = []
        while self._links and len(chosen) < room:
            cid = self._links.popleft()
            if cid.multihash not in self._ahead:
                self._ahead[cid.multihash] = None
                chosen.append(cid)
        return chosen
