"""The asynchronous way to blocks: everything that reads content goes through a `BlockSource`.

Locally it is a store; with a network behind it, the same two calls wait until somebody gave the block.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol, runtime_checkable

from zwerm.multiformats.cid import CID


class BlockSource(Protocol):
    """Blocks that are here, or that can be had."""

    async def get(self, cid: CID) -> bytes:
        """Return the block's bytes, verified when they came from elsewhere. Cancelling loses nothing.

        Raises:
            BlockNotFound: it cannot be had.
            CorruptBlock: it is here and damaged.
        """
        ...

    def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        """Yield the blocks in the order of `cids`, reading ahead by a bounded amount. Errors as `get`."""
        ...

    async def has(self, cid: CID) -> bool:
        """Whether the block is here now, without asking anybody."""
        ...


@runtime_checkable
class Gatherer(Protocol):
    """A source that puts what it gets from others into a store by itself."""

    async def gather(self, cids: Sequence[CID]) -> None:
        """Get these blocks into the store without handing them out; with nobody to ask, do nothing. Errors as `get`."""
        ...
