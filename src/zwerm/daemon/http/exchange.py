"""One HTTP request and the way to answer it (RFC 9110, RFC 9112).

aiohttp parses the request; the answer is written to the transport from here, so that a small one is a single write and
a stream may end with trailers. A handler answers in full before it returns, with `send` or with `start` and a
`Writer`; what is never answered, or breaks off, closes the connection, so that no client takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from aiohttp.client_exceptions import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError
from aiohttp.web_request import BaseRequest

from zwerm.core.errors import ResourceLimitError, WireError

if TYPE_CHECKING:
    from aiohttp.web_ws import WebSocketResponse

MAX_FIELDS: Final = 1000  # parameters in one query
JOINED: Final = 65_536  # bytes of a body that goes out in one write with its head
STALL: Final = 120.0  # seconds without a byte in either direction after which the client counts as gone
WRITE_BUFFER: Final = 262_144  # bytes of answer kept before the handler is made to wait
_TURNS: Final = 16  # pieces written before others get their turn

_REASONS: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_NO_BODY: Final = frozenset((204, 304))


class Answered:
    """What a handler gives aiohttp: everything was sent already."""

    __slots__ = ("keep_alive",)

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: object) -> None:
        """Nothing is left to send."""

    async def write_eof(self) -> None:
        """Nothing is left to end."""


KEEP: Final = Answered(keep_alive=True)
CLOSE: Final = Answered(keep_alive=False)


class Exchange:
    """A request, and its answer as far as it was given."""

    __slots__ = (
        "_answered",
        "_complete",
        "_is_upgraded",
        "_peer",
        "_query",
        "_request",
        "headers",
        "is_proxied",
        "method",
        "query_text",
        "raw_path",
        "scheme",
        "status",
    )

    def __init__(self, request: BaseRequest) -> None:
        self._request = request
        self._query: list[tuple[str, str]] | None = None
        self._answered = False
        self._complete = False
        self._is_upgraded = False
        self.method = request.method
        self.headers = request.headers  # names in any case
        path, _, self.query_text = request.raw_path.partition("?")
        if not path.startswith("/"):  # the absolute form of a proxy request (RFC 9112 section 3.2.2)
            path = "/" + path.partition("://")[2].partition("/")[2]
        self.raw_path = path  # percent-encoded
        self._peer: str | None = None
        self.is_proxied = False  # whether a trusted proxy passed it on
        transport = request.transport
        is_secure = transport is not None and transport.get_extra_info("sslcontext") is not None
        self.scheme = "https" if is_secure else "http"  # as the browser sees it
        self.status = 0  # of the answer; 0 before there is one

    @property
    def host(self) -> str:
        """The Host header; untrusted."""
        return self.headers.get("Host", "")

    @property
    def peer(self) -> str:
        """The IP address of whoever asks: the other end of the connection, or whom a trusted proxy names; empty when
        it is gone.
        """
        if self._peer is not None:
            return self._peer
        name = self._request.transport and self._request.transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    @peer.setter
    def peer(self, address: str) -> None:
        self._peer = address

    @property
    def transport(self) -> Any:
        """The connection; ConnectionResetError when the client has gone."""
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        return transport

    @property
    def is_cut(self) -> bool:
        """Whether nobody is there any more to take an answer."""
        transport = self._request.transport
        return transport is None or transport.is_closing()

    @property
    def is_answered(self) -> bool:
        """Whether the head of an answer was sent."""
        return self._answered

    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in order; bytes that are no UTF-8 as lone surrogates.

        Raises:
            ResourceLimitError: more than `MAX_FIELDS`.
        """
        if self._query is None:
            try:
                self._query = parse_qsl(
                    self.query_text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="surrogateescape"
                )
            except ValueError:
                raise ResourceLimitError(f"more than {MAX_FIELDS} query parameters") from None
        return self._query

    def parameter(self, name: str, default: str | None = None) -> str | None:
        """The last value of a query parameter."""
        return next((value for key, value in reversed(self.parameters()) if key == name), default)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the request's body as it comes.

        Raises:
            WireError: the client broke off.
        """
        content = self._request.content
        if self._waits_for_continue():
            # RFC 9110 section 10.1.1: whoever refuses the request answers without having read this far.
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            while True:
                async with asyncio.timeout(STALL):
                    data = await content.readany()
                if not data:
                    return
                yield data
        except TimeoutError:
            raise WireError(f"nothing came of the request's body for {STALL:.0f} seconds") from None
        except (ConnectionError, HttpProcessingError, RequestPayloadError, ClientError) as error:
            raise WireError("the request broke off before its body ended") from error

    def _waits_for_continue(self) -> bool:
        request = self._request
        expected = self.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1)
        return expected and not self._answered and not request.content.total_bytes

    async def body(self, limit: int) -> bytes:
        """Return the whole request body; a ResourceLimitError when it has more than `limit` bytes."""
        data = bytearray()
        async for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise ResourceLimitError(f"the request's body has more than {limit} bytes")
        return bytes(data)

    @property
    def has_body(self) -> bool:
        return self._request.body_exists

    def identity(self) -> tuple[object, ...]:
        """What makes another request the same as this one: method, target, version and every header."""
        request = self._request
        return request.method, request.raw_path, request.version, request.raw_headers

    async def send(
        self, status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> bytes:
        """Answer in full; return the bytes for `send_prepared`. To HEAD, the same head is sent without the body."""
        answer = self._head(status, headers, length=len(body))
        transport = self.transport
        if self.method != "HEAD" and status not in _NO_BODY:
            if len(body) <= JOINED:
                answer += body
            else:
                transport.write(answer)
                answer = body
        transport.write(answer)
        self._complete = True
        if len(answer) > JOINED:
            await self.drain()
        return answer

    async def send_head(
        self, status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]], length: int | None
    ) -> None:
        """Answer HEAD where the body that GET would get was not made; `length` is its size, if that is known."""
        head = self._head(status, headers, length=length)
        self.transport.write(head)
        self._complete = True

    async def send_prepared(self, status: int, answer: bytes) -> None:
        """Answer with a head and body that were put together before, by `serialize_head`."""
        self.status = status
        self._answered = self._complete = True
        self.transport.write(answer)

    async def start(
        self,
        status: int,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        length: int | None = None,
        trailers: tuple[str, ...] = (),
    ) -> Writer:
        """Send the head of an answer whose body follows in pieces.

        Without `length` the body is chunked, and for HTTP/1.0 ends with the connection.
        """
        chunked = length is None and self._request.version >= (1, 1)
        more: list[tuple[str, str]] = []
        if chunked:
            more.append(("Transfer-Encoding", "chunked"))
            if trailers:
                more.append(("Trailer", ", ".join(trailers)))
        close = length is None and not chunked
        head = self._head(status, [*_pairs(headers), *more], length=length, close=close)
        self.transport.write(head)
        return Writer(self, self._request, chunked=chunked, length=length, silent=self.method == "HEAD")

    async def drain(self) -> None:
        """Wait until the connection's buffer has room again.

        Raises:
            ConnectionError: the client has gone, or took nothing for `STALL` seconds.
        """
        if not self._request.protocol.writing_paused:
            return
        try:
            async with asyncio.timeout(STALL):
                await self._request.writer.drain()
        except TimeoutError:
            raise ConnectionAbortedError(f"the client took nothing for {STALL:.0f} seconds") from None

    async def web_socket(self, *, limit: int) -> WebSocketResponse:
        """Answer with a web socket (RFC 6455) that takes messages of up to `limit` bytes.

        Raises:
            WireError: the request does not ask for one.
        """
        from aiohttp.web_exceptions import HTTPException
        from aiohttp.web_ws import WebSocketResponse

        socket = WebSocketResponse(max_msg_size=limit, compress=False)
        try:
            await socket.prepare(self._request)
        except HTTPException as error:
            raise WireError(f"expected the opening of a web socket: {error.reason}") from None
        self.status = 101
        self._answered = self._complete = self._is_upgraded = True
        return socket

    def answer(self) -> Answered:
        """What to return to aiohttp: whether the connection can take another request."""
        if not self._complete:
            transport = self._request.transport
            if transport is not None:
                transport.abort() if self._answered else transport.close()
            return CLOSE
        return KEEP if self._request.keep_alive and not self._is_upgraded else CLOSE

    def _head(
        self,
        status: int,
        headers: Mapping[str, str] | Iterable[tuple[str, str]],
        *,
        length: int | None,
        close: bool = False,
    ) -> bytes:
        request = self._request
        self.status = status
        self._answered = True
        pairs = _pairs(headers)
        if length is not None and status not in _NO_BODY:
            pairs.append(("Content-Length", str(length)))
        if close or not request.keep_alive:
            pairs.append(("Connection", "close"))
        elif request.version < (1, 1):
            pairs.append(("Connection", "keep-alive"))
        return serialize_head(status, pairs)


class Writer:
    """The body of an answer, in pieces. Waits while the client is slow."""

    __slots__ = ("_chunked", "_exchange", "_left", "_request", "_silent", "_turn", "sent")

    def __init__(
        self, exchange: Exchange, request: BaseRequest, *, chunked: bool, length: int | None, silent: bool
    ) -> None:
        self._exchange = exchange
        self._request = request
        self._chunked = chunked
        self._left = length  # bytes still promised
        self._silent = silent  # the answer to HEAD has no body
        self._turn = 0  # pieces since others had their turn
        self.sent = 0  # bytes of body

    async def write(self, data: bytes | memoryview) -> None:
        """Send a piece; return when the connection's buffer has room again."""
        if data and not self._silent:
            self._put(self._exchange.transport, data)
            await self.drain()

    def write_nowait(self, data: bytes) -> None:
        """Send a small piece without waiting; nothing happens when the client has gone. `drain` now and then."""
        transport = self._request.transport
        if data and not self._silent and transport is not None:
            self._put(transport, data)

    def _put(self, transport: Any, data: bytes | memoryview) -> None:
        if self._chunked:
            transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            transport.write(data)
        self.count(len(data))

    def count(self, size: int) -> None:
        """Note bytes that were sent past this writer, as sendfile does."""
        self.sent += size
        if self._left is not None:
            self._left -= size

    async def drain(self) -> None:
        """Wait until the connection's buffer has room again; others get their turn in any case. Raises as `write`.

        A source that never waits would otherwise keep the loop from seeing that the client has gone.
        """
        await self._exchange.drain()
        self._turn = (self._turn + 1) % _TURNS
        if not self._turn:
            await asyncio.sleep(0)
        if self._exchange.is_cut:
            raise ConnectionResetError("the client has gone")

    async def finish(self, trailers: Mapping[str, str] | None = None) -> None:
        """End the body. With a declared length and too few bytes the connection is cut instead."""
        if self._chunked and not self._silent:
            ending = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in (trailers or {}).items())
            self._exchange.transport.write(b"0\r\n" + ending.encode("utf-8", "surrogateescape") + b"\r\n")
        if not self._left or self._silent:
            self._exchange._complete = True


def serialize_head(status: int, headers: list[tuple[str, str]]) -> bytes:
    """Return status line and header section; `Date` and `Server` are added.

    A value with a line break would end the section early: such a break becomes a space.
    """
    text = (
        _REASONS[status]
        + "".join([f"{name}: {value}\r\n" for name, value in headers])
        + f"Date: {_date()}\r\nServer: zwerm\r\n\r\n"
    )
    expected = len(headers) + 4  # status line, date, server, empty line
    if text.count("\n") != expected or text.count("\r") != expected or "\0" in text:
        return serialize_head(status, [(_one_line(name), _one_line(value)) for name, value in headers])
    return text.encode("utf-8", "surrogateescape")


def _one_line(value: str) -> str:
    return value.translate({10: " ", 13: " ", 0: " "})


def _pairs(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, Mapping) else list(headers)


_now: tuple[int, str] = (0, "")


def _date() -> str:
    global _now  # noqa: PLW0603 -- made once a second instead of once an answer
    second = int(time.time())
    if _now[0] != second:
        _now = (second, formatdate(second, usegmt=True))
    return _now[1]
