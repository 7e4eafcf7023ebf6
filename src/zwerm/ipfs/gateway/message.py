"""What goes into the gateway and what comes out: requests and responses without an HTTP server.

Header names are lower case in requests and in their usual spelling in responses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TypeAlias

from zwerm.ipfs.unixfs.reader import File


@dataclasses.dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One GET or HEAD as it arrived. Nothing in it is trusted."""

    method: str
    path: str  # percent-encoded, as on the request line, without the query
    query: str = ""  # without the question mark
    host: str = ""  # the Host header, port included
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)  # names in lower case
    scheme: str = "http"  # how the client reached us; a trusted proxy may say https


@dataclasses.dataclass(frozen=True, slots=True)
class FileRange:
    """A run of bytes of an open file. A server may send it from the disk itself; `stream` works everywhere."""

    file: File
    start: int  # first byte
    end: int  # one past the last byte

    def stream(self) -> AsyncIterator[bytes]:
        return self.file.stream(self.start, self.end)


Body: TypeAlias = bytes | FileRange | AsyncIterator[bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class GatewayResponse:
    """What to send. `length` is None when only the end of the stream tells it.

    An exception out of a streamed body means that the content broke off: the server must cut the connection, so that
    the client does not take the part for the whole.
    """

    status: HTTPStatus
    headers: dict[str, str]
    body: Body = b""
    length: int | None = None  # bytes of the body, also when HEAD leaves it out
