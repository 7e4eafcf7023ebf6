"""Changing a directory entry by entry: what MFS does all day.

The builder holds the plain form as a map, the sharded form as the shards that were visited; the rest stays in the
source until somebody needs it. A change touches one path, and `finish` writes only what changed. The form follows
the size, up and down, exactly as if the directory had been built at once: the estimate above the threshold is
sharded, at or below it is not.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.builder import BlockSink, put
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.directory.basic import base_size, link_size, serialize_directory
from zwerm.ipfs.unixfs.directory.bulk import same_hash
from zwerm.ipfs.unixfs.directory.hamt import (
    Shard,
    max_levels,
    name_bytes,
    name_hash,
    serialize_shard,
    slot_at,
)
from zwerm.ipfs.unixfs.directory.listing import DirEntry, open_directory, shard_below
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.unixfs.reader import close
from zwerm.multiformats.cid import CID


class _Leaf(NamedTuple):
    """An entry in a slot."""

    name: bytes
    cid: CID
    size: int  # Tsize


class _Stub(NamedTuple):
    """A shard that is not loaded."""

    cid: CID
    size: int  # Tsize


class _OpenShard:
    """A shard that was visited."""

    __slots__ = ("slots", "stub")

    def __init__(self, slots: dict[int, _Leaf | _Stub | _OpenShard], stub: _Stub | None) -> None:
        self.slots = slots
        self.stub = stub  # how it stands in the source, until it changes


class _Nowhere:
    """The source of a directory that was made empty: all its shards are open, so it is never asked."""

    async def get(self, cid: CID) -> bytes:
        raise BlockNotFound(cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        for cid in cids:
            yield await self.get(cid)

    async def has(self, cid: CID) -> bool:  # noqa: ARG002
        return False


_NOWHERE: Final = _Nowhere()


class DirectoryBuilder:
    """One directory, open for changes. Make it empty, or `open` one that exists.

    Changes are atomic: when one fails, or is cancelled while a shard is fetched, the directory is as before.
    """

    def __init__(
        self,
        profile: Profile = DEFAULT,
        *,
        source: BlockSource = _NOWHERE,
        mode: int | None = None,
        mtime: Mtime | None = None,
    ) -> None:
        self.mode = mode  # may be assigned; so may `mtime`
        self.mtime = mtime
        self._profile = profile
        self._source = source
        self._links: dict[bytes, _Leaf] = {}  # the plain form
        self._size = 0  # estimate of the links in the plain form, without `base_size`
        self._root: _OpenShard | None = None  # the sharded form
        self._bits = profile.hamt_fanout.bit_length() - 1
        self._change = 0  # estimate of what a sharded directory gained or lost since it was opened
        self._floor: int | None = None  # the estimate is known to be at least this; None: nothing is known

    @classmethod
    async def open(cls, source: BlockSource, cid: CID, profile: Profile = DEFAULT) -> DirectoryBuilder:
        """Open a directory of either form.

        Raises:
            NotADirectory: it is something else.
            WireError: its root block is malformed.
            BlockNotFound: the block cannot be had.
        """
        node = await open_directory(source, cid)
        builder = cls(profile, source=source, mode=node.message.permissions, mtime=node.message.mtime)
        if node.message.type is DataType.DIRECTORY:
            builder._unshard([_Leaf(name_bytes(link.name or ""), link.cid, link.size or 0) for link in node.links])
        else:
            shard = Shard.parse(cid, node)
            builder._profile = dataclasses.replace(profile, hamt_fanout=1 << shard.bits)
            builder._bits = shard.bits
            builder._root = _open(shard, None)
        return builder

    @property
    def sharded(self) -> bool:
        return self._root is not None

    async def lookup(self, name: str) -> DirEntry | None:
        """Find one name. Raises BlockNotFound when a shard cannot be had."""
        leaf = await self._find(name_bytes(name))
        return leaf and DirEntry(name, leaf.cid, leaf.size)

    async def entries(self) -> AsyncGenerator[DirEntry, None]:
        """Yield the entries as they stand, in the order of `directory.entries`. Do not change them meanwhile."""
        if self._root is None:
            for name in sorted(self._links):
                yield _entry(self._links[name])
            return
        async with contextlib.aclosing(self._walk(self._root, 0)) as leaves:
            async for leaf in leaves:
                yield _entry(leaf)

    async def set(self, name: str, cid: CID, total_size: int) -> None:
        """Add an entry, or replace the one of that name.

        Raises:
            LocalProtocolError: no directory can hold the name, or not beside one of the same hash.
            BlockNotFound: a shard cannot be had.
        """
        leaf = _Leaf(_checked(name), cid, total_size)
        old = await self._find(leaf.name)
        delta = self._weight(leaf) - (self._weight(old) if old else 0)
        if self._root is None:
            if self._base() + self._size + delta > self._profile.hamt_threshold:
                self._shard([*self._links.values(), leaf])
            else:
                self._links[leaf.name] = leaf
                self._size += delta
            return
        plain = await self._fits_one_block(self._root, delta)
        self._swap(self._root, name_hash(leaf.name), 0, leaf.name, leaf)
        self._changed(delta)
        if plain is not None:
            self._unshard([*plain, leaf])

    async def remove(self, name: str) -> bool:
        """Remove an entry; return whether there was one. Raises BlockNotFound when a shard cannot be had."""
        encoded = name_bytes(name)
        old = await self._find(encoded)
        if old is None:
            return False
        delta = -self._weight(old)
        if self._root is None:
            self._size += delta
            del self._links[encoded]
            return True
        plain = await self._fits_one_block(self._root, delta)
        self._swap(self._root, name_hash(encoded), 0, encoded, None)
        self._changed(delta)
        if plain is not None:
            self._unshard([leaf for leaf in plain if leaf.name != encoded])
        return True

    def finish(self, store: BlockSink) -> Entry:
        """Put the blocks that changed and return the root. The builder stays usable."""
        blocks: list[Block] = []
        if self._root is None:
            links = ((leaf.name, bytes(leaf.cid), leaf.size) for leaf in self._links.values())
            block, total = serialize_directory(self._profile, links, self.mode, self.mtime)
        else:
            slots = self._serialized(self._root, blocks)
            block, total = serialize_shard(self._profile, slots, self.mode, self.mtime)
        put(store, self._profile, [*blocks, block])
        return Entry(block.cid, 0, total, Kind.DIRECTORY, self.mode, self.mtime)

    def _base(self) -> int:
        return base_size(self._profile, self.mode, self.mtime)

    def _weight(self, leaf: _Leaf) -> int:
        return link_size(self._profile, leaf.name, bytes(leaf.cid), leaf.size)

    def _shard(self, leaves: list[_Leaf]) -> None:
        """Change to the sharded form; of leaves of one name the last counts."""
        root = _OpenShard({}, None)
        size = 0
        for leaf in leaves:
            old = self._swap(root, name_hash(leaf.name), 0, leaf.name, leaf)
            size += self._weight(leaf) - (self._weight(old) if old else 0)
        self._root, self._links = root, {}
        self._change, self._floor = 0, size

    async def _fits_one_block(self, root: _OpenShard, delta: int) -> list[_Leaf] | None:
        """Return all entries when the directory, once it has changed by `delta`, is to be plain; otherwise None.

        As in Kubo, only a directory that lost more than it gained is looked at, and no further than needed.
        """
        base, threshold = self._base() + delta, self._profile.hamt_threshold
        if self._change + delta >= 0 or (self._floor is not None and base + self._floor > threshold):
            return None
        size, leaves = 0, []
        async with contextlib.aclosing(self._walk(root, 0)) as walk:
            async for leaf in walk:
                leaves.append(leaf)
                size += self._weight(leaf)
                if base + size > threshold + threshold // 8:  # by enough not to look again soon
                    break
        self._floor = size
        return leaves if base + size <= threshold else None

    def _changed(self, delta: int) -> None:
        self._change += delta
        if self._floor is not None:
            self._floor += delta

    def _unshard(self, leaves: list[_Leaf]) -> None:
        """Change to the plain form; of leaves of one name the last counts."""
        self._root = None
        self._links = {leaf.name: leaf for leaf in leaves}
        self._size = sum(map(self._weight, self._links.values()))

    async def _find(self, name: bytes) -> _Leaf | None:
        """Find an entry; every shard on its path is open afterwards."""
        if self._root is None:
            return self._links.get(name)
        digest = name_hash(name)
        shard, level = self._root, 0
        while True:
            slot = slot_at(digest, level, self._bits)
            child = shard.slots.get(slot)
            level += 1
            if isinstance(child, _Stub):
                child = shard.slots[slot] = await self._load(child, level)
            if not isinstance(child, _OpenShard):
                return child if child is not None and child.name == name else None
            shard = child

    async def _load(self, stub: _Stub, level: int) -> _OpenShard:
        data = await self._source.get(stub.cid)
        return _open(shard_below(self._bits, stub.cid, data, level), stub)

    def _swap(self, shard: _OpenShard, digest: int, level: int, name: bytes, leaf: _Leaf | None) -> _Leaf | None:
        """Put `leaf`, or None, in the place of the entry of that name; return what was there. The path is open."""
        slot = slot_at(digest, level, self._bits)
        child = shard.slots.get(slot)
        old: _Leaf | None = None
        if isinstance(child, _OpenShard):
            old = self._swap(child, digest, level + 1, name, leaf)
            if leaf is None and len(child.slots) == 1:
                (only,) = child.slots.values()
                if isinstance(only, _Leaf):
                    shard.slots[slot] = only
        elif isinstance(child, _Leaf) and child.name != name:
            if leaf is None:
                return None
            shard.slots[slot] = self._fork(child, leaf, level + 1)
        else:
            old = child if isinstance(child, _Leaf) else None
            if leaf is not None:
                shard.slots[slot] = leaf
            elif old is not None:
                del shard.slots[slot]
        shard.stub = None
        return old

    def _fork(self, one: _Leaf, other: _Leaf, level: int) -> _OpenShard:
        """Make the shard that holds two entries which met in one slot."""
        if level == max_levels(self._bits):
            raise same_hash(one.name, other.name)
        first = slot_at(name_hash(one.name), level, self._bits)
        second = slot_at(name_hash(other.name), level, self._bits)
        if first == second:
            return _OpenShard({first: self._fork(one, other, level + 1)}, None)
        return _OpenShard({first: one, second: other}, None)

    async def _walk(self, shard: _OpenShard, level: int) -> AsyncGenerator[_Leaf, None]:
        """Yield every entry. What is loaded for it is not kept."""
        stubs = [child.cid for _, child in sorted(shard.slots.items(), key=_slot_number) if isinstance(child, _Stub)]
        blocks = self._source.get_many(stubs)
        try:
            for _, child in sorted(shard.slots.items(), key=_slot_number):
                if isinstance(child, _Leaf):
                    yield child
                    continue
                if isinstance(child, _Stub):
                    below = shard_below(self._bits, child.cid, await anext(blocks), level + 1)
                    child = _open(below, child)  # noqa: PLW2901 - from here on it is open
                async with contextlib.aclosing(self._walk(child, level + 1)) as leaves:
                    async for leaf in leaves:
                        yield leaf
        finally:
            await close(blocks)

    def _serialized(self, shard: _OpenShard, blocks: list[Block]) -> list[tuple[int, bytes, bytes, int]]:
        """Describe the slots for `serialize_shard`, writing the shards below that changed."""
        slots: list[tuple[int, bytes, bytes, int]] = []
        for slot, child in sorted(shard.slots.items(), key=_slot_number):
            name = b""
            if isinstance(child, _OpenShard):
                if child.stub is None:
                    block, total = serialize_shard(self._profile, self._serialized(child, blocks))
                    blocks.append(block)
                    child.stub = _Stub(block.cid, total)
                child = child.stub  # noqa: PLW2901 - what stands for it
            elif isinstance(child, _Leaf):
                name = child.name
            slots.append((slot, name, bytes(child.cid), child.size))
        return slots


def _open(shard: Shard, stub: _Stub | None) -> _OpenShard:
    return _OpenShard(
        {
            link.slot: _Stub(link.cid, link.total_size)
            if link.name is None
            else _Leaf(name_bytes(link.name), link.cid, link.total_size)
            for link in shard.links
        },
        stub,
    )


def _slot_number(item: tuple[int, object]) -> int:
    return item[0]


def _entry(leaf: _Leaf) -> DirEntry:
    return DirEntry(leaf.name.decode("utf-8", "surrogateescape"), leaf.cid, leaf.size)


def _checked(name: str) -> bytes:
    """Return the bytes of a name that an entry may have."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise LocalProtocolError(f"{name!r:.100} cannot be the name of an entry")
    return name_bytes(name)
