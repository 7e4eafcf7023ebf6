"""Building a directory of any size at once, in bounded memory.

Entries come in any order. As long as they fit into one block they are kept; past the threshold they are sorted into
one bucket for each slot of the root, and buckets spill into a temporary file when they grow. At the end each bucket
becomes a subtree, from the bottom up, without any other being in memory.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.builder import BlockSink, put
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.directory.basic import base_size, link_size, serialize_directory
from zwerm.ipfs.unixfs.directory.hamt import HASH_BITS, max_levels, name_bytes, name_hash, serialize_shard, slot_at
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.multiformats.cid import CID

SPILL: Final = 16 * 1024 * 1024  # bytes of buckets kept in memory
_BATCH: Final = 256  # blocks given to the store at once

_RECORD: Final = struct.Struct("<QQHH")  # hash, Tsize, bytes of CID, bytes of name


class _Item(NamedTuple):
    digest: int
    name: bytes
    cid: bytes
    size: int


class DirectoryWriter:
    """Builds one directory. `add` every entry once, then `finish`; a name must not come twice.

    Close it, or use `finish`, which closes: there may be a temporary file.
    """

    def __init__(
        self,
        store: BlockSink,
        profile: Profile = DEFAULT,
        *,
        mode: int | None = None,
        mtime: Mtime | None = None,
        spill: int = SPILL,
    ) -> None:
        self._store = store
        self._profile = profile
        self._mode = mode
        self._mtime = mtime
        self._spill = spill
        self._links: list[tuple[bytes, bytes, int]] = []
        self._estimate = base_size(profile, mode, mtime)
        self._buckets: _Buckets | None = None  # once sharded
        self._blocks: list[Block] = []

    def add(self, name: str, cid: CID, total_size: int) -> None:
        """Take the next entry."""
        encoded, binary = name_bytes(name), bytes(cid)
        if self._buckets is not None:
            self._buckets.add(encoded, binary, total_size)
            return
        self._links.append((encoded, binary, total_size))
        self._estimate += link_size(self._profile, encoded, binary, total_size)
        if self._estimate > self._profile.hamt_threshold:
            self._buckets = _Buckets(self._profile.hamt_fanout, self._spill)
            for link in self._links:
                self._buckets.add(*link)
            self._links.clear()

    def finish(self) -> Entry:
        """Put the blocks and return the root.

        Raises:
            LocalProtocolError: two names have the same hash, which a sharded directory cannot hold.
        """
        try:
            if self._buckets is None:
                block, total = serialize_directory(self._profile, self._links, self._mode, self._mtime)
            else:
                block, total = serialize_shard(self._profile, self._slots(self._buckets), self._mode, self._mtime)
            self._emit(block)
            self._flush()
        finally:
            self.close()
        return Entry(block.cid, 0, total, Kind.DIRECTORY, self._mode, self._mtime)

    def close(self) -> None:
        """Drop the temporary file. Harmless when there is none."""
        if self._buckets is not None:
            self._buckets.close()

    def _slots(self, buckets: _Buckets) -> Iterator[tuple[int, bytes, bytes, int]]:
        for slot in range(self._profile.hamt_fanout):
            items = sorted(buckets.take(slot))
            if items:
                yield slot, *self._build(items, 0, len(items), 1, buckets.bits)

    def _build(self, items: list[_Item], start: int, end: int, level: int, bits: int) -> tuple[bytes, bytes, int]:
        """Return the name, CID and Tsize that stand for these items in a slot: an entry, or the shard made of them."""
        if end - start == 1:
            item = items[start]
            return item.name, item.cid, item.size
        if level == max_levels(bits):
            raise same_hash(items[start].name, items[start + 1].name)
        slots: list[tuple[int, bytes, bytes, int]] = []
        while start < end:
            slot = slot_at(items[start].digest, level, bits)
            stop = start + 1
            while stop < end and slot_at(items[stop].digest, level, bits) == slot:
                stop += 1
            slots.append((slot, *self._build(items, start, stop, level + 1, bits)))
            start = stop
        block, total = serialize_shard(self._profile, slots)
        self._emit(block)
        return b"", bytes(block.cid), total

    def _emit(self, block: Block) -> None:
        self._blocks.append(block)
        if len(self._blocks) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        blocks, self._blocks = self._blocks, []
        put(self._store, self._profile, blocks)


class _Buckets:
    """Entries by the slot of the root they belong to, in memory and, past `spill` bytes, in a temporary file."""

    def __init__(self, fanout: int, spill: int) -> None:
        self.bits = fanout.bit_length() - 1
        self._spill = spill
        self._buffered = 0
        self._memory = [bytearray() for _ in range(fanout)]
        self._spilled: list[list[tuple[int, int]]] = [[] for _ in range(fanout)]  # offsets and sizes in the file
        self._file: IO[bytes] | None = None

    def add(self, name: bytes, cid: bytes, size: int) -> None:
        digest = name_hash(name)
        record = _RECORD.pack(digest, size, len(cid), len(name)) + cid + name
        self._memory[digest >> HASH_BITS - self.bits] += record
        self._buffered += len(record)
        if self._buffered > self._spill:
            if self._file is None:
                import tempfile

                self._file = tempfile.TemporaryFile(prefix="zwerm-directory-")  # noqa: SIM115 - closed by `close`
            self._write(self._file)

    def take(self, slot: int) -> Iterator[_Item]:
        """Yield a bucket's entries, and forget those in memory."""
        if self._file is not None:
            for offset, size in self._spilled[slot]:
                self._file.seek(offset)
                yield from _records(self._file.read(size))
        yield from _records(bytes(self._memory[slot]))
        self._memory[slot].clear()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, file: IO[bytes]) -> None:
        offset = file.seek(0, os.SEEK_END)
        for spilled, bucket in zip(self._spilled, self._memory, strict=True):
            if bucket:
                spilled.append((offset, len(bucket)))
                offset += file.write(bucket)
                bucket.clear()
        self._buffered = 0


def same_hash(one: bytes, other: bytes) -> LocalProtocolError:
    return LocalProtocolError(
        f"the names {one.decode(errors='replace')!r} and {other.decode(errors='replace')!r} have the same hash; "
        "a sharded directory cannot hold both"
    )


def _records(data: bytes) -> Iterator[_Item]:
    position = 0
    while position < len(data):
        digest, total, cid_size, name_size = _RECORD.unpack_from(data, position)
        start = position + _RECORD.size
        position = start + cid_size + name_size
        yield _Item(digest, data[start + cid_size : position], data[start : start + cid_size], total)
