"""`dag/export` and `dag/import`: CAR archives (Kubo, "RPC API", `/api/v0/dag/export`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.block import ALLOW_BIG_BLOCK
from zwerm.daemon.rpc.body import Body, Part, PartKind
from zwerm.daemon.rpc.dag import link
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import FAST_PROVIDE, Context, RawStream, argument, command, file_argument, flag

if TYPE_CHECKING:
    from zwerm.ipfs.car.importer import CarImporter, Imported
    from zwerm.multiformats.cid import CID

_PIECE: Final = 1 << 20  # bytes handed to a thread at once


@command(
    "dag/export",
    "Write everything below an address as a CAR archive",
    arguments=[argument("root", "Where to start.", stdin=True)],
    options=[
        flag("progress", "p", text="Show progress; by itself on a terminal.", display=True),
        flag("local-only", text="Leave out what is not here."),
    ],
)
async def dag_export(context: Context, root: str, local_only: bool = False) -> RawStream:
    from zwerm.ipfs.car import writer
    from zwerm.ipfs.ipld.traverse import walk

    cid = await context.resolve(root)
    await context.node.source.get(cid)  # a root that is not here is an error, and no archive that breaks off
    # Either walk yields each block once: the writer need not remember what it wrote.
    blocks = _walk_local(context, cid) if local_only else walk(context.node.source, [cid])
    return RawStream(writer.write([cid], blocks, repeats=True), None, "application/vnd.ipld.car")


async def _walk_local(context: Context, root: CID) -> AsyncIterator[tuple[CID, bytes]]:
    """Walk depth first over what can be read here; what lies below a missing block is left out with it."""
    from zwerm.ipfs.ipld.traverse import links_of

    stack, seen = [root], set()
    while stack:
        cid = stack.pop()
        if cid in seen:
            continue
        seen.add(cid)
        try:
            data = await asyncio.to_thread(context.node.store.get, cid)
            links = links_of(cid, data)
        except ZwermError:
            continue
        yield cid, data
        stack += reversed(links)


@command(
    "dag/import",
    "Take CAR archives in",
    arguments=[file_argument("path", "CAR files.", variadic=True)],
    options=[
        flag("pin-roots", text="Keep what the archives call their roots. Default: true."),
        flag("local-only", text="Take parts of a DAG; means --pin-roots=false."),
        flag("silent", text="Print nothing.", display=True),
        flag("stats", text="Say how many blocks there were."),
        *FAST_PROVIDE,
        ALLOW_BIG_BLOCK,
    ],
)
async def dag_import(
    context: Context,
    body: Body,
    pin_roots: bool | None = None,
    local_only: bool = False,
    stats: bool = False,
    allow_big_block: bool = False,  # noqa: ARG001
) -> AsyncIterator[dict[str, Any]]:
    """Store every block, then pin the roots one by one; a damaged archive ends it, the blocks before that stay."""
    if local_only and pin_roots:
        raise CommandError("--local-only takes parts of a DAG, which --pin-roots cannot keep; leave one of them out")
    node = context.node
    roots: dict[CID, None] = {}
    blocks = size = 0
    with node.store.hold():
        async for part in body.parts():
            found = await _import(context, part)
            roots |= dict.fromkeys(found.roots)
            blocks += found.blocks
            size += found.size
        if pin_roots is not False and not local_only:
            for root in roots:
                failure = ""
                try:
                    await node.pins.add(node.source, root, recursive=True)
                except ZwermError as error:
                    failure = str(error)
                yield {"Root": {"Cid": link(context, root), "PinErrorMsg": failure}}
    if stats:
        yield {"Stats": {"BlockCount": blocks, "BlockBytesCount": size}}


async def _import(context: Context, part: Part) -> Imported:
    from zwerm.ipfs.car.importer import CarImporter

    if part.kind is not PartKind.FILE:
        raise CommandError(f"{part.name or 'a part'} is a folder, expected CAR files")
    importer = CarImporter(context.node.store)
    try:
        await _feed(importer, part)
        return await asyncio.to_thread(importer.finish)
    except ZwermError as error:
        raise CommandError(f"{part.name or 'the archive'}: {error}") from error


async def _feed(importer: CarImporter, part: Part) -> None:
    gathered, size = [], 0
    async for chunk in part.chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= _PIECE:
            await asyncio.to_thread(importer.receive_data, b"".join(gathered))
            gathered, size = [], 0
    await asyncio.to_thread(importer.receive_data, b"".join(gathered))
