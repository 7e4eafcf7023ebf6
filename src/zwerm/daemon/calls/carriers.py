"""What carries the messages of one client: a web socket, or a stream of server-sent events beside POST.

Both send when there is something, and wait while the client is slow; a client that takes nothing for `STALL` seconds is
cut off, so that nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Final

from aiohttp import WSMsgType
from aiohttp.web_ws import WebSocketResponse

from zwerm.calls.message import serialize
from zwerm.calls.service.client import Client
from zwerm.daemon.http.exchange import Exchange, Writer

STALL: Final = 10.0  # seconds that one message may take to go out
FAREWELL: Final = 2.0  # seconds that the last word may take
CLOSED: Final = 4000  # the code of a web socket that we close; why is in the message before


class Carrier(ABC):
    """Sends what there is for a client, one task at a time and only while there is something."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None
        self._last: str | None = None
        self.client: Client | None = None

    def wake(self) -> None:
        """Send what there is."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._pump())

    def cut(self, code: str, what: str) -> None:
        """Say why, then close."""
        if self._last is None:
            self._last = serialize({"type": "closing", "code": code, "what": what[:500]})
            asyncio.get_running_loop().call_later(FAREWELL, self._abort)
            self.wake()

    async def _pump(self) -> None:
        try:
            while (text := self._next()) is not None:
                async with asyncio.timeout(STALL):
                    await self._send(text)
            if self._last is not None:
                async with asyncio.timeout(FAREWELL):
                    await self._send(self._last)
                    await self._close()
        except (OSError, TimeoutError):
            self._abort()
        finally:
            self._task = None

    def _next(self) -> str | None:
        return self.client.next_text() if self.client is not None and self._last is None else None

    def _abort(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._exchange.transport.abort()

    async def finish(self) -> None:
        """Stop sending."""
        if self._task is not None:
            task = self._task
            task.cancel()
            await asyncio.wait([task])

    @abstractmethod
    async def _send(self, text: str) -> None:
        """Send one message; return when the client took it."""

    @abstractmethod
    async def _close(self) -> None:
        """End what carries the messages."""


class SocketCarrier(Carrier):
    """A web socket."""

    def __init__(self, exchange: Exchange, socket: WebSocketResponse) -> None:
        super().__init__(exchange)
        self._socket = socket

    async def receive(self, client: Client) -> None:
        """Give the client each message, in order, until the socket ends."""
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await client.receive(message.data)
            elif message.type is WSMsgType.BINARY:
                self.cut("bad-message", "messages are text")

    async def _send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def _close(self) -> None:
        await self._socket.close(code=CLOSED)


class StreamCarrier(Carrier):
    """Server-sent events (HTML, "Server-sent events"); what the client says comes by POST."""

    def __init__(self, exchange: Exchange, writer: Writer) -> None:
        super().__init__(exchange)
        self._writer = writer
        self.over = asyncio.Event()
        self.turn = asyncio.Lock()  # posts are taken one after the other

    async def open(self, secret: str) -> None:
        """Tell the client by what its posts are known."""
        await self._writer.write(f"event: open\ndata: {serialize({'connection': secret})}\n\n".encode())

    async def _send(self, text: str) -> None:
        await self._writer.write(f"data: {text}\n\n".encode())

    async def _close(self) -> None:
        self.over.set()
