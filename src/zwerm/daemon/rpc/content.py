"""`cat`, `get` and `ls`: reading files and folders (Kubo, "RPC API", `/api/v0/cat`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import Context, OptionKind, RawStream, argument, command, flag, option
from zwerm.daemon.rpc.text import NO_TIME, time_text

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.reader import File

_PATH: Final = "Address, /ipfs/ path, or the path of one of the node's files; PATH@VERSION for an old version."


@command(
    "cat",
    "Write content to standard output",
    arguments=[argument("ipfs-path", _PATH, variadic=True, stdin=True)],
    options=[
        option("offset", "o", kind=OptionKind.INT, text="First byte."),
        option("length", "l", kind=OptionKind.INT, text="At most so many bytes."),
        flag("progress", "p", text="Show progress; by itself on a terminal.", display=True),
    ],
)
async def cat(context: Context, ipfs_path: Sequence[str], offset: int = 0, length: int | None = None) -> RawStream:
    """Join files; `offset` and `length` count in the whole."""
    ranges = await file_ranges(context, ipfs_path, offset, length)

    async def chunks() -> AsyncGenerator[bytes, None]:
        for file, start, end in ranges:
            async for chunk in file.stream(start, end):
                yield chunk

    return RawStream(chunks(), sum(end - start for _, start, end in ranges))


async def file_ranges(
    context: Context, paths: Sequence[str], offset: int = 0, length: int | None = None
) -> list[tuple[File, int, int]]:
    """Return files with the parts of them that make up a range of all of them joined.

    Raises:
        CommandError: a negative number, or no path.
        NotAFile: a folder.
    """
    from zwerm.ipfs.unixfs.reader import open_file

    if offset < 0 or (length is not None and length < 0):
        raise CommandError(f"{'offset' if offset < 0 else 'length'} is negative, expected 0 or more")
    ranges: list[tuple[File, int, int]] = []
    left = length
    for path in paths:
        file = await open_file(context.node.source, await context.resolve(path))
        start = min(offset, file.size)
        offset -= start
        end = file.size if left is None else min(file.size, start + left)
        if end > start:
            ranges.append((file, start, end))
        if left is not None:
            left -= end - start
            if not left:
                break
    return ranges


@command(
    "get",
    "Write content to the disk",
    arguments=[argument("ipfs-path", _PATH, stdin=True)],
    options=[
        option("output", "o", text="Where to write it; the last part of the path otherwise.", display=True),
        flag("archive", "a", text="Give a tar archive."),
        flag("compress", "C", text="Compress with gzip."),
        option("compression-level", "l", kind=OptionKind.INT, text="How hard to compress: 1 to 9."),
        flag("progress", "p", text="Show progress; by itself on a terminal.", display=True),
    ],
)
async def get(
    context: Context,
    ipfs_path: str,
    archive: bool = False,
    compress: bool = False,
    compression_level: int | None = None,
) -> RawStream:
    """Give a tar archive in every case but one: a file that is compressed and not archived is just that file."""
    from zwerm.ipfs.unixfs import export, reader

    if compress and compression_level is not None and not 1 <= compression_level <= 9:
        raise UsageError(f"--compression-level is {compression_level}, expected 1 to 9")
    node = context.node
    cid = await context.resolve(ipfs_path)
    found = await reader.stat(node.source, cid)
    name = entry_name(ipfs_path)
    if compress and not archive:
        stream: AsyncGenerator[bytes, None] = (await reader.open_file(node.source, cid)).stream()
    else:
        stream = export.tar(node.source, cid, name)
    if compress:
        return RawStream(_gzip(stream, compression_level or 6), None, "application/gzip")
    return RawStream(stream, found.total_size if found.kind.value == "directory" else found.size, "application/x-tar")


def entry_name(path: str) -> str:
    """What a path's content is called on the disk: its last part."""
    return path.rstrip("/").rpartition("/")[2].partition("@")[0] or "root"


async def _gzip(stream: AsyncGenerator[bytes, None], level: int) -> AsyncGenerator[bytes, None]:
    import asyncio
    import zlib

    compressor = zlib.compressobj(level, wbits=31)
    async with aclosing(stream):
        async for chunk in stream:
            if data := await asyncio.to_thread(compressor.compress, chunk):
                yield data
    yield compressor.flush()


@command(
    "ls",
    "List a folder",
    arguments=[argument("ipfs-path", _PATH, variadic=True, stdin=True)],
    options=[
        flag("headers", "v", text="Print a heading.", display=True),
        flag("resolve-type", text="Look at each entry to say what it is.", default=True),
        flag("size", text="Look at each entry to say how large it is.", default=True),
        flag("stream", "s", text="List entries as they are found, unsorted."),
        flag("long", "l", text="Show modes and modification times.", display=True),
    ],
)
async def ls(
    context: Context, ipfs_path: Sequence[str], resolve_type: bool = True, size: bool = True, stream: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """Yield one document with everything, or with `stream` one an entry."""
    objects = []
    for path in ipfs_path:
        links = []
        async for link in _links(context, path, look=resolve_type or size):
            if stream:
                yield {"Objects": [{"Hash": path, "Links": [link]}]}
            else:
                links.append(link)
        links.sort(key=lambda link: link["Name"].encode("utf-8", "surrogateescape"))
        objects.append({"Hash": path, "Links": links})
    if not stream:
        yield {"Objects": objects}


async def _links(context: Context, path: str, *, look: bool) -> AsyncIterator[dict[str, Any]]:
    from zwerm.ipfs.unixfs import directory, reader
    from zwerm.ipfs.unixfs.entry import Kind
    from zwerm.ipfs.unixfs.node import Node, file_sizes

    source = context.node.source
    cid = await context.resolve(path)
    data = await source.get(cid)
    if reader.stat_block(cid, data).kind is Kind.DIRECTORY:
        async for entry in directory.entries(source, cid):
            link = _link(context, entry.name, entry.cid)
            if look:
                link |= await _look(context, entry.cid)
            yield link
        return
    node = Node.parse(cid, data)
    if node.kind is Kind.FILE:
        _, sizes = file_sizes(cid, node)
        for child, length in zip(node.links, sizes, strict=True):
            yield _link(context, child.name or "", child.cid) | {"Type": 2, "Size": length}


def _link(context: Context, name: str, cid: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Hash": context.text(cid),
        "Size": 0,
        "Type": 0,
        "Target": "",
        "Mode": 0,
        "ModTime": NO_TIME,
    }


_TYPES: Final = {"directory": 1, "file": 2, "symlink": 4}  # of the UnixFS protobuf


async def _look(context: Context, cid: Any) -> dict[str, Any]:
    """Say what an entry is; what is not here, or is no file, keeps type 0."""
    from zwerm.ipfs.unixfs import reader

    try:
        found = await reader.stat(context.node.source, cid)
    except ZwermError:
        return {}
    size = found.size if found.kind.value == "file" else 0
    link = {"Type": _TYPES[found.kind.value], "Size": size, "Target": found.target or ""}
    return link | {"Mode": found.mode or 0, "ModTime": time_text(found.mtime)}
