"""Blocks on their way to a store, gathered so that it is called seldom: what makes many small files quick to add."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.builder import BlockSink, PutChunks

MAX_BLOCKS: Final = 256  # gathered before they go on
MAX_SIZE: Final = 4 * 1024 * 1024  # bytes gathered before they go on


class BlockBatch:
    """A `BlockSink` in front of another. What was put is in the store after `flush`, not before."""

    def __init__(self, store: BlockSink) -> None:
        self._store = store
        # What is lent cannot be gathered; the order of blocks in a store means nothing.
        self.put_chunks: PutChunks | None = getattr(store, "put_chunks", None)
        self._blocks: list[Block] = []
        self._size = 0
        self._gathering = False

    @property
    def is_full(self) -> bool:
        """Whether a limit is reached."""
        return self._size >= MAX_SIZE or len(self._blocks) >= MAX_BLOCKS

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Have `put` hand on nothing meanwhile, for a thread that may not wait for the store; see `is_full` then."""
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False

    def put(self, blocks: Iterable[Block]) -> None:
        """Take blocks; at a limit all go on, and errors of the store's `put` come from here."""
        for block in blocks:
            self._blocks.append(block)
            self._size += len(block.data)
        if self.is_full and not self._gathering:
            self.flush()

    def flush(self) -> None:
        """Hand on what is gathered; it is forgotten here, also when the store refuses it."""
        blocks = self._blocks
        self.clear()
        if blocks:
            self._store.put(blocks)

    def clear(self) -> None:
        """Forget what is gathered."""
        self._blocks, self._size = [], 0
