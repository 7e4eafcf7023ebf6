"""Static files of the web app: an ETag for each, gzip where it helps, read once and again when they change on disk."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from zwerm.daemon.http.exchange import Exchange

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED: Final = frozenset((".png", ".woff2", ".ico"))
_WORTH_IT: Final = 1024  # bytes below which gzip only costs


class _File(NamedTuple):
    """A file as it is sent."""

    changed: tuple[int, int]  # modification time in nanoseconds, and size
    etag: str
    media_type: str
    plain: bytes
    gzipped: bytes | None


class StaticFiles:
    """The files below one folder. Only known types are served; a name that begins with a dot never is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}

    async def answer(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        """Answer GET or HEAD for one file; `/` is `index.html`."""
        if exchange.method not in ("GET", "HEAD"):
            await exchange.send(405, {**headers, "Allow": "GET, HEAD"})
            return
        file = await asyncio.to_thread(self._find, unquote(exchange.raw_path))
        if file is None:
            body = b"nothing is here; the web app begins at /\n"
            await exchange.send(404, {**headers, "Content-Type": "text/plain; charset=utf-8"}, body)
            return
        fields = {**headers, "ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if file.etag in [
            tag.strip().removeprefix("W/") for tag in exchange.headers.get("If-None-Match", "").split(",")
        ]:
            await exchange.send(304, fields)
            return
        fields["Content-Type"] = file.media_type
        body = file.plain
        if file.gzipped is not None and "gzip" in exchange.headers.get("Accept-Encoding", ""):
            fields["Content-Encoding"] = "gzip"
            body = file.gzipped
        await exchange.send(200, fields, body)

    def _find(self, path: str) -> _File | None:
        name = path.removeprefix("/") or "index.html"
        if any(part in ("", "..") or part.startswith(".") for part in name.split("/")) or "\0" in name or "\\" in name:
            return None
        media_type = _TYPES.get(os.path.splitext(name)[1])
        if media_type is None:
            return None
        where = self._folder / name
        try:
            status = where.stat()
            changed = (status.st_mtime_ns, status.st_size)
            known = self._files.get(name)
            if known is not None and known.changed == changed:
                return known
            data = where.read_bytes()
        except OSError:
            return None
        file = _load(data, media_type, changed, worth_it=os.path.splitext(name)[1] not in _COMPRESSED)
        self._files[name] = file
        return file


def _load(data: bytes, media_type: str, changed: tuple[int, int], *, worth_it: bool) -> _File:
    gzipped = gzip.compress(data, 6, mtime=0) if worth_it and len(data) >= _WORTH_IT else None
    return _File(changed, f'"{hashlib.sha256(data).hexdigest()[:32]}"', media_type, data, gzipped)
