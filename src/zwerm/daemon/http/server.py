"""One HTTP listener: aiohttp's connections around a handler of ours, limits, and an end that is bounded.

A handler is an async function of an `Exchange`. What it raises is answered with 500 and logged: whatever is expected to
go wrong, a handler answers itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_server import Server

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.daemon.http.exchange import CLOSE, WRITE_BUFFER, Answered, Exchange
from zwerm.daemon.http.proxies import TrustedProxies

log = logging.getLogger("zwerm.http")

MAX_LINE: Final = 32_768  # bytes of a request line; content paths and many `arg`s are long
MAX_HEADER: Final = 16_384  # bytes of one header field
MAX_HEADERS: Final = 100  # header fields
READ_BUFFER: Final = 262_144  # bytes of request body kept before the client is made to wait
LINGER: Final = 2.0  # seconds of request body still read after an early answer, so that the client sees it
HANDSHAKE: Final = 15.0  # seconds that TLS may take to begin
FAREWELL: Final = 1.0  # seconds that TLS may take to end
MAX_CONNECTIONS: Final = 4096  # open at once; further ones are closed at once

Handler = Callable[[Exchange], Awaitable[None]]


class HttpServer:
    """A listener. `start` it on bound sockets, then `stop` it once."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        *,
        idle: float,
        observe: Callable[[str, Exchange, float], None] | None = None,
        connections: int = MAX_CONNECTIONS,
        tls: ssl.SSLContext | None = None,
        proxies: TrustedProxies | None = None,
    ) -> None:
        """Say what answers.

        Args:
            name: which listener this is, for logs and metrics.
            handler: answers one exchange.
            idle: seconds after which a connection without a request is closed.
            observe: told of every answered exchange and the seconds it took.
            connections: open at once; further ones are closed at once.
            tls: makes it HTTPS.
            proxies: whom to believe who the client is.
        """
        self.name = name
        self._handler = handler
        self._idle = idle
        self._observe = observe
        self._limit = connections
        self._tls = tls
        self._proxies = proxies
        self._listeners: list[asyncio.Server] = []
        self._server: _Server | None = None
        self._busy: set[RequestHandler] = set()  # connections whose request is being answered
        self._ending = False
        self._idle_now = asyncio.Event()
        self._idle_now.set()

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Take connections on these listening sockets, which are the server's from now on."""
        loop = asyncio.get_running_loop()
        self._server = _Server(
            self._answer,  # type: ignore[arg-type]  # `Answered` is all that it needs of a response
            handler_cancellation=True,
            keepalive_timeout=self._idle,
            access_log=None,
            logger=_ParserLog(log, {}),
            max_line_size=MAX_LINE,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
            lingering_time=LINGER,
            read_bufsize=READ_BUFFER,
            auto_decompress=False,
        )
        self._server.limit = self._limit
        secure: dict[str, Any] = {}
        if self._tls is not None:
            secure = {"ssl": self._tls, "ssl_handshake_timeout": HANDSHAKE, "ssl_shutdown_timeout": FAREWELL}
        for listener in sockets:
            self._listeners.append(await loop.create_server(self._server, sock=listener, **secure))

    @property
    def active(self) -> int:
        """Requests being answered."""
        return len(self._busy)

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._server.connections) if self._server else 0

    def stop_listening(self) -> None:
        """Take no more connections; idle ones are closed, the others after the request they are at. Idempotent."""
        self._ending = True
        for listener in self._listeners:
            listener.close()
        if self._server is not None:
            self._server.limit = 0
            # A connection made, or a request read, a moment ago is known to be idle or busy two turns later.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._close_idle, self._server)

    def _close_idle(self, server: Server) -> None:
        for connection in server.connections:
            if connection not in self._busy:
                connection.force_close()

    async def stop(self, grace: float) -> None:
        """End everything: requests in progress get `grace` seconds, then they are cancelled."""
        self.stop_listening()
        if self._server is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._idle_now.wait()
        await self._server.shutdown(0.2)
        for listener in self._listeners:
            await listener.wait_closed()
        self._listeners.clear()

    async def _answer(self, request: BaseRequest) -> Answered:
        exchange = Exchange(request)
        if self._proxies:
            self._proxies.apply(exchange)
        began = time.perf_counter()
        protocol = request.protocol
        self._busy.add(protocol)
        self._idle_now.clear()
        try:
            try:
                if len(exchange.headers.getall("Host", ())) != 1 and request.version >= (1, 1):
                    raise WireError("expected one Host header")  # RFC 9112 section 3.2
                await self._handler(exchange)
            except asyncio.CancelledError:
                raise
            except ConnectionError as error:
                log.debug("the client has gone: %s", error)
            except (WireError, ResourceLimitError) as error:
                await self._fail(exchange, 400 if isinstance(error, WireError) else 413, str(error))
            except Exception:
                log.exception("%s %s failed", exchange.method, exchange.raw_path, extra={"listener": self.name})
                await self._fail(exchange, 500, "a bug in zwerm; the log says where")
            answer = exchange.answer()
            return CLOSE if self._ending else answer
        finally:
            self._busy.discard(protocol)
            if not self._busy:
                self._idle_now.set()
            seconds = time.perf_counter() - began
            if self._observe is not None:
                self._observe(self.name, exchange, seconds)
            if log.isEnabledFor(logging.DEBUG):
                fields = {"listener": self.name, "status": exchange.status, "seconds": round(seconds, 6)}
                log.debug("%s %s", exchange.method, exchange.raw_path, extra=fields)

    @staticmethod
    async def _fail(exchange: Exchange, status: int, message: str) -> None:
        if not exchange.is_answered:
            await exchange.send(status, {"Content-Type": "text/plain; charset=utf-8"}, f"{message}\n".encode())


class _ParserLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's log, in which a client that speaks no HTTP is nothing special."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **kwargs: Any) -> None:
        if isinstance(exc_info, HttpProcessingError):
            self.debug(f"{msg}: {exc_info}", *args)
        else:
            super().exception(msg, *args, exc_info=exc_info, **kwargs)


class _Server(Server):
    """aiohttp's, with a limit on connections and room in the write buffer."""

    limit = MAX_CONNECTIONS

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self.limit:
            transport.abort()
            return
        transport.set_write_buffer_limits(WRITE_BUFFER)
