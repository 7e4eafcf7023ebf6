"""The source of a node: what is here, and what is elsewhere while it is on a network.

Others keep this one object, whether the network comes and goes. Work that is about what is here asks with `offline()`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Final

from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.source import BlockSource, Gatherer
from zwerm.multiformats.cid import CID

_OFFLINE: Final = ContextVar("zwerm.offline", default=False)


class SwitchedSource:
    """A `BlockSource`: `online` while there is one, else `local`."""

    def __init__(self, local: LocalSource) -> None:
        self.local = local
        self.online: BlockSource | None = None

    @property
    def current(self) -> BlockSource:
        """Who answers the task that asks."""
        online = self.online
        return self.local if online is None or _OFFLINE.get() else online

    async def get(self, cid: CID) -> bytes:
        return await self.current.get(cid)

    def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        return self.current.get_many(cids)

    async def gather(self, cids: Sequence[CID]) -> None:
        current = self.current
        if isinstance(current, Gatherer):
            await current.gather(cids)

    async def has(self, cid: CID) -> bool:
        return await self.local.has(cid)


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Let this task, and those it starts, ask nobody while the context is open."""
    token = _OFFLINE.set(True)
    try:
        yield
    finally:
        _OFFLINE.reset(token)


def begin_request(*, offline: bool, tag: str | None = None) -> None:
    """Let this task, and those it starts, get something new from here on, and with `offline` ask nobody for it.

    `tag` names it for those who want to see how it stands (`NetworkSource.tagged`).
    """
    from zwerm.ipfs.exchange.retrieval import CURRENT, TAG

    _OFFLINE.set(offline)
    CURRENT.set(None)
    TAG.set(tag)
