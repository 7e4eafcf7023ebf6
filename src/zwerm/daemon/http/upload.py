"""A request's `multipart/form-data` as the upload that commands take: parts with streams of bytes.

What Kubo's clients put where: the file name is percent-encoded, the field's name carries `?mode=0644&mtime=...`, and
the part's type says whether it is a file, a directory or a symbolic link.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qs, unquote

from zwerm.core.errors import WireError
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.multipart import (
    Event,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    boundary_of,
    split_parameters,
)
from zwerm.daemon.http.transfer import Transfer
from zwerm.daemon.rpc.body import Part, PartKind

MAX_NAME: Final = 32_768  # characters of a file name, folders included

_KINDS: Final = {kind.value: kind for kind in PartKind}
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")  # whatever fits an int64 for certain


class Upload:
    """The parts of one request, in the order they were sent, read once."""

    def __init__(self, exchange: Exchange, boundary: str, transfer: Transfer | None = None) -> None:
        chunks = exchange.chunks()
        self._transfer = transfer
        self._chunks = transfer.counted(chunks) if transfer else chunks
        self._parser = MultipartParser(boundary)
        self._events: deque[Event] = deque()

    @classmethod
    def of(cls, exchange: Exchange, transfer: Transfer | None = None) -> Upload | None:
        """Return the upload of a request, or None when it has none; `transfer` is told of its progress.

        Raises:
            WireError: multipart without a usable boundary.
        """
        boundary = boundary_of(exchange.headers.get("Content-Type", ""))
        return None if boundary is None else cls(exchange, boundary, transfer)

    async def parts(self) -> AsyncGenerator[Part, None]:
        """Yield the parts; a `WireError` when the body breaks off or is no multipart."""
        while (event := await self._next()) is not None:
            if not isinstance(event, PartBegin):
                raise WireError("multipart data outside a part")  # the parser gives a begin first, always
            chunks = self._part_chunks()
            async with aclosing(chunks):
                part = _part(event.headers, chunks)
                if self._transfer is not None and part.name:
                    self._transfer.name = part.name
                yield part
                async for _ in chunks:  # what the reader left
                    pass

    async def _part_chunks(self) -> AsyncGenerator[bytes, None]:
        while True:
            event = await self._next()
            match event:
                case PartData(data):
                    yield data
                case PartEnd():
                    return
                case _:
                    raise WireError("the multipart body ends inside a part")

    async def _next(self) -> Event | None:
        while not self._events:
            data = await anext(self._chunks, None)
            if data is None:
                self._parser.receive_eof()
                return None
            self._events.extend(self._parser.receive_data(data))
        return self._events.popleft()


def _part(headers: dict[str, str], chunks: AsyncIterator[bytes]) -> Part:
    disposition, parameters = split_parameters(headers.get("content-disposition", ""))
    if disposition not in ("form-data", "file", "attachment"):
        raise WireError(f"multipart part with Content-Disposition {disposition[:32]!r}, expected form-data")
    media_type, _ = split_parameters(headers.get("content-type", ""))
    name = unquote(parameters.get("filename", ""), errors="surrogateescape")
    if len(name) > MAX_NAME:
        raise WireError(f"file name of {len(name)} characters, expected at most {MAX_NAME}")
    field, _, query = parameters.get("name", "").partition("?")
    fields = parse_qs(query) if query else {}
    return Part(
        name,
        chunks,
        kind=_KINDS.get(media_type, PartKind.FILE),
        field=field,
        mode=_number(fields, headers, "mode", 8),
        mtime=_mtime(fields, headers),
        absolute_path=unquote(headers["abspath"]) if "abspath" in headers else None,
        size=int(length) if _LENGTH.fullmatch(length := headers.get("content-length", "")) else None,
    )


def _number(fields: dict[str, list[str]], headers: dict[str, str], name: str, base: int) -> int | None:
    text = fields[name][0] if name in fields else headers.get(name, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise WireError(f"{name} is {text[:32]!r}, expected a number")
    try:
        return int(text, base)
    except ValueError:
        raise WireError(f"{name} is {text!r}, expected a number in base {base}") from None


def _mtime(fields: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, int] | None:
    seconds = _number(fields, headers, "mtime", 10)
    if seconds is None:
        return None
    nanoseconds = _number(fields, headers, "mtime-nsecs", 10) or 0
    if not 0 <= nanoseconds < 1_000_000_000:
        raise WireError(f"mtime-nsecs is {nanoseconds}, expected 0 to 999999999")
    return seconds, nanoseconds
