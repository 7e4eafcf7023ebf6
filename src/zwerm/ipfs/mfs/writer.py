"""Writing files: a stream of any length becomes a new tree, or surgery on the one there is, in constant memory.

What lies within an existing file is overwritten, what goes beyond its end is cut by the chunker and appended; a gap
between the end and the offset is filled with zeros. New files are trickle trees, as Kubo's `files write` makes them,
so that they have the CID of `add --trickle`; one of a single bare leaf is that leaf, and has the CID of plain `add`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final

from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.mfs.edit import FileEdit
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.unixfs import chunker
from zwerm.ipfs.unixfs.builder import FileBuilder, leaves
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.layout import Child
from zwerm.ipfs.unixfs.profile import Layout, Profile
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

MAX_FILE: Final = 2**63 - 1  # bytes
MAX_LINKS: Final = 174  # children of a trickle node; Kubo's `files` knows no other number
BATCH: Final = 4 * 1024 * 1024  # bytes gathered before the tree is touched and another thread is asked
INLINE: Final = 512 * 1024  # bytes that are hashed on the event loop rather than handed to a thread


def profile_of_file(profile: Profile, like: CID, *, raw_leaves: bool | None = None) -> Profile:
    """Return how the nodes of a file are made whose root, or whose directory, is named as `like`."""
    code = like.hash_code
    if code == multicodec.IDENTITY or code not in multihash.FUNCTION_NAMES:
        code = profile.hash_code if like.version else multicodec.SHA2_256
    return dataclasses.replace(
        profile,
        cid_version=like.version,
        hash_code=code,
        raw_leaves=like.version > 0 if raw_leaves is None else raw_leaves,
        layout=Layout.TRICKLE,
        max_links=MAX_LINKS,
        inline_limit=None,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class FileFactory:
    """Makes new files. Small ones wait in the workspace, large ones go straight to the store."""

    workspace: Workspace
    store: Blockstore
    profile: Profile
    hashers: Hashers | None = None

    async def build(self, data: AsyncIterable[bytes], mode: int | None = None, mtime: Mtime | None = None) -> Child:
        """Read `data` to its end and return the file.

        Whatever `data` raises goes through; blocks put until then are garbage to be collected. So with cancelling.
        """
        async with contextlib.aclosing(_gathered(data, INLINE)) as pieces:
            return await self._build(pieces, mode, mtime)

    async def _build(self, pieces: AsyncGenerator[bytes, None], mode: int | None, mtime: Mtime | None) -> Child:
        first = await anext(pieces, b"")
        second = await anext(pieces, None) if len(first) <= INLINE else b""
        if second is None and mode is None and mtime is None and (leaf := self._only_leaf(first)) is not None:
            return leaf
        if second is None:
            builder = FileBuilder(self.workspace, self.profile, mode=mode, mtime=mtime)
            builder.write(first)
            entry = builder.finish()
        else:
            builder = FileBuilder(self.store, self.profile, hashers=self.hashers, mode=mode, mtime=mtime)
            await asyncio.to_thread(builder.write, first)
            await asyncio.to_thread(builder.write, second)
            async with contextlib.aclosing(_gathered(pieces, BATCH)) as batches:
                async for piece in batches:
                    await asyncio.to_thread(builder.write, piece)
            entry = await asyncio.to_thread(builder.finish)
        root = Child(entry.cid, entry.size, entry.total_size)
        if entry.size > chunker.MAX_CHUNK:
            return root
        return await FileEdit(self.workspace, self.profile, root).finish(None)

    def _only_leaf(self, data: bytes) -> Child | None:
        """Make the file of at most one bare leaf at once, or return None."""
        if not self.profile.raw_leaves or not data:
            return None
        machine = chunker.from_text(self.profile.chunker)
        chunks = machine.receive_data(data) + machine.finish()
        if len(chunks) != 1:
            return None
        (leaf,) = leaves(self.profile, chunks)
        self.workspace.put([leaf.block])
        return Child(leaf.block.cid, leaf.size, len(leaf.block.data))


class FileWriter:
    """Writes into one existing file from a position on. Not safe from two tasks at a time.

    After an exception, cancelling included, the writer is spent and the file as it was: only `finish` makes a new one.
    """

    def __init__(self, edit: FileEdit, store: Blockstore, profile: Profile, position: int = 0) -> None:
        self._edit = edit
        self._store = store
        self._profile = profile
        self._position = position  # where the gathered bytes begin
        self._gathered: list[memoryview] = []
        self._gathered_size = 0
        self._chunker = chunker.from_text(profile.chunker)
        self._chunks: list[bytes] = []  # to be appended
        self._chunks_size = 0
        self._spilled = False  # blocks of the new file were put into the store
        self._appending = False  # the end of the file was reached; from there every byte goes through the chunker
        self._wrote = False

    async def write(self, data: bytes) -> None:
        """Write at the position and move it behind."""
        if not data:
            return
        self._wrote = True
        if self._position > self._edit.size:
            await self._edit.append_hole(self._position - self._edit.size)
        view = memoryview(data)
        if not self._appending:
            inside = view[: self._edit.size - self._position - self._gathered_size]
            view = view[len(inside) :]
            self._gathered.append(inside)
            self._gathered_size += len(inside)
            self._appending = len(view) > 0
            if self._gathered_size >= BATCH or self._appending:
                await self._overwrite()
        if self._appending:
            for chunk in self._chunker.receive_data(view):
                self._chunks.append(chunk)
                self._chunks_size += len(chunk)
            if self._chunks_size >= BATCH:
                await self._append()

    async def finish(self, now: Mtime) -> Child:
        """Return the file; its last blocks wait in `take`. `now` becomes its modification time if it has one."""
        await self._overwrite()
        self._chunks += self._chunker.finish()
        await self._append()
        made = await self._edit.finish(now if self._wrote else None)
        if self._spilled:
            await self._put()
        return made

    async def _overwrite(self) -> None:
        if not self._gathered_size:
            return
        data = b"".join(self._gathered)
        self._gathered = []
        await self._edit.overwrite(self._position, data)
        self._position += self._gathered_size
        self._gathered_size = 0
        await self._spill()

    async def _append(self) -> None:
        if not self._chunks:
            return
        chunks, self._chunks, self._chunks_size = self._chunks, [], 0
        if sum(map(len, chunks)) > INLINE:
            hashed = await asyncio.to_thread(leaves, self._profile, chunks)
        else:
            hashed = leaves(self._profile, chunks)
        self._edit.keep([leaf.block for leaf in hashed])
        await self._edit.append([Child(leaf.block.cid, leaf.size, len(leaf.block.data)) for leaf in hashed])
        await self._spill()

    async def _spill(self) -> None:
        blocks = self._edit.fresh
        if sum(len(block.data) for block in blocks.values()) < BATCH:
            return
        await self._put()

    async def _put(self) -> None:
        blocks = list(self._edit.fresh.values())
        await asyncio.to_thread(self._store.put, blocks)
        self._edit.fresh.clear()
        self._spilled = True

    def take(self) -> list[Block]:
        """Take the blocks that were not put into the store: all of the file that is new, or none."""
        blocks = list(self._edit.fresh.values())
        self._edit.fresh.clear()
        return blocks


async def _gathered(data: AsyncIterable[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """Join small pieces until there are more than `size` bytes, so that each step is worth a change of thread."""
    pieces: list[bytes] = []
    count = 0
    async for piece in data:
        pieces.append(piece)
        count += len(piece)
        if count > size:
            yield b"".join(pieces)
            pieces, count = [], 0
    if pieces:
        yield b"".join(pieces)
