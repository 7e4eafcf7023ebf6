"""Answers that the client verifies by itself: blocks, CARs, IPNS records (Trustless Gateway specification)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from zwerm.core.errors import WireError
from zwerm.ipfs.gateway import caching
from zwerm.ipfs.gateway.deserialized import locate, not_modified
from zwerm.ipfs.gateway.disposition import content_disposition
from zwerm.ipfs.gateway.formats import Format, Wish
from zwerm.ipfs.gateway.message import GatewayRequest, GatewayResponse
from zwerm.ipfs.gateway.ranges import EntityBytes, parse_range
from zwerm.ipfs.gateway.target import Target
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.ipfs.source import BlockSource

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
    data = await source.get(target.cid)
    status, body = HTTPStatus.OK, data
    ranges = parse_range(target.request.headers.get("range", ""), len(data))
    if ranges and len(ranges) == 1 and caching.if_range(target.request.headers.get("if-range", ""), etag):
        status, body = HTTPStatus.PARTIAL_CONTENT, data[ranges[0].start : ranges[0].end]
        headers["Content-Range"] = f"bytes {ranges[0].start}-{ranges[0].end - 1}/{len(data)}"
    return GatewayResponse(status, headers, b"" if target.request.method == "HEAD" else body, len(body))
