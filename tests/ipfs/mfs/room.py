"""A file system with a history in memory, and one on a disk that can be opened again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.files import Files
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.versions.history import History
from zwerm.ipfs.versions.policy import Policy
from zwerm.multiformats.cid import CID

KEY = PrivateKey(KeyType.ED25519, Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))


class Clock:
    """Seconds that move when told to."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def nanoseconds(self) -> int:
        return int(self.now * 1e9)


class Room:
    """What a node would join: store, database, files, history."""

    def __init__(
        self,
        database: Database,
        store: Blockstore,
        profile: Profile = DEFAULT,
        *,
        key: PrivateKey = KEY,
        record: bool = True,
    ) -> None:
        self.clock = Clock()
        self.database = database
        self.store = store
        self.source = LocalSource(store)
        self.files = Files(database, store, self.source, profile, clock=self.clock.nanoseconds)
        self.history = History(
            database, store, self.source, self.files, key, policy=Policy(), record=record, clock=self.clock
        )

    def add(self, data: bytes, profile: Profile = DEFAULT) -> CID:
        """Make a file that is not in the tree."""
        builder = FileBuilder(self.store, profile)
        builder.write(data)
        return builder.finish().cid

    async def read(self, path: str, **options: int) -> bytes:
        return b"".join([part async for part in await self.files.read(path, **options)])

    async def names(self, path: str = "/") -> list[str]:
        return [entry.name async for entry in await self.files.ls(path, sort=True)]

    async def cid(self, path: str = "/") -> CID:
        return (await self.files.stat(path)).cid

    async def snapshot(self, path: str = "/") -> dict[str, bytes | None]:
        """Return every path below with its content; None for a directory."""
        return await snapshot(self, path)


async def snapshot(room: Room, path: str) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    async for entry in await room.files.ls(path, long=True):
        below = f"{path.rstrip('/')}/{entry.name}"
        if entry.kind is not None and entry.kind.value == "directory":
            found[below] = None
            found.update(await snapshot(room, below))
        else:
            found[below] = await room.read(below)
    return found


@contextlib.asynccontextmanager
async def memory_room(folder: Path, profile: Profile = DEFAULT, **options: object) -> AsyncIterator[Room]:
    """Blocks in memory; the database needs a file, which is not synced."""
    database = Database(folder / "index.sqlite")
    database._writer.execute("PRAGMA synchronous = OFF")
    room = Room(database, MemoryBlockstore(), profile, **options)  # type: ignore[arg-type]
    try:
        yield room
        await room.files.close()
    finally:
        database.close()


@contextlib.asynccontextmanager
async def disk_room(folder: Path, profile: Profile = DEFAULT, **options: object) -> AsyncIterator[Room]:
    """The same on a disk: opened again, everything durable is there."""
    database = Database(folder / "index.sqlite")
    store = PackBlockstore(folder / "blocks", database)
    try:
        room = Room(database, store, profile, **options)  # type: ignore[arg-type]
        yield room
        await room.files.close()
    finally:
        store.close()
        database.close()


async def stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def note_puts(store: Blockstore) -> list[Block]:
    """Return a list that grows by every block put from now on."""
    put: list[Block] = []
    real = store.put

    def noting(blocks: Iterable[Block]) -> None:
        blocks = list(blocks)
        put.extend(blocks)
        real(blocks)

    store.put = noting  # type: ignore[method-assign]
    return put
