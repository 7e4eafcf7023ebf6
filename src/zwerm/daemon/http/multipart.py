"""`multipart/form-data` as a machine: bytes in, events out (RFC 7578, RFC 2046 section 5.1.1).

A body of any length passes through in constant memory: part data comes out as slices of what went in, and at most one
delimiter's worth of bytes is kept back between two calls. Headers and everything between parts are bounded.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from zwerm.core.errors import WireError

MAX_BOUNDARY: Final = 70  # characters (RFC 2046 section 5.1.1)
MAX_HEADERS: Final = 16_384  # bytes of one part's headers; names of deep folders are long
MAX_PREAMBLE: Final = 4_096  # bytes before the first delimiter, and after one up to its line end

_PARAMETER: Final = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


class PartBegin(NamedTuple):
    """Headers of a part; names in lower case."""

    headers: dict[str, str]


class PartData(NamedTuple):
    """Bytes of the part that began last."""

    data: bytes


class PartEnd(NamedTuple):
    """The part is whole."""


Event: TypeAlias = PartBegin | PartData | PartEnd

PART_END: Final = PartEnd()


class _State(enum.Enum):
    PREAMBLE = enum.auto()  # before the first delimiter
    DELIMITER = enum.auto()  # behind a delimiter: `--`, or white space and a line end
    HEADERS = enum.auto()
    DATA = enum.auto()
    EPILOGUE = enum.auto()  # behind the last delimiter: ignored


class MultipartParser:
    """One body. Feed it with `receive_data`, then call `receive_eof` once."""

    def __init__(self, boundary: str) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
            raise WireError(f"multipart boundary of {len(boundary)} characters, expected 1 to {MAX_BOUNDARY}")
        self._delimiter = b"\r\n--" + boundary.encode()
        self._kept = b"\r\n"  # the first delimiter may stand at the very beginning, without a line end before it
        self._state = _State.PREAMBLE
        self._skipped = 0  # bytes of preamble

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body.

        Raises:
            WireError: they are not multipart, or a limit is passed; the parser is spent.
        """
        events: list[Event] = []
        data = self._kept + data if self._kept else data
        position: int | None = 0
        start = 0
        while position is not None:
            start = position
            position = self._step(data, start, events)
        self._kept = data[self._keep_from(data, start, events) :]
        return events

    def receive_eof(self) -> None:
        """Say that the body ended.

        Raises:
            WireError: in the middle.
        """
        if self._state is not _State.EPILOGUE:
            raise WireError("the multipart body ends before its last boundary")

    def _step(self, data: bytes, start: int, events: list[Event]) -> int | None:
        """Go on from `start`; return where to go on, or None when more bytes are needed."""
        match self._state:
            case _State.DATA:
                return self._data(data, start, events)
            case _State.HEADERS:
                return self._headers(data, start, events)
            case _State.DELIMITER:
                return self._after_delimiter(data, start)
            case _State.PREAMBLE:
                found = data.find(self._delimiter, start)
                if found < 0:
                    return None
                self._state = _State.DELIMITER
                return found + len(self._delimiter)
            case _State.EPILOGUE:
                return None

    def _data(self, data: bytes, start: int, events: list[Event]) -> int | None:
        found = data.find(self._delimiter, start)
        if found < 0:
            return None
        if found > start:
            events.append(PartData(data[start:found]))
        events.append(PART_END)
        self._state = _State.DELIMITER
        return found + len(self._delimiter)

    def _headers(self, data: bytes, start: int, events: list[Event]) -> int | None:
        if data.startswith(b"\r\n", start):
            end, after = start, start + 2
        else:
            end = data.find(b"\r\n\r\n", start)
            after = end + 4
        if max(end, len(data) if end < 0 else 0) - start > MAX_HEADERS:
            raise WireError(f"multipart headers of more than {MAX_HEADERS} bytes")
        if end < 0:
            return None
        dashes = self._delimiter[2:]  # behind an empty part, when its line end was that of the headers
        if len(data) - after < len(dashes) and dashes.startswith(data[after:]):
            return None
        events.append(PartBegin(_parse_headers(data[start:end])))
        if data.startswith(dashes, after):
            events.append(PART_END)
            self._state = _State.DELIMITER
            return after + len(dashes)
        self._state = _State.DATA
        return after

    def _after_delimiter(self, data: bytes, start: int) -> int | None:
        if len(data) - start < 2:
            return None
        if data.startswith(b"--", start):
            self._state = _State.EPILOGUE
            return None
        end = data.find(b"\r\n", start)
        if (end if end >= 0 else len(data)) - start > MAX_PREAMBLE:
            raise WireError("a multipart delimiter without a line end")
        if end < 0:
            return None
        if data[start:end].strip(b" \t"):
            raise WireError(f"{data[start : start + 32]!r} after a multipart delimiter, expected a line end")
        self._state = _State.HEADERS
        return end + 2

    def _keep_from(self, data: bytes, start: int, events: list[Event]) -> int:
        """Return where the bytes begin that wait for more; part data before them is passed on."""
        if self._state is _State.EPILOGUE:
            return len(data)
        if self._state is _State.PREAMBLE:
            keep = max(start, len(data) - len(self._delimiter) + 1)
            self._skipped += keep - start
            if self._skipped > MAX_PREAMBLE:
                raise WireError("no multipart boundary at the beginning of the body")
            return keep
        if self._state is not _State.DATA:
            return start
        keep = self._possible_delimiter(data, start)
        if keep > start:
            events.append(PartData(data[start:keep]))
        return keep

    def _possible_delimiter(self, data: bytes, start: int) -> int:
        """Return where the last bytes could be the beginning of a delimiter, or the length of `data`."""
        position = max(start, len(data) - len(self._delimiter) + 1)
        while (position := data.find(b"\r", position)) >= 0:
            if self._delimiter.startswith(data[position:]):
                return position
            position += 1
        return len(data)


def boundary_of(content_type: str) -> str | None:
    """Return the boundary of a `multipart/form-data` Content-Type; None for any other type.

    Raises:
        WireError: multipart without a boundary.
    """
    media_type, _ = split_parameters(content_type)
    if media_type != "multipart/form-data":
        return None
    boundary = split_parameters(content_type)[1].get("boundary")
    if not boundary:
        raise WireError("multipart/form-data without a boundary")
    return boundary


def split_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a header value like `form-data; name="a"` into its first word and its parameters, in lower case.

    A parameter in the extended form (`filename*=UTF-8''...`, RFC 8187) takes the place of the plain one.
    """
    first, _, _ = value.partition(";")
    parameters: dict[str, str] = {}
    extended: dict[str, str] = {}
    for match in _PARAMETER.finditer(value, len(first)):
        name = match[1].lower()
        text = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        if name.endswith("*"):
            charset, _, rest = text.partition("'")
            encoded = rest.partition("'")[2]
            if charset.lower() == "utf-8" and encoded:
                extended[name[:-1]] = unquote(encoded)
        else:
            parameters.setdefault(name, text)
    return first.strip().lower(), parameters | extended


def _parse_headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\r\n"):
        name, colon, value = line.partition(":")
        if not line:
            continue
        if not colon or not name or name != name.strip():
            raise WireError(f"multipart header {line[:64]!r}, expected `name: value`")
        headers.setdefault(name.lower(), value.strip())
    return headers
