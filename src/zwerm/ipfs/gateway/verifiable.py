"""Answers that the client verifies by itself: blocks, CARs, IPNS records (Trustless Gateway specification)."""

from __future__ import annotations

import contextlib
import hashlib
from http import HTTPStatus
from typing import Final

from zwerm.core.errors import WireError
from zwerm.ipfs.car import writer
from zwerm.ipfs.car.scope import DagScope, select
from zwerm.ipfs.gateway import caching
from zwerm.ipfs.gateway.deserialized import locate, not_modified, ranged
from zwerm.ipfs.gateway.disposition import content_disposition
from zwerm.ipfs.gateway.formats import Format, Wish
from zwerm.ipfs.gateway.message import GatewayRequest, GatewayResponse
from zwerm.ipfs.gateway.ranges import EntityBytes
from zwerm.ipfs.gateway.target import Target
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.errors import NotAFile, NotUnixFS
from zwerm.ipfs.unixfs.reader import open_file

FORMATS: Final = frozenset({Format.RAW, Format.CAR})


async def respond(source: BlockSource, target: Target, wish: Wish) -> GatewayResponse:
    """Answer with the block or the CAR; BlockNotFound when the first block is not to be had."""
    if wish.format is Format.RAW:
        return await _raw(source, target)
    return await _car(source, target, wish)


async def _raw(source: BlockSource, target: Target) -> GatewayResponse:
    etag = f'"{target.cid}.raw"'
    headers = target.headers() | {"Content-Type": Format.RAW.media_type, "Etag": etag, "Accept-Ranges": "bytes"}
    locate(target, headers, Format.RAW)
    headers["Content-Disposition"] = content_disposition(
        "attachment", target.parameter("filename") or f"{target.cid}.bin"
    )
    if caching.if_none_match(target.request.headers.get("if-none-match", ""), etag):
        return not_modified(headers)
    return ranged(target, headers, await source.get(target.cid))


_ORDERS: Final = frozenset({"dfs", "unk", ""})


async def _car(source: BlockSource, target: Target, wish: Wish) -> GatewayResponse:
    scope, entity = await _selection(source, target)
    version = target.parameter("car-version") or wish.parameters.get("version", "1")
    order = target.parameter("car-order") or wish.parameters.get("order", "dfs")
    repeats = target.parameter("car-dups") or wish.parameters.get("dups", "n")
    if version != "1" or order not in _ORDERS or repeats not in {"y", "n", ""}:
        raise WireError(
            f"CAR version={version[:8]} order={order[:8]} dups={repeats[:8]}, expected 1, dfs or unk, y or n"
        )
    repeats = repeats or "n"
    suffix = "".join((f".{scope.value}", f".{entity.first}-{entity.last}" if entity else "", f".{repeats}"))
    headers = target.headers() | {
        "Content-Type": f"{Format.CAR.media_type}; version=1; order=dfs; dups={repeats}",
        "Etag": f'W/"{target.cid}.car{suffix}"',
        "Accept-Ranges": "none",
    }
    locate(target, headers, Format.CAR)
    name = target.parameter("filename") or f"{target.roots[0]}.car"
    headers["Content-Disposition"] = content_disposition("attachment", name)
    if caching.if_none_match(target.request.headers.get("if-none-match", ""), headers["Etag"]):
        return not_modified(headers)
    await source.get(target.cid)  # a missing root is a 404; what is missing below it breaks the stream off
    repeated = repeats == "y"
    blocks = select(source, target.content, scope=scope, entity=entity, repeats=repeated)
    body = writer.write([target.roots[0]], blocks, repeats=repeated)
    return GatewayResponse(HTTPStatus.OK, headers, b"" if target.request.method == "HEAD" else body, None)


async def _selection(source: BlockSource, target: Target) -> tuple[DagScope, EntityBytes | None]:
    """Read `dag-scope` and `entity-bytes`; WireError when they say nothing that can be given."""
    text = target.parameter("dag-scope")
    try:
        scope = DagScope(text) if text is not None else DagScope.ALL
    except ValueError:
        raise WireError(f"dag-scope {text[:32] if text else text!r}, expected block, entity or all") from None
    wanted = target.parameter("entity-bytes")
    if wanted is None:
        return scope, None
    entity = EntityBytes.parse(wanted)
    with contextlib.suppress(NotAFile, NotUnixFS):  # the parameter means nothing for what is no run of bytes
        file = await open_file(source, target.cid)
        part = entity.resolve(file.size)
        if file.size and part.start >= file.size:
            raise WireError(f"entity-bytes {wanted[:64]!r} lies outside the {file.size} bytes of {target.cid}")
    return DagScope.ENTITY if text is None else scope, entity


def record_response(
    asked: ContentPath, named: ResolvedName, request: GatewayRequest, filename: str | None = None
) -> GatewayResponse:
    """Give the signed record behind `/ipns/KEY`."""
    record = named.record or b""
    headers = {
        "Content-Type": Format.IPNS_RECORD.media_type,
        "Content-Disposition": content_disposition("attachment", filename or f"{asked.root}.ipns-record"),
        "Etag": f'"{hashlib.sha256(record).hexdigest()[:32]}"',
        "X-Ipfs-Path": str(asked),
    }
    lifetime = caching.max_age(named.time_to_live)
    if lifetime is not None:
        headers["Cache-Control"] = lifetime
    if caching.if_none_match(request.headers.get("if-none-match", ""), headers["Etag"]):
        return not_modified(headers)
    return GatewayResponse(HTTPStatus.OK, headers, b"" if request.method == "HEAD" else record, len(record))
