"""`refs`, `refs/local` and `resolve`: where links lead (Kubo, "RPC API", `/api/v0/refs`)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.registry import Context, OptionKind, argument, command, flag, option
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_TURNS: Final = 1_000  # links looked at before others get their turn


@command(
    "refs",
    "List what a block links to",
    arguments=[argument("ipfs-path", "Where to start.", variadic=True, stdin=True)],
    options=[
        option("format", text="How a link is written: <src> <dst> <linkname>.", default="<dst>"),
        flag("edges", "e", text="Write both ends: `from -> to`."),
        flag("unique", "u", text="List each address once."),
        flag("recursive", "r", text="Follow the links of links."),
        option("max-depth", kind=OptionKind.INT, text="With -r: not further than so many links; -1 all.", default=-1),
    ],
)
async def refs(
    context: Context,
    ipfs_path: Sequence[str],
    format_: str = "<dst>",
    edges: bool = False,
    unique: bool = False,
    recursive: bool = False,
    max_depth: int = -1,
) -> AsyncIterator[dict[str, Any]]:
    """Yield links, parents before children; a block that is not here ends its root with an `Err`."""
    if edges:
        if format_ != "<dst>":
            raise UsageError("--edges and --format cannot be given together")
        format_ = "<src> -> <dst>"
    roots = [await context.resolve(path) for path in ipfs_path]
    seen: dict[CID, int] = {}
    for root in roots:
        try:
            async for source, target, name in _edges(context, root, max_depth if recursive else 1, seen, unique):
                text = format_.replace("<src>", context.text(source)).replace("<dst>", context.text(target))
                yield {"Ref": text.replace("<linkname>", name), "Err": ""}
        except ZwermError as error:
            yield {"Ref": "", "Err": str(error)}


async def _edges(
    context: Context, root: CID, max_depth: int, seen: dict[CID, int], unique: bool
) -> AsyncIterator[tuple[CID, CID, str]]:
    """Walk depth first; with `unique` a block is listed once, and followed again only from nearer to the root."""
    stack = [(root, iter(await _named_links(context, root)))]
    for turn in itertools.count():
        if not stack:
            return
        if turn % _TURNS == 0:
            await asyncio.sleep(0)
        source, links = stack[-1]
        step = next(links, None)
        if step is None:
            stack.pop()
            continue
        target, name = step
        depth = len(stack)
        if unique:
            before = seen.get(target)
            if before is not None and (max_depth < 0 or before <= depth):
                continue
            seen[target] = depth
            if before is None:
                yield source, target, name
        else:
            yield source, target, name
        if (max_depth < 0 or depth < max_depth) and target.codec != multicodec.RAW:
            stack.append((target, iter(await _named_links(context, target))))


async def _named_links(context: Context, cid: CID) -> list[tuple[CID, str]]:
    from zwerm.ipfs.ipld.dag_pb import PBNode
    from zwerm.ipfs.ipld.traverse import links_of, load

    data = await load(context.node.source, cid)
    if cid.codec == multicodec.DAG_PB:
        return [(link.cid, link.name or "") for link in PBNode.parse(data).links]
    return [(link, "") for link in links_of(cid, data)]


@command("refs/local", "List every block that is here")
async def refs_local(context: Context) -> AsyncIterator[dict[str, Any]]:
    """Yield each block as a raw CID, since the store knows them by hash only."""
    for multihash in context.node.store.multihashes():
        yield {"Ref": context.text(CID(1, multicodec.RAW, multihash)), "Err": ""}


@command(
    "resolve",
    "Follow a path to its address",
    arguments=[argument("name", "The path.", stdin=True)],
    options=[
        flag("recursive", "r", text="Follow names of names too.", default=True),
        option("dht-record-count", "dhtrc", kind=OptionKind.UINT, text="Accepted as Kubo does; not used yet."),
        option("dht-timeout", "dhtt", text="Accepted as Kubo does; not used yet."),
    ],
)
async def resolve(
    context: Context,
    name: str,
    recursive: bool = True,
    dht_record_count: int = 0,  # noqa: ARG001
    dht_timeout: str = "",  # noqa: ARG001
) -> dict[str, Any]:
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.ipfs.ipld.resolve import resolve as follow

    if not recursive and name.startswith(("/ipns/", "ipns://")):
        asked = ContentPath.from_text(name)
        step = await context.node.names.step(asked.root, offline=context.offline)
        if step.path.namespace == "ipns":
            return {"Path": str(step.path.child(*asked.segments))}
    found = await follow(context.node.source, await context.content_path(name))
    return {"Path": "/".join(["/ipfs", context.text(found.cid), *found.remainder])}
