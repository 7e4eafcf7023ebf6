"""The blockstore interface: a map from multihash to bytes that keeps its word through a crash.

Calls block for as long as the disk does and may come from any thread. `BlockSource` in `zwerm.ipfs.source` is the
asynchronous face that everything which reads goes through.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
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

    def absent(self, cids: Iterable[CID]) -> list[CID]:
        """Return those that are not here, by one question for all of them."""
        ...

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        """Return the block's bytes; identity CIDs answer from themselves.

        Raises:
            BlockNotFound: not here.
            CorruptBlock: with `verify`, when the bytes no longer hash to `cid`; also when they cannot be read.
        """
        ...

    def get_nowait(self, cid: CID) -> bytes | None:
        """Return the block's bytes when they can be had without waiting for a disk, else None. For event loops."""
        ...

    def knows(self, cid: CID) -> bool:
        """Whether `get_nowait` has all it needs but the bytes, so that `look_up` would not help it."""
        ...

    def look_up(self, cids: Iterable[CID]) -> None:
        """Find out together where blocks lie, for `get_nowait`. Those that are not here stay unknown."""
        ...

    def size(self, cid: CID) -> int:
        """Return the block's size in bytes without reading it; BlockNotFound when it is not here."""
        ...

    def put(self, blocks: Iterable[Block]) -> None:
        """Take blocks in: readable at once, durable after the next `sync`. Blocks already here cost a look-up.

        Do both under one hold, or end with `keep_pending`: after a full disk, what was put and not synced is dropped
        when no hold is open any more.

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

    def keep_pending(self) -> None:
        """Count on what was put up to now beyond the hold under which it was put, though it was not synced."""
        ...

    def touch(self, cids: Iterable[CID]) -> list[CID]:
        """Count blocks as found again, as `put` would, without their bytes; return those that are not here.

        Under a hold the ones found stay until it ends, whatever the collector does.
        """
        ...


class Removed(NamedTuple):
    """What a collection took away."""

    blocks: int
    size: int  # bytes of data


@dataclasses.dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds and takes."""

    blocks: int
    size: int  # bytes of the blocks
    packs: int  # bytes of the pack files
    dead: int  # bytes in them that belong to no block; compaction gives them back
    index: int  # bytes of the database and its log
    damaged: int  # blocks that verification found damaged and that are not served
    limit: int | None  # bytes that packs and database may take


class CollectableBlockstore(Blockstore, Protocol):
    """What the collector asks of a store besides (see `zwerm.ipfs.blockstore.holds`)."""

    @property
    def pins_lost(self) -> bool:
        """Whether the index had to be rebuilt, so that what pins it once held are unknown."""
        ...

    def accept_lost_pins(self) -> None:
        """Set `pins_lost` to False, for good."""
        ...

    def threshold(self) -> int:
        """Start a collection: return the epoch for the two calls below. Ask for the roots after it."""
        ...

    def candidates(self, threshold: int, after: bytes, limit: int) -> list[bytes]:
        """Return, in order, the next multihashes beyond `after` that are old enough to be garbage."""
        ...

    def delete_unused(
        self, keys: Iterable[bytes], threshold: int, unless: Callable[[], bool]
    ) -> dict[bytes, int] | None:
        """Delete those of `keys` that nobody has put or found again since; return them and their sizes in bytes.

        Durable when it returns. `unless` is called once no database transaction can come between it and the deletion;
        when it returns True nothing is deleted and None is returned.
        """
        ...

    def compact(self) -> int:
        """Give the space of deleted blocks back to the disk; return how many bytes."""
        ...
