"""`block/*`: single blocks (Kubo, "RPC API", `/api/v0/block/get`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import partial
from typing import Any, Final

from zwerm.core.errors import NotFoundError, ZwermError
from zwerm.daemon.rpc.body import Body, PartKind
from zwerm.daemon.rpc.errors import CommandError
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

ALLOW_BIG_BLOCK: Final = flag("allow-big-block", text="Accepted as Kubo does; blocks of more than 2 MiB are refused.")
_LEGACY: Final = {"v0": ("dag-pb", 0), "protobuf": ("dag-pb", 1), "cbor": ("dag-cbor", 1)}


@command("block/get", "Write the bytes of a block", arguments=[argument("cid", "The block's address.", stdin=True)])
async def block_get(context: Context, cid: str) -> RawStream:
    data = await context.node.source.get(await context.resolve(cid))

    async def once() -> AsyncGenerator[bytes, None]:
        yield data

    return RawStream(once(), len(data), "application/vnd.ipld.raw")


@command("block/stat", "Show the size of a block", arguments=[argument("cid", "The block's address.", stdin=True)])
async def block_stat(context: Context, cid: str) -> dict[str, Any]:
    found = await context.resolve(cid)
    size = len(await context.node.source.get(found))
    return {"Key": context.text(found), "Size": size}


@command(
    "block/put",
    "Store bytes as blocks",
    arguments=[file_argument("data", "Files that become a block each.", variadic=True)],
    options=[
        option("cid-codec", text="Codec in the block's address.", default="raw"),
        option("mhtype", text="Hash function."),
        option("mhlen", kind=OptionKind.INT, text="Bytes of the hash; -1 all of them.", default=-1),
        flag("pin", text="Keep the block.", default=False),
        ALLOW_BIG_BLOCK,
        option("format", "f", text="Old name of --cid-codec; v0 gives CIDs of version 0."),
    ],
)
async def block_put(
    context: Context,
    body: Body,
    cid_codec: str = "raw",
    mhtype: str = "",
    mhlen: int = -1,
    pin: bool = False,
    allow_big_block: bool = False,  # noqa: ARG001
    format_: str = "",
) -> AsyncIterator[dict[str, Any]]:
    """Store each part durably, then tell its CID. Nothing is checked against the codec, as in Kubo."""
    from zwerm.daemon.rpc.hashing import codec_code, hash_code, make_block
    from zwerm.ipfs.block import MAX_BLOCK

    if format_ and cid_codec != "raw":
        raise CommandError("--format is the old name of --cid-codec; give one of them")
    name, version = _LEGACY.get(format_, (format_, 1)) if format_ else (cid_codec, 1)
    codec, function = codec_code(name), hash_code(context, mhtype)
    node = context.node
    async for part in body.parts():
        if part.kind is not PartKind.FILE:
            raise CommandError(f"{part.name or 'a part'} is a folder, expected files")
        block = make_block(await part.read(MAX_BLOCK), codec, function, length=mhlen, version=version)
        with node.store.hold():
            await asyncio.to_thread(node.store.put, [block])
            await asyncio.to_thread(node.store.sync)
            if pin:
                await node.pins.add(node.source, block.cid, recursive=True)
        yield {"Key": context.text(block.cid), "Size": len(block.data)}


@command(
    "block/rm",
    "Remove blocks",
    arguments=[argument("cid", "Addresses of the blocks.", variadic=True)],
    options=[
        flag("force", "f", text="Do not complain about blocks that are not here."),
        flag("quiet", "q", text="Write nothing about what was removed."),
    ],
)
async def block_rm(
    context: Context, cid: Sequence[str], force: bool = False, quiet: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """Remove one after another; a block that is pinned or not here gets an `Error` and does not stop the rest."""
    node = context.node
    for text in cid:
        found = await context.resolve(text)
        try:
            pin = await node.pins.check(found)
            if pin is not None:
                raise CommandError(f"pinned: {pin.kind.value}" + (f" through {pin.via}" if pin.via else ""))
            removed = await node.with_room(partial(asyncio.to_thread, node.store.delete, [found]))
            if not removed and not force:
                raise NotFoundError(f"block {found} is not here")
        except ZwermError as error:
            yield {"Hash": context.text(found), "Error": str(error)}
            continue
        if not quiet:
            yield {"Hash": context.text(found)}
