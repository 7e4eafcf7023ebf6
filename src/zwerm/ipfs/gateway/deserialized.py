"""Answers that show content as what it is: files, directories, structured blocks (Path Gateway, "Response Payload")."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.gateway import caching, content_type, pages
from zwerm.ipfs.gateway.disposition import content_disposition
from zwerm.ipfs.gateway.formats import Format, Wish
from zwerm.ipfs.gateway.message import Body, FileRange, GatewayResponse
from zwerm.ipfs.gateway.ranges import ByteRange, parse_range
from zwerm.ipfs.gateway.target import Target
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import PathNotFound, resolve
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs import directory, export
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.reader import File, open_file, stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_JSON_CHECK: Final = 16 * 1024 * 1024  # bytes of a file that is looked through when it is asked for as JSON
PAGE: Final = 500  # entries on one page of a listing

_UNIXFS: Final = frozenset({multicodec.RAW, multicodec.DAG_PB})
_NODES: Final = {
    multicodec.DAG_JSON: Format.DAG_JSON,
    multicodec.DAG_CBOR: Format.DAG_CBOR,
    multicodec.JSON: Format.JSON,
    multicodec.CBOR: Format.CBOR,
}
_FORMAT_CODECS: Final = {form: code for code, form in _NODES.items()}


async def respond(source: BlockSource, target: Target, wish: Wish) -> GatewayResponse:
    """Answer in the wished form, or as what the content is.

    Raises:
        WireError: the content is not what its codec says.
        BlockNotFound: a part of it that the answer needs now is not to be had.
    """
    if wish.format is Format.TAR:
        return await _tar(source, target)
    if wish.format is not None:
        return await _as_codec(source, target, wish.format)
    if target.cid.codec in _NODES:
        form = _NODES[target.cid.codec]
        if wish.html and form in {Format.DAG_JSON, Format.DAG_CBOR}:
            return await _node_page(source, target, form)
        return await _block(source, target, form)
    if target.cid.codec not in _UNIXFS:
        raise WireError(f"codec {multicodec.codec_name(target.cid.codec)} cannot be shown; ask for ?format=raw")
    found = await stat(source, target.cid)
    if found.kind is Kind.DIRECTORY:
        return await _directory(source, target)
    if found.kind is Kind.SYMLINK:
        text = (found.target or "").encode("utf-8", "surrogateescape")
        return _bytes(target, text, "inode/symlink", f'"{target.cid}"')
    return await _file(source, target, target.cid)


async def read_small(source: BlockSource, cid: CID, limit: int) -> bytes:
    """Read a whole file of at most `limit` bytes; ResourceLimitError when it is larger."""
    file = await open_file(source, cid)
    if file.size > limit:
        raise ResourceLimitError(f"file {cid} is {file.size} bytes, the limit is {limit}")
    return await file.read(0, file.size)


async def _file(source: BlockSource, target: Target, cid: CID, name: str | None = None) -> GatewayResponse:
    file = await open_file(source, cid)
    headers = target.headers()
    filename = target.parameter("filename") or name or (target.asked.name if target.asked.segments else "")
    media_type = content_type.from_name(filename)
    if media_type is None:
        media_type = content_type.from_bytes(await file.read(0, min(file.size, content_type.SNIFF_SIZE)))
    headers["Content-Type"] = media_type
    _dispose(target, headers)
    return _body(target, file, headers, f'"{cid}"')


def _body(target: Target, file: File, headers: dict[str, str], etag: str) -> GatewayResponse:
    """Send the file or the ranges of it that were asked for."""
    request = target.request
    headers["Accept-Ranges"] = "bytes"
    headers["Etag"] = etag
    if caching.if_none_match(request.headers.get("if-none-match", ""), etag):
        return not_modified(headers)
    size = file.size
    ranges = None
    if target.status == HTTPStatus.OK and caching.if_range(request.headers.get("if-range", ""), etag):
        ranges = parse_range(request.headers.get("range", ""), size)
    if ranges is None:
        return _finish(target, headers, FileRange(file, 0, size), size)
    if not ranges:
        return _unsatisfiable(target, size)
    if len(ranges) == 1:
        part = ranges[0]
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        return _finish(target, headers, FileRange(file, *part), part.size, HTTPStatus.PARTIAL_CONTENT)
    return _multipart(target, file, headers, ranges)


def _multipart(target: Target, file: File, headers: dict[str, str], ranges: list[ByteRange]) -> GatewayResponse:
    """Several ranges as multipart/byteranges (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(16)  # must not occur in the content, so nobody may foresee it
    media_type = headers["Content-Type"]
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n"
        f"Content-Range: bytes {part.start}-{part.end - 1}/{file.size}\r\n\r\n".encode()
        for part in ranges
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()

    async def parts() -> AsyncIterator[bytes]:
        for head, part in zip(heads, ranges, strict=True):
            before = head  # not sent until there is something to follow it: what fails first is still told by a status
            async for data in file.stream(part.start, part.end):
                yield before + data
                before = b""
        yield tail

    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    length = sum(map(len, heads)) + sum(part.size for part in ranges) + len(tail)
    return _finish(target, headers, parts(), length, HTTPStatus.PARTIAL_CONTENT)


async def _directory(source: BlockSource, target: Target) -> GatewayResponse:
    if not target.slash and (target.asked.segments or not target.isolated):
        location = target.request.path + "/" + (f"?{target.request.query}" if target.request.query else "")
        # "//host/" would be read as another host's address.
        location = "/" + location.lstrip("/")
        return GatewayResponse(HTTPStatus.MOVED_PERMANENTLY, target.headers() | {"Location": location})
    try:
        index = await resolve(source, ContentPath.of(target.cid, "index.html"))
    except PathNotFound:
        return await _listing(source, target)
    return await _file(source, target, index.cid, "index.html")


async def _listing(source: BlockSource, target: Target) -> GatewayResponse:
    headers = target.headers()
    headers["Content-Type"] = "text/html; charset=utf-8"
    if target.named is None:
        headers["Cache-Control"] = caching.MADE_PAGE
    etag = f'"DirIndex-zwerm-{pages.PAGES_VERSION}_CID-{target.cid}"'
    headers["Etag"] = etag
    if caching.if_none_match(target.request.headers.get("if-none-match", ""), etag):
        return not_modified(headers)

    if target.request.method == "HEAD":  # which is to cause no reading of shards
        return _finish(target, headers, b"", None)
    after, following = target.parameter("after"), None
    rows: list[pages.Row] = []
    async with contextlib.aclosing(directory.entries(source, target.cid, after=after)) as listing:
        async for entry in listing:
            if len(rows) == PAGE:
                following = rows[-1].name
                break
            is_directory = None if entry.cid.codec != multicodec.RAW else False
            rows.append(pages.Row(entry.name, str(entry.cid), entry.total_size, is_directory))
    head = pages.listing_head(str(target.asked), str(target.cid), parent=bool(target.asked.segments))
    page = head + pages.listing_rows(rows) + pages.listing_tail(len(rows), after=after, following=following)
    return ranged(target, headers, page.encode())


async def _as_codec(source: BlockSource, target: Target, form: Format) -> GatewayResponse:
    """An explicit json, cbor, dag-json or dag-cbor: the block when it is of that codec (IPIP-0524)."""
    if target.cid.codec == _FORMAT_CODECS[form]:
        return await _block(source, target, form)
    if form is Format.JSON and target.cid.codec in _UNIXFS:
        found = await stat(source, target.cid)
        if found.kind is Kind.FILE and found.size <= MAX_JSON_CHECK:
            data = await read_small(source, target.cid, MAX_JSON_CHECK)
            if _is_json(data):
                return _bytes(target, data, Format.JSON.media_type, f'"{target.cid}.json"')
    return _not_acceptable(target, form)


def _not_acceptable(target: Target, form: Format) -> GatewayResponse:
    name = multicodec.codec_name(target.cid.codec)
    text = f"{target.cid} is {name} and not {form.word}; ask for ?format=raw and convert it yourself\n".encode()
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return GatewayResponse(HTTPStatus.NOT_ACCEPTABLE, headers, text, len(text))


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


async def _block(source: BlockSource, target: Target, form: Format) -> GatewayResponse:
    data = await source.get(target.cid)
    return _bytes(target, data, form.media_type, f'"{target.cid}.{form.word}"')


async def _node_page(source: BlockSource, target: Target, form: Format) -> GatewayResponse:
    data = await source.get(target.cid)
    value = codec.decode(target.cid.codec, data)
    text = json.dumps(json.loads(codec.encode(multicodec.DAG_JSON, value)), indent=2, ensure_ascii=False)
    page = pages.node_page(str(target.asked), str(target.cid), form.word, text, form.word).encode()
    answer = _bytes(target, page, "text/html; charset=utf-8", f'"Node-zwerm-{pages.PAGES_VERSION}_CID-{target.cid}"')
    if target.named is None:
        answer.headers["Cache-Control"] = caching.MADE_PAGE
    return answer


async def _tar(source: BlockSource, target: Target) -> GatewayResponse:
    if target.cid.codec not in _UNIXFS:
        return _not_acceptable(target, Format.TAR)
    await stat(source, target.cid)  # what is wrong with the root should be a status, not a broken stream
    headers = target.headers() | {"Content-Type": Format.TAR.media_type, "Etag": f'W/"{target.cid}.x-tar"'}
    if caching.if_none_match(target.request.headers.get("if-none-match", ""), headers["Etag"]):
        return not_modified(headers)
    name = target.asked.name
    headers["Content-Disposition"] = content_disposition("attachment", target.parameter("filename") or f"{name}.tar")
    locate(target, headers, Format.TAR)
    return _finish(target, headers, export.tar(source, target.cid, name), None)


def _bytes(target: Target, data: bytes, media_type: str, etag: str) -> GatewayResponse:
    headers = target.headers() | {"Content-Type": media_type, "Etag": etag}
    if caching.if_none_match(target.request.headers.get("if-none-match", ""), etag):
        return not_modified(headers)
    _dispose(target, headers)
    return ranged(target, headers, data)


def ranged(target: Target, headers: dict[str, str], data: bytes) -> GatewayResponse:
    """Send what is in memory, or the one range of it that was asked for."""
    request = target.request
    ranges = None
    if target.status == HTTPStatus.OK and caching.if_range(request.headers.get("if-range", ""), headers["Etag"]):
        ranges = parse_range(request.headers.get("range", ""), len(data))
    if ranges == []:
        return _unsatisfiable(target, len(data))
    if ranges is None or len(ranges) > 1:
        return _finish(target, headers, data, len(data))
    part = ranges[0]
    headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{len(data)}"
    return _finish(target, headers, data[part.start : part.end], part.size, HTTPStatus.PARTIAL_CONTENT)


def _unsatisfiable(target: Target, size: int) -> GatewayResponse:
    headers = {"Content-Range": f"bytes */{size}", "Content-Type": "text/plain; charset=utf-8"}
    text = f"range {target.request.headers['range'][:80]!r} lies outside the {size} bytes\n".encode()
    return GatewayResponse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, text, len(text))


