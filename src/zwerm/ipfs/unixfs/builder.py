"""Building a file: bytes in, blocks to the store, the root's name out, in constant memory.

Chunks are cut on the caller's thread, hashed on two others about a mebibyte at a time, and come back in order to be
put and linked. At most `Hashers.ahead` such groups are under way, so a file of any size needs a few mebibytes. Small
files never leave the caller's thread. Of a large file on the disk only the links come back: each hashing thread reads,
hashes and puts its own part, always in the same piece of memory, so that the bytes stay in the processor's cache.
"""

from __future__ import annotations

import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final, NamedTuple, Protocol

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.unixfs import chunker, layout
from zwerm.ipfs.unixfs.chunker import FixedChunker
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import FileChanged
from zwerm.ipfs.unixfs.hashers import GROUP, Hashers
from zwerm.ipfs.unixfs.profile import DEFAULT, Layout, Profile
from zwerm.multiformats import multicodec, varint
from zwerm.multiformats.cid import CID

_IDENTITY: Final = b"\x00"  # how an identity multihash begins


class BlockSink(Protocol):
    """Where finished blocks go: any `Blockstore`. One that also has `put_chunks` is lent the leaves of large files."""

    def put(self, blocks: Iterable[Block]) -> None: ...


PutChunks = Callable[[Sequence[memoryview], Callable[[memoryview], CID]], list[CID]]  # `PackBlockstore.put_chunks`


class NoStore:
    """Takes blocks and keeps nothing, to learn what the CID would be."""

    def put(self, blocks: Iterable[Block]) -> None:
        """Do nothing."""

    def put_chunks(self, chunks: Sequence[memoryview], name: Callable[[memoryview], CID]) -> list[CID]:
        """Only name them."""
        return [name(chunk) for chunk in chunks]


class Leaf(NamedTuple):
    """A hashed chunk."""

    block: Block
    size: int  # bytes of file in it


