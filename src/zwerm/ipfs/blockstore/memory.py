"""Blocks in memory: for tests, for `--only-hash`, for nodes that keep nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.block import Block, BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID


class MemoryBlockstore:
    """A `Blockstore` whose blocks are gone when it is. Any thread."""

    def __init__(self, *, max_size: int | None = None) -> None:
        self.max_size = max_size  # bytes of data; None: no limit
        self.pins_lost = False
        self._blocks: dict[bytes, tuple[bytes, int]] = {}  # multihash -> data, epoch
        self._used = 0
        self._holds = Holds()
        self._lock = threading.Lock()

    def has(self, cid: CID) -> bool:
        return cid.multihash in self._blocks or cid.hash_code == multicodec.IDENTITY

    def absent(self, cids: Iterable[CID]) -> list[CID]:
        return [cid for cid in cids if not self.has(cid)]

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        found = self._blocks.get(cid.multihash)
        if found is None:
            if cid.hash_code == multicodec.IDENTITY:
                return cid.digest
            raise BlockNotFound(cid)
        if verify and not multihash.verify(cid.multihash, found[0]):
            raise CorruptBlock(cid)
        return found[0]

    def get_nowait(self, cid: CID) -> bytes | None:
        return self.get(cid) if self.has(cid) else None

    def knows(self, cid: CID) -> bool:  # noqa: ARG002 -- the contract's
        return True

    def look_up(self, cids: Iterable[CID]) -> None:
        """All of them are where `get_nowait` finds them."""

    def size(self, cid: CID) -> int:
        return len(self.get(cid))

    def put(self, blocks: Iterable[Block]) -> None:
        for cid, data in blocks:
            if cid.hash_code == multicodec.IDENTITY:
                continue
            with self._lock:
                if cid.multihash not in self._blocks:
                    if self.max_size is not None and self._used + len(data) > self.max_size:
                        raise ResourceLimitError(
                            f"storage limit reached: {self._used} of {self.max_size} bytes are used and a block of "
                            f"{len(data)} does not fit; collect garbage or raise storage.max"
                        )
                    self._used += len(data)
                self._blocks[cid.multihash] = (data, self._holds.epoch)

    def touch(self, cids: Iterable[CID]) -> list[CID]:
        missing = []
        with self._lock:
            for cid in cids:
                found = self._blocks.get(cid.multihash)
                if found is not None:
                    self._blocks[cid.multihash] = (found[0], self._holds.epoch)
                elif cid.hash_code != multicodec.IDENTITY:
                    missing.append(cid)
        return missing

    def sync(self) -> None:
        """Nothing to wait for."""

    def delete(self, cids: Iterable[CID]) -> int:
        with self._lock:
            return sum(self._drop(cid.multihash) is not None for cid in cids)

    def multihashes(self) -> Iterator[bytes]:
        with self._lock:
            keys = list(self._blocks)
        return iter(keys)

    def hold(self) -> AbstractContextManager[None]:
        return self._holds.hold()

    def keep_pending(self) -> None:
        """Nothing is ever dropped here."""

    def accept_lost_pins(self) -> None:
        """They never are."""

    def threshold(self) -> int:
        return self._holds.threshold()

    def candidates(self, threshold: int, after: bytes, limit: int) -> list[bytes]:
        with self._lock:
            keys = sorted(key for key, (_, epoch) in self._blocks.items() if key > after and epoch < threshold)
        return keys[:limit]

    def delete_unused(
        self, keys: Iterable[bytes], threshold: int, unless: Callable[[], bool]
    ) -> dict[bytes, int] | None:
        with self._lock:
            if unless():
                return None
            removed = {}
            for key in keys:
                found = self._blocks.get(key)
                if found is not None and found[1] < threshold:
                    self._drop(key)
                    removed[key] = len(found[0])
            return removed

    def compact(self) -> int:
        """Nothing to return: deleting frees the memory."""
        return 0

    def _drop(self, key: bytes) -> bytes | None:
        found = self._blocks.pop(key, None)
        if found is None:
            return None
        self._used -= len(found[0])
        return found[0]
