"""`explore/*`: any CID or path as what it is: a block, its links, its bytes, and what hangs below it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any, Final

from zwerm.core.errors import WireError, ZwermError
from zwerm.core.escaped import from_portable
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Reply, Request, route
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld import codec, dag_json
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.reader import stat_block
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID
from zwerm.node.paths import content_path

MAX_VALUE: Final = 65_536  # bytes of a block whose value is shown as JSON
MAX_BYTES: Final = 65_536  # bytes of a block shown at once
MAX_NODES: Final = 1000  # nodes of an outline
MAX_DEPTH: Final = 16  # levels of an outline
MAX_CHILDREN: Final = 50  # links of one node that an outline follows


@route("GET", "explore")
async def explore(request: Request) -> dict[str, Any]:
    """Describe what a path ends at."""
    from zwerm.ipfs.ipld.resolve import resolve

    node = request.node
    text = from_portable(request.text("path"))
    try:
        content = await content_path(node, text)
    except WireError as error:
        raise AppError("bad-cid", str(error), text[:200]) from None
    resolution = await resolve(node.source, content)
    cid = resolution.cid
    data = await node.source.get(cid)
    links = _links(cid, data)
    limit, start = request.limit(), _start(request)
    shown = links[start : start + limit]
    here = await asyncio.gather(*(node.source.has(link) for _, link, _ in shown))
    pin = await node.pins.check(cid)
    return {
        **_names(cid),
        **_kind(cid, data),
        "size": len(data),
        "remainder": "/".join(resolution.remainder) or None,
        "value": _value(cid, data),
        "links": [
            {"name": name, "cid": str(link), "size": size, "here": present}
            for (name, link, size), present in zip(shown, here, strict=True)
        ],
        "links_total": len(links),
        "next": str(start + limit) if start + limit < len(links) else None,
        "pinned": pin.kind.value if pin else None,
    }


@route("GET", "explore/bytes")
async def block_bytes(request: Request) -> Reply:
    """Give bytes of one block."""
    data = await request.node.source.get(request.cid())
    offset = request.number("offset", 0, 0, len(data))
    length = request.number("length", 4096, 0, MAX_BYTES)
    return Reply(
        data[offset : offset + length],
        content_type="application/octet-stream",
        headers={"X-Zwerm-Size": str(len(data))},
    )


@route("GET", "explore/outline")
async def outline(request: Request) -> dict[str, Any]:
    """Draw the top of a DAG, level by level."""
    source = request.node.source
    most = request.number("nodes", 300, 1, MAX_NODES)
    depth = request.number("depth", 4, 0, MAX_DEPTH)
    root = request.cid()
    nodes: list[dict[str, Any]] = []
    edges: list[tuple[int, int]] = []
    numbers: dict[CID, int] = {}
    waiting: deque[tuple[CID, str, int, int | None]] = deque([(root, "", 0, None)])
    truncated = False
    while waiting:
        cid, name, level, parent = waiting.popleft()
        known = numbers.get(cid)
        if known is not None:
            if parent is not None:
                edges.append((parent, known))
            continue
        if len(nodes) >= most:
            truncated = True
            break
        number = numbers[cid] = len(nodes)
        if parent is not None:
            edges.append((parent, number))
        try:
            data = await source.get(cid)
        except BlockNotFound:
            if not nodes:
                raise
            nodes.append(_outlined(cid, name, level, None, 0))
            continue
        links = _links(cid, data)
        nodes.append(_outlined(cid, name, level, data, len(links)))
        if level == depth:
            truncated = truncated or bool(links)
            continue
        truncated = truncated or len(links) > MAX_CHILDREN
        waiting.extend((link, below, level + 1, number) for below, link, _ in links[:MAX_CHILDREN])
    return {"nodes": nodes, "edges": edges, "truncated": truncated}


def _outlined(cid: CID, name: str, level: int, data: bytes | None, children: int) -> dict[str, Any]:
    return {
        "cid": str(cid),
        "name": name,
        "kind": _kind(cid, data)["kind"] if data is not None else "node",
        "codec": multicodec.codec_name(cid.codec),
        "size": len(data) if data is not None else None,
        "depth": level,
        "children": children,
        "here": data is not None,
    }


def _names(cid: CID) -> dict[str, Any]:
    try:
        version_0 = str(cid.to_v0())
    except ZwermError:
        version_0 = None
    code = cid.hash_code
    return {
        "cid": str(cid),
        "cid_v0": version_0,
        "cid_v1": str(cid.to_v1()),
        "version": cid.version,
        "codec": multicodec.codec_name(cid.codec),
        "hash": multihash.FUNCTION_NAMES.get(code, f"0x{code:x}"),
        "digest": cid.digest.hex(),
    }


def _kind(cid: CID, data: bytes) -> dict[str, Any]:
    """Say what a block is to a person."""
    nothing = {"content_size": None, "total_size": None}
    if cid.codec == multicodec.RAW:
        return {"kind": "raw", "content_size": len(data), "total_size": len(data)}
    try:
        found = stat_block(cid, data)
    except (NotUnixFS, WireError):
        return {"kind": "node", **nothing}
    return {
        "kind": "hamt" if found.sharded else found.kind.value,
        "content_size": found.size,
        "total_size": found.total_size,
    }


def _links(cid: CID, data: bytes) -> list[tuple[str, CID, int | None]]:
    """Return name, CID and size of every link of a block; nothing for a codec that is not known."""
    if cid.codec == multicodec.DAG_PB:
        return [(link.name or "", link.cid, link.size) for link in PBNode.parse(data).links]
    if not codec.known(cid.codec):
        return []
    return _links_of(codec.decode(cid.codec, data), "")


def _links_of(value: Any, path: str) -> list[tuple[str, CID, int | None]]:
    found: list[tuple[str, CID, int | None]] = []
    waiting = [(path, value)]
    while waiting:
        where, item = waiting.pop()
        if isinstance(item, CID):
            found.append((where, item, None))
        elif isinstance(item, dict):
            waiting += [(f"{where}/{key}".lstrip("/"), below) for key, below in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(f"{where}/{key}".lstrip("/"), below) for key, below in reversed(list(enumerate(item)))]
    return found


def _value(cid: CID, data: bytes) -> Any:
    """Return a block as the document it is, in dag-json's form."""
    if cid.codec in (multicodec.RAW, multicodec.DAG_PB) or len(data) > MAX_VALUE or not codec.known(cid.codec):
        return None
    return json.loads(dag_json.encode(codec.decode(cid.codec, data)))


def _start(request: Request) -> int:
    return request.number("after", 0, 0, 10_000_000)