class FileBuilder:
    """Builds one file. Call `write` any number of times, then `finish` once; not safe from two threads at a time.

    After an exception the builder is spent; blocks that were put stay in the store as garbage to be collected.
    """

    def __init__(
        self,
        store: BlockSink,
        profile: Profile = DEFAULT,
        *,
        hashers: Hashers | None = None,
        mode: int | None = None,
        mtime: Mtime | None = None,
    ) -> None:
        self._store = store
        self._profile = profile
        self._hashers = hashers
        self._mode = mode
        self._mtime = mtime
        self._chunker = chunker.from_text(profile.chunker)
        self._tree = layout.tree(profile)
        self._group: list[bytes] = []
        self._group_size = 0
        self._pending: deque[Future[Sequence[Leaf | layout.Child]]] = deque()
        self._leaves = 0
        self._held: Leaf | None = None  # the first leaf, while it may still be rewritten to carry metadata
        self._begun = False
        self._finished = False

    def write(self, data: bytes | memoryview) -> None:
        """Append to the file. May block while the store writes or the hashing threads catch up."""
        self._begun = True
        for chunk in self._chunker.receive_data(data):
            self._accept(chunk)

    def write_descriptor(self, descriptor: int, size: int, *, on_bytes: Callable[[int], None] | None = None) -> None:
        """Append the first `size` bytes of an open regular file; call `on_bytes` with how many more were taken.

        With chunks of one size the hashing threads read it themselves, each its own part at the same time.

        Raises:
            FileChanged: it is shorter than that.
            OSError: it cannot be read.
        """
        chunks = self._chunker
        direct = isinstance(chunks, FixedChunker) and not self._begun
        step = max(GROUP // chunks.size, 1) * chunks.size if isinstance(chunks, FixedChunker) else GROUP
        lend: PutChunks | None = getattr(self._store, "put_chunks", None)
        if self._hashers is None or not self._profile.raw_leaves:
            lend = None
        try:
            for offset in range(0, size, step):
                end = min(offset + step, size)
                if not direct or not isinstance(chunks, FixedChunker):
                    self.write(_read(descriptor, end - offset, offset))
                elif lend is None or size <= chunks.size:
                    self._run(functools.partial(_read_leaves, self._profile, descriptor, offset, end, chunks.size))
                else:
                    part = functools.partial(_lend_leaves, lend, self._profile, descriptor, offset, end, chunks.size)
                    self._run(part)
                if on_bytes is not None:
                    on_bytes(end - offset)
        except BaseException:
            self._give_up()
            raise

    def finish(self) -> Entry:
        """Put the last blocks and return the root.

        Everything is in the store when this returns; it is durable after the store's next `sync`.
        """
        if self._finished:
            raise LocalProtocolError("this file is finished already")
        self._finished = True
        for chunk in self._chunker.finish():
            self._accept(chunk)
        if not self._pending:
            self._take(leaves(self._profile, self._group))
        else:
            self._submit()
            try:
                while self._pending:
                    self._take(self._pending.popleft().result())
            except BaseException:
                self._give_up()
                raise
        root, blocks = self._tree.finish(self._mode, self._mtime)
        if root is None or (not blocks and self._leaves == 1):
            leaf = only_leaf(self._profile, self._held, self._mode, self._mtime)
            root, blocks = layout.Child(leaf.block.cid, leaf.size, len(leaf.block.data)), [leaf.block]
        elif self._held is not None:
            blocks.insert(0, self._held.block)
        put(self._store, self._profile, blocks)
        return Entry(root.cid, root.size, root.total_size, Kind.FILE, self._mode, self._mtime)

    def _accept(self, chunk: bytes) -> None:
        self._group.append(chunk)
        self._group_size += len(chunk)
        if self._group_size >= GROUP:
            self._submit()

    def _submit(self) -> None:
        group, self._group, self._group_size = self._group, [], 0
        self._run(functools.partial(leaves, self._profile, group))

    def _run(self, work: Callable[[], Sequence[Leaf | layout.Child]]) -> None:
        if self._hashers is None:
            self._take(work())
            return
        self._pending.append(self._hashers.submit(work))
        while len(self._pending) > self._hashers.ahead:
            self._take(self._pending.popleft().result())

    def _give_up(self) -> None:
        """Wait for the threads that still read: the descriptor is the caller's, who is about to close it."""
        while self._pending:
            work = self._pending.popleft()
            if not work.cancel():
                work.exception()

    def _take(self, group: Sequence[Leaf | layout.Child]) -> None:
        """Link hashed chunks in the order of the file, and put those that are not in the store yet."""
        blocks: list[Block] = []
        for leaf in group:
            if isinstance(leaf, layout.Child):
                child = leaf
            else:
                child = layout.Child(leaf.block.cid, leaf.size, len(leaf.block.data))
                if not self._leaves:
                    self._held = leaf
                else:
                    if self._held is not None:
                        blocks.append(self._held.block)
                        self._held = None
                    blocks.append(leaf.block)
            self._leaves += 1
            blocks += self._tree.push(child)
        put(self._store, self._profile, blocks)


def put(store: BlockSink, profile: Profile, blocks: list[Block]) -> None:
    """Give blocks to the store, without those whose bytes are in their CID."""
    if profile.inline_limit is not None:
        blocks = [block for block in blocks if block.cid.multihash[:1] != _IDENTITY]
    if blocks:
        store.put(blocks)


def leaves(profile: Profile, chunks: list[bytes]) -> list[Leaf]:
    """Hash chunks as the leaves of a file. Runs on any thread."""
    if profile.raw_leaves:
        return [Leaf(profile.block(chunk, multicodec.RAW), len(chunk)) for chunk in chunks]
    # Trickle trees of Kubo have leaves of type Raw, balanced ones of type File.
    kind = DataType.RAW if profile.layout is Layout.TRICKLE else DataType.FILE
    return [Leaf(profile.block(_wrapped_leaf(chunk, kind)), len(chunk)) for chunk in chunks]


def _read_leaves(profile: Profile, descriptor: int, offset: int, end: int, size: int) -> list[Leaf]:
    """Read and hash the chunks from `offset` to `end` of an open file."""
    return leaves(
        profile, [_read(descriptor, min(size, end - position), position) for position in range(offset, end, size)]
    )


class _Room(threading.local):
    """Where a thread reads what it lends: fresh memory would cost as much as reading."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def of(self, size: int) -> memoryview:
        if len(self.buffer) < size:
            self.buffer = bytearray(size)
        return memoryview(self.buffer)[:size]


_room = _Room()


def _lend_leaves(
    lend: PutChunks, profile: Profile, descriptor: int, offset: int, end: int, size: int
) -> list[layout.Child]:
    """Read the bytes from `offset` to `end` of an open file and have the store hash and take its chunks."""
    room = _room.of(end - offset)
    done = 0
    while done < len(room):
        count = os.preadv(descriptor, [room[done:]], offset + done)
        if not count:
            raise FileChanged(f"the file became shorter while it was read: {offset + done} bytes are left")
        done += count
    chunks = [room[position : position + size] for position in range(0, len(room), size)]
    cids = lend(chunks, profile.leaf_cid)
    return [layout.Child(cid, len(chunk), len(chunk)) for cid, chunk in zip(cids, chunks, strict=True)]


def _read(descriptor: int, size: int, offset: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), offset + len(data))
        if not more:
            raise FileChanged(f"the file became shorter while it was read: {offset + len(data)} bytes are left")
        data += more
    return data


def only_leaf(profile: Profile, leaf: Leaf | None, mode: int | None, mtime: Mtime | None) -> Leaf:
    """Return the one block of a file that has at most one chunk, with its metadata in it.

    Bare bytes have no place for metadata, so then the file is wrapped in dag-pb whatever the profile says of leaves.
    """
    if leaf is None:
        (leaf,) = leaves(profile, [b""])
    if mode is None and mtime is None:
        return leaf
    data = leaf.block.data
    if leaf.block.cid.codec != multicodec.RAW:
        data = UnixFSData.parse(PBNode.parse(data).data or b"").data or b""
    message = UnixFSData(DataType.FILE, data or None, len(data)).with_metadata(mode, mtime)
    return Leaf(profile.block(dag_pb.join([], message.serialize())), len(data))


def _wrapped_leaf(chunk: bytes, kind: DataType) -> bytes:
    """Serialise the node around a chunk, copying the chunk once."""
    size = varint.serialize(len(chunk))
    head = b"\x08" + varint.serialize(kind) + (b"\x12" + size if chunk else b"")
    message = len(head) + len(chunk) + 1 + len(size)
    return b"".join([b"\x0a", varint.serialize(message), head, chunk, b"\x18", size])
