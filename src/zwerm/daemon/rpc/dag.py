"""`dag/*`: linked data of any codec, and archives of it (Kubo, "RPC API", `/api/v0/dag/get`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from zwerm.daemon.rpc.block import ALLOW_BIG_BLOCK
from zwerm.daemon.rpc.body import Body, PartKind
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, RawStream, argument, command, file_argument, flag, option

if TYPE_CHECKING:
    from zwerm.ipfs.ipld.resolve import Resolution
    from zwerm.multiformats.cid import CID

_REPORT_EVERY = 4 << 20  # bytes between two progress items


def link(context: Context, cid: CID) -> dict[str, str]:
    """A CID in JSON, as Go writes it."""
    return {"/": context.text(cid)}


@command(
    "dag/get",
    "Write a value of linked data",
    arguments=[argument("ref", "Address and path of the value.", stdin=True)],
    options=[option("output-codec", text="Codec to write it in.", default="dag-json")],
)
async def dag_get(context: Context, ref: str, output_codec: str = "dag-json") -> RawStream:
    from zwerm.core.escaped import legible_value
    from zwerm.daemon.rpc.hashing import codec_code
    from zwerm.ipfs.ipld import codec
    from zwerm.ipfs.ipld.dag_pb import PBNode
    from zwerm.ipfs.ipld.resolve import read_value
    from zwerm.multiformats import multicodec

    code = codec_code(output_codec)
    found = await _resolve(context, ref)
    value = await read_value(context.node.source, found)
    if code in (multicodec.DAG_JSON, multicodec.JSON):
        # links of a folder may have names that are no UTF-8
        value = legible_value(value.to_data_model() if isinstance(value, PBNode) else value)
    data = codec.encode(code, value)

    async def once() -> AsyncGenerator[bytes, None]:
        yield data

    return RawStream(once(), len(data))


@command(
    "dag/resolve",
    "Follow a path to the block it ends in",
    arguments=[argument("ref", "The path.", stdin=True)],
)
async def dag_resolve(context: Context, ref: str) -> dict[str, Any]:
    found = await _resolve(context, ref)
    return {"Cid": link(context, found.cid), "RemPath": "/".join(found.remainder)}


async def _resolve(context: Context, ref: str) -> Resolution:
    from zwerm.ipfs.ipld.resolve import resolve

    return await resolve(context.node.source, await context.content_path(ref))


@command(
    "dag/put",
    "Store values as linked data",
    arguments=[file_argument("object data", "Files that become a value each.", variadic=True)],
    options=[
        option("store-codec", text="Codec to store them in.", default="dag-cbor"),
        option("input-codec", text="Codec they are written in.", default="dag-json"),
        flag("pin", text="Keep them."),
        option("hash", text="Hash function."),
        ALLOW_BIG_BLOCK,
    ],
)
async def dag_put(
    context: Context,
    body: Body,
    store_codec: str = "dag-cbor",
    input_codec: str = "dag-json",
    pin: bool = False,
    hash_: str = "",
    allow_big_block: bool = False,  # noqa: ARG001
) -> AsyncIterator[dict[str, Any]]:
    """Store each part durably, then tell its CID."""
    from zwerm.daemon.rpc.hashing import codec_code, hash_code, make_block
    from zwerm.ipfs.block import MAX_BLOCK
    from zwerm.ipfs.ipld import codec
    from zwerm.ipfs.ipld.dag_pb import PBNode
    from zwerm.multiformats import multicodec

    given, stored, function = codec_code(input_codec), codec_code(store_codec), hash_code(context, hash_)
    node = context.node
    async for part in body.parts():
        if part.kind is not PartKind.FILE:
            raise CommandError(f"{part.name or 'a part'} is a folder, expected files")
        value = codec.decode(given, await part.read(2 * MAX_BLOCK))
        if stored == multicodec.DAG_PB and not isinstance(value, PBNode):
            value = PBNode.from_data_model(value)
        block = make_block(codec.encode(stored, value), stored, function)
        with node.store.hold():
            await asyncio.to_thread(node.store.put, [block])
            await asyncio.to_thread(node.store.sync)
            if pin:
                await node.pins.add(node.source, block.cid, recursive=True)
        yield {"Cid": link(context, block.cid)}


@command(
    "dag/stat",
    "Show the size of everything below an address",
    arguments=[argument("root", "Where to start.", variadic=True, stdin=True)],
    options=[flag("progress", "p", text="Say how far it is, now and then.", default=True)],
)
async def dag_stat(context: Context, root: Sequence[str], progress: bool = True) -> AsyncIterator[dict[str, Any]]:
    """Count the blocks of each root and of all together, each block once."""
    from zwerm.ipfs.ipld.traverse import walk

    stats: list[dict[str, Any]] = []
    seen: set[CID] = set()
    unique = total = redundant = reported = 0
    for text in root:
        cid = await context.resolve(text)
        stats.append({"Cid": context.text(cid), "Size": 0, "NumBlocks": 0})
        async for block, data in walk(context.node.source, [cid]):
            stats[-1]["Size"] += len(data)
            stats[-1]["NumBlocks"] += 1
            redundant += len(data)
            if block not in seen:
                seen.add(block)
                unique += 1
                total += len(data)
            if progress and redundant - reported >= _REPORT_EVERY:
                reported = redundant
                yield _summary(stats, unique, total, redundant)
    yield _summary(stats, unique, total, redundant)


def _summary(stats: list[dict[str, Any]], unique: int, total: int, redundant: int) -> dict[str, Any]:
    return {
        "UniqueBlocks": unique,
        "TotalSize": total,
        "SharedSize": redundant - total,
        "Ratio": redundant / total if total else 1.0,
        "DagStats": [dict(row) for row in stats],
    }
