"""The blockstore interface: a map from multihash to bytes that keeps its word through a crash.

Calls block for as long as the disk does and may come from any thread. `BlockSource` in `zwerm.ipfs.source` is the
asynchronous face that everything which reads goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from zwerm.ipfs.block import Block
from zwerm.multiformats.cid import CID


class BlockLocation(NamedTuple):
    """Where the bytes of a block lie, for `os.sendfile` and `os.preadv`.

    The descriptor belongs to the store and stays open at least until the hold under which it was asked for ends.
    """

    descriptor: int
    offset: int  # bytes
    size: int  # bytes


class Blockstore(Protocol):
    """Blocks by multihash. CIDs that differ in version or codec only are the same block."""

    def has(self, cid: CID) -> bool: ...

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        """Return the block's bytes; identity CIDs answer from themselves.

        Raises:
            BlockNotFound: not here.
            CorruptBlock: with `verify`, when the bytes no longer hash to `cid`; also when they cannot be read.
        """
        ...

    def size(self, cid: CID) -> int:
        """Return the block's size in bytes without reading it; BlockNotFound when it is not here."""
        ...

    def put(self, blocks: Iterable[Block]) -> None:
        """Take blocks in: readable at once, durable after the next `sync`. Blocks already here cost a look-up.

        Raises:
            ResourceLimitError: the quota would be exceeded; the blocks before the one that did not fit were taken.
            StorageError: the disk is full or failed.
        """
        ...

    def sync(self) -> None:
        """Return once everything put before this call survives power loss. Concurrent calls share one flush."""
        ...

    def delete(self, cids: Iterable[CID]) -> int:
        """Forget blocks; return how many were here. Durable when it returns; space returns by `compact`."""
        ...

    def multihashes(self) -> Iterator[bytes]:
        """Every multihash here, in no order; blocks put or deleted meanwhile may or may not appear."""
        ...

    def hold(self) -> AbstractContextManager[None]:
        """Keep the collector away from every block put or found again while the context is open.

        Work that puts blocks and pins their root afterwards does both under one hold.
        """
        ...
