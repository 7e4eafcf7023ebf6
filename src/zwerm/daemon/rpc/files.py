"""`files/*`: the node's own tree of files (Kubo, "RPC API", `/api/v0/files/ls`). Each call makes one version."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.body import Body, PartKind
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import (
    Context,
    OptionKind,
    RawStream,
    argument,
    command,
    file_argument,
    flag,
    option,
)

if TYPE_CHECKING:
    from zwerm.ipfs.mfs.status import FileEntry
    from zwerm.ipfs.unixfs.data import Mtime

_FLUSH: Final = flag("flush", "f", text="Make it durable before answering.", default=True)
_PARENTS: Final = flag("parents", "p", text="Make the folders on the way.")
_VERSION: Final = option(
    "cid-version",
    "cid-ver",
    kind=OptionKind.INT,
    text="CID version of what is made: 0 or 1; as its folder's otherwise.",
)
_HASH: Final = option("hash", text="Hash function of what is made; as its folder's otherwise.")
_MESSAGE: Final = option("message", "m", text="Words that go with the version this makes.")
_PATH: Final = argument("path", "Path in the tree, from /.")
_STAT_FORMAT: Final = """<hash>
Size: <size>
CumulativeSize: <cumulsize>
ChildBlocks: <childs>
Type: <type>
Mode: <mode> (<mode-octal>)
Mtime: <mtime>"""


@command(
    "files/stat",
    "Show what a path leads to",
    arguments=[argument("path", "Path in the tree, or an /ipfs/ path.")],
    options=[
        option(
            "format",
            text="Print this; <hash> <size> <cumulsize> <type> <childs> <mode> <mode-octal> <mtime> <mtime-secs> "
            "<mtime-nsecs> are filled in.",
            default=_STAT_FORMAT,
            display=True,
        ),
        flag("hash", text="Print only the address.", display=True),
        flag("size", text="Print only the size with all blocks.", display=True),
        flag("with-local", text="Say also how much of it is here."),
    ],
)
async def files_stat(context: Context, path: str, with_local: bool = False) -> dict[str, Any]:
    found = await context.node.files.stat(path, with_local=with_local)
    answer: dict[str, Any] = {
        "Hash": context.text(found.cid),
        "Size": found.size,
        "CumulativeSize": found.cumulative_size,
        "Blocks": found.blocks,
        "Type": "directory" if found.kind.value == "directory" else "file",
    }
    if with_local:
        answer |= {"WithLocality": True, "Local": bool(found.local), "SizeLocal": found.local_size or 0}
    return answer | _metadata(found.mode, found.mtime)


def _metadata(mode: int | None, mtime: Mtime | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if mode:
        fields["Mode"] = f"{mode:04o}"
    if mtime is not None:
        fields["Mtime"] = mtime.seconds
        if mtime.nanoseconds:
            fields["MtimeNsecs"] = mtime.nanoseconds
    return fields


@command(
    "files/ls",
    "List a folder of the tree",
    arguments=[argument("path", "Path in the tree; the whole tree otherwise.", required=False)],
    options=[
        flag("long", "l", text="Show types, sizes and addresses."),
        flag("U", text="Do not sort."),
    ],
)
async def files_ls(context: Context, path: str = "/", long: bool = False, U: bool = False) -> dict[str, Any]:  # noqa: N803
    entries = await context.node.files.ls(path or "/", long=long, sort=not U)
    return {"Entries": [_entry(context, entry, long=long) async for entry in entries]}


def _entry(context: Context, entry: FileEntry, *, long: bool) -> dict[str, Any]:
    if not long:
        return {"Name": entry.name, "Type": 0, "Size": 0, "Hash": ""}
    kind = 1 if entry.kind is not None and entry.kind.value == "directory" else 0
    row = {"Name": entry.name, "Type": kind, "Size": entry.size, "Hash": context.text(entry.cid)}
    return row | _metadata(entry.mode, entry.mtime)


@command(
    "files/read",
    "Write a file of the tree to standard output",
    arguments=[_PATH],
    options=[
        option("offset", "o", kind=OptionKind.INT, text="First byte.", default=0),
        option("count", "n", kind=OptionKind.INT, text="At most so many bytes."),
    ],
)
async def files_read(context: Context, path: str, offset: int = 0, count: int | None = None) -> RawStream:
    stream = await context.node.files.read(path, offset=offset, count=count)

    async def chunks() -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk

    return RawStream(chunks())


@command(
    "files/write",
    "Write into a file of the tree",
    arguments=[_PATH, file_argument("data", "What to write.")],
    options=[
        option("offset", "o", kind=OptionKind.INT, text="First byte to write.", default=0),
        flag("create", "e", text="Make the file if there is none."),
        _PARENTS,
        flag("truncate", "t", text="Empty the file first."),
        option("count", "n", kind=OptionKind.INT, text="At most so many bytes."),
        flag("raw-leaves", text="Bare blocks for what is written; they are by default with CID version 1."),
        _VERSION,
        _HASH,
        _FLUSH,
        _MESSAGE,
    ],
)
async def files_write(
    context: Context,
    path: str,
    body: Body,
    offset: int = 0,
    create: bool = False,
    parents: bool = False,
    truncate: bool = False,
    count: int | None = None,
    raw_leaves: bool | None = None,
    cid_version: int | None = None,
    hash_: str = "",
    flush: bool = True,
    message: str | None = None,
) -> None:
    async for part in body.parts():
        if part.kind is not PartKind.FILE:
            raise CommandError(f"{part.name or 'the upload'} is a folder, expected one file")
        await context.node.files.write(
            path,
            part.chunks,
            offset=offset,
            count=count,
            create=create,
            truncate=truncate,
            parents=parents,
            raw_leaves=raw_leaves,
            cid_version=cid_version,
            hash_code=_hash(context, hash_),
            flush=flush,
            message=message,
        )
        return
    raise UsageError("file argument 'data' is required")


def _hash(context: Context, name: str) -> int | None:
    from zwerm.daemon.rpc.hashing import hash_code

    return hash_code(context, name) if name else None


@command(
    "files/mkdir",
    "Make a folder in the tree",
    arguments=[_PATH],
    options=[
        flag("parents", "p", text="Make the folders on the way, and take one that is there."),
        _VERSION,
        _HASH,
        _FLUSH,
        _MESSAGE,
    ],
)
async def files_mkdir(
    context: Context,
    path: str,
    parents: bool = False,
    cid_version: int | None = None,
    hash_: str = "",
    flush: bool = True,
    message: str | None = None,
) -> None:
    await context.node.files.mkdir(
        path,
        parents=parents,
        cid_version=cid_version,
        hash_code=_hash(context, hash_),
        flush=flush,
        message=message,
    )


@command(
    "files/cp",
    "Copy into the tree, from it or from an address",
    arguments=[argument("source", "Path in the tree, or an /ipfs/ path."), argument("dest", "New path in the tree.")],
    options=[flag("force", text="Overwrite a file that is there."), _PARENTS, _FLUSH, _MESSAGE],
)
async def files_cp(
    context: Context,
    source: str,
    dest: str,
    force: bool = False,
    parents: bool = False,
    flush: bool = True,
    message: str | None = None,
) -> None:
    await context.node.files.cp(source, dest, parents=parents, force=force, flush=flush, message=message)


@command(
    "files/mv",
    "Move or rename in the tree",
    arguments=[argument("source", "Path now."), argument("dest", "New path, or the folder to move into.")],
    options=[_FLUSH, _MESSAGE],
)
async def files_mv(context: Context, source: str, dest: str, flush: bool = True, message: str | None = None) -> None:
    await context.node.files.mv(source, dest, flush=flush, message=message)


@command(
    "files/rm",
    "Remove from the tree",
    arguments=[argument("path", "Paths in the tree.", variadic=True)],
    options=[
        flag("recursive", "r", text="Folders with all that is in them."),
        flag("force", text="Whatever it is; what is not there is no error."),
        flag("flush", "f", text="Accepted as Kubo does; removing is always durable."),
        _MESSAGE,
    ],
)
async def files_rm(
    context: Context,
    path: Sequence[str],
    recursive: bool = False,
    force: bool = False,
    flush: bool = True,
    message: str | None = None,
) -> None:
    """Remove what can be removed, as one version; then say what could not."""
    if not flush:
        raise CommandError("files rm is always durable; --flush cannot be false")
    files = context.node.files

    async def remove() -> list[str]:
        failures = []
        async with files.batch(message):
            for one in path:
                try:
                    await files.rm(one, recursive=recursive, force=force)
                except ZwermError as error:
                    failures.append(f"{one}: {error}")
        return failures

    failures = await context.node.with_room(remove)
    if failures:
        raise CommandError("; ".join(failures))


@command(
    "files/flush",
    "Make durable what waits in the tree",
    arguments=[argument("path", "Path in the tree; the whole tree otherwise.", required=False)],
)
async def files_flush(context: Context, path: str = "/") -> dict[str, Any]:
    return {"Cid": context.text(await context.node.files.flush(path or "/"))}


@command(
    "files/chcid",
    "Change how a folder of the tree is addressed",
    arguments=[argument("path", "Path in the tree; the whole tree otherwise.", required=False)],
    options=[_VERSION, _HASH, _FLUSH],
)
async def files_chcid(
    context: Context, path: str = "/", cid_version: int | None = None, hash_: str = "", flush: bool = True
) -> None:
    files = context.node.files
    await files.chcid(path or "/", cid_version=cid_version, hash_code=_hash(context, hash_), flush=flush)


@command(
    "files/chmod",
    "Set permissions in the tree",
    arguments=[argument("mode", "Permissions in octal, 0644."), _PATH],
    options=[_FLUSH],
    experimental=True,
)
async def files_chmod(context: Context, mode: str, path: str, flush: bool = True) -> None:
    try:
        bits = int(mode, 8)
    except ValueError:
        raise CommandError(f"mode {mode!r}, expected octal digits such as 0644") from None
    await context.node.files.chmod(path, bits, flush=flush)


@command(
    "files/touch",
    "Set a modification time in the tree",
    arguments=[_PATH],
    options=[
        option("mtime", kind=OptionKind.INT, text="Seconds since 1970; now otherwise."),
        option("mtime-nsecs", kind=OptionKind.UINT, text="Nanoseconds besides.", default=0),
        _FLUSH,
    ],
    experimental=True,
)
async def files_touch(
    context: Context, path: str, mtime: int | None = None, mtime_nsecs: int = 0, flush: bool = True
) -> None:
    from zwerm.ipfs.unixfs.data import Mtime

    if not 0 <= mtime_nsecs < 1_000_000_000:
        raise UsageError(f"--mtime-nsecs is {mtime_nsecs}, expected 0 to 999999999")
    await context.node.files.touch(path, Mtime(mtime, mtime_nsecs) if mtime is not None else None, flush=flush)