def _dispose(target: Target, headers: dict[str, str]) -> None:
    filename = target.parameter("filename") or ""
    if target.parameter("download") == "true":
        headers["Content-Disposition"] = content_disposition("attachment", filename or target.asked.name)
    elif filename:
        headers["Content-Disposition"] = content_disposition("inline", filename)


def locate(target: Target, headers: dict[str, str], form: Format) -> None:
    """Name the URL that gives this form without an Accept header, so that caches keep the forms apart."""
    if target.parameter("format") == form.word and "accept" not in target.request.headers:
        return
    others = "&".join(part for part in target.request.query.split("&") if part and not part.startswith("format="))
    headers["Content-Location"] = f"{target.request.path}?format={form.word}" + (f"&{others}" if others else "")


def not_modified(headers: dict[str, str]) -> GatewayResponse:
    """304 with what may have changed about the stored answer (RFC 9110 section 15.4.5)."""
    kept = {"Etag", "Cache-Control", "X-Ipfs-Path", "X-Ipfs-Roots", "Content-Location"}
    return GatewayResponse(HTTPStatus.NOT_MODIFIED, {name: value for name, value in headers.items() if name in kept})


def _finish(
    target: Target, headers: dict[str, str], body: Body, length: int | None, status: HTTPStatus = HTTPStatus.OK
) -> GatewayResponse:
    if status is HTTPStatus.OK:
        status = HTTPStatus(target.status)
    return GatewayResponse(status, headers, b"" if target.request.method == "HEAD" else body, length)
