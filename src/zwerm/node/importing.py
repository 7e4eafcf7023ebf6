"""Adding content: what may be given, how it becomes blocks in a thread, and when it counts as kept.

Everything happens under one hold of the store, so that the collector stays away until the root is pinned or stands
among the files; the store is synced before either. An add that fails or is cancelled has made no name and no pin; its
blocks are garbage.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import os
import threading
from collections.abc import AsyncIterable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.unixfs.batch import BlockBatch
from zwerm.ipfs.unixfs.builder import BlockSink, FileBuilder, NoStore
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.entry import Entry
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.profile import PROFILES, Profile
from zwerm.multiformats import multicodec, multihash

if TYPE_CHECKING:
    from zwerm.multiformats.cid import CID
    from zwerm.node.config import Config
    from zwerm.node.node import Addable, Node

PIECE: Final = 1024 * 1024  # bytes read from an open file at once, and gathered from a stream for a thread to take

_T = TypeVar("_T")


class Stopped(Exception):
    """Raised inside a worker thread when nobody waits for it any more."""


def configured_profile(config: Config, name: str | Profile | None = None) -> Profile:
    """Return a profile by name, or the configured one with the configured changes.

    Raises:
        LocalProtocolError: no profile, or no hash function, has that name.
    """
    if isinstance(name, Profile):
        return name
    if name is not None:
        if name not in PROFILES:
            raise LocalProtocolError(f"no import profile is named {name!r}; there are {', '.join(PROFILES)}")
        return PROFILES[name]
    profile = PROFILES[config.text("import.profile")]
    if chunker := config.text("import.chunker"):
        profile = dataclasses.replace(profile, chunker=chunker)
    if hash_name := config.text("import.hash"):
        codes = {text: code for code, text in multihash.FUNCTION_NAMES.items()}
        if hash_name not in codes:
            raise LocalProtocolError(f"import.hash: {hash_name!r} is no hash function; there are {', '.join(codes)}")
        version = profile.cid_version if codes[hash_name] == multicodec.SHA2_256 else 1
        profile = dataclasses.replace(profile, hash_code=codes[hash_name], cid_version=version)
    return profile


@dataclasses.dataclass(frozen=True, slots=True)
class AddOptions:
    """What `Node.add` was asked besides the content."""

    profile: Profile
    name: str | None = None
    pin: bool = True
    to: str | None = None
    wrap: bool = False
    hidden: bool = False
    recursive: bool = True
    only_hash: bool = False
    message: str | None = None
    progress: Callable[[int], None] | None = None


async def add(node: Node, what: Addable, options: AddOptions) -> CID:
    """See `Node.add`."""
    with node.store.hold():
        sink: BlockSink = NoStore() if options.only_hash else node.store
        entry = await _read(node, what, sink, options)
        name = options.name or _name_of(what)
        if options.wrap:
            entry = await asyncio.to_thread(_wrap, sink, options.profile, name or str(entry.cid), entry)
        if options.only_hash:
            return entry.cid
        await keep(node, entry, options, name)
        return entry.cid


async def keep(node: Node, entry: Entry, options: AddOptions, name: str | None) -> None:
    """Sync the store, then pin the content and put it among the files, as asked. The caller has the hold."""
    if options.pin:
        await asyncio.to_thread(node.pins.record, entry.cid)
    else:
        await asyncio.to_thread(node.store.sync)
    if options.to is not None:
        await node.put_file(options.to, entry.cid, name=name, message=options.message)


async def in_stoppable_thread(work: Callable[[Callable[[], None]], _T]) -> _T:
    """Run `work` in a thread; when the caller is cancelled, its next call of `check` ends it, and it is waited for."""
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise Stopped

    running = asyncio.get_running_loop().run_in_executor(None, work, check)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.gather(running, return_exceptions=True)
        raise


async def _read(node: Node, what: Addable, sink: BlockSink, options: AddOptions) -> Entry:
    if isinstance(what, (bytes, bytearray, memoryview)):
        what = io.BytesIO(what)
    if isinstance(what, (str, os.PathLike)):
        path = os.fspath(what)

        def add_path(check: Callable[[], None]) -> Entry:
            importer = Importer(sink, options.profile, hashers=node.hashers, progress=_progress(options, check))
            return importer.add_path(path, recursive=options.recursive, hidden=options.hidden)

        return await in_stoppable_thread(add_path)
    if isinstance(what, AsyncIterable):
        return await add_stream(node, what, sink, options.profile, progress=options.progress)
    read: Callable[[int], bytes] | None = getattr(what, "read", None)
    if read is None:
        raise LocalProtocolError(f"cannot add a {type(what).__name__}; expected a path, bytes, a file or a stream")
    pieces = iter(lambda: read(PIECE), b"")

    def add_pieces(check: Callable[[], None]) -> Entry:
        importer = Importer(sink, options.profile, hashers=node.hashers, progress=_progress(options, check))
        return importer.add_file(_checked(pieces, check))

    return await in_stoppable_thread(add_pieces)


async def add_stream(
    node: Node,
    chunks: AsyncIterable[bytes],
    sink: BlockSink,
    profile: Profile,
    *,
    mode: int | None = None,
    mtime: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Entry:
    """Make a file of a stream: while a thread hashes and writes one piece, the next one is gathered."""
    builder = FileBuilder(sink, profile, hashers=node.hashers, mode=mode, mtime=mtime)
    gathered: list[bytes] = []
    size = 0
    writing: asyncio.Future[None] | None = None
    loop = asyncio.get_running_loop()

    def write(pieces: list[bytes]) -> None:
        for piece in pieces:
            builder.write(piece)

    try:
        async for chunk in chunks:
            gathered.append(chunk)
            size += len(chunk)
            if size >= PIECE:
                if writing is not None:
                    await asyncio.shield(writing)
                writing = loop.run_in_executor(None, write, gathered)
                if progress is not None:
                    progress(size)
                gathered, size = [], 0
        if writing is None and size < PIECE // 4 and isinstance(sink, BlockBatch):  # it costs less than a thread
            with sink.gathering():
                write(gathered)
                return builder.finish()
        if writing is not None:
            await asyncio.shield(writing)

        writing = loop.run_in_executor(None, write, gathered)
        await asyncio.shield(writing)
        entry = await asyncio.to_thread(builder.finish)
        if progress is not None:
            progress(size)
        return entry
    finally:
        if writing is not None and not writing.done():
            await asyncio.gather(writing, return_exceptions=True)


def _progress(options: AddOptions, check: Callable[[], None]) -> Callable[[int, int], None]:
    report = options.progress
    last = 0

    def progress(done: int, _: int) -> None:
        nonlocal last
        check()
        if report is not None:
            report(done - last)
            last = done

    return progress


def _checked(pieces: Iterable[bytes], check: Callable[[], None]) -> Iterable[bytes]:
    for piece in pieces:
        check()
        yield piece


def _wrap(sink: BlockSink, profile: Profile, name: str, entry: Entry) -> Entry:
    directory = DirectoryWriter(sink, profile)
    directory.add(name, entry.cid, entry.total_size)
    return directory.finish()


def _name_of(what: object) -> str | None:
    if isinstance(what, (str, os.PathLike)):
        path = Path(what).expanduser()
        return path.name or path.resolve().name or None
    name = getattr(what, "name", None)
    return Path(name).name if isinstance(name, str) else None
