"""`/peerjs`: where clients of PeerJS connect (docs/calls.md, "PeerJS").

Their pages come from anywhere, so every origin may use it; there is no cookie, and no account behind it.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections import deque
from typing import Final

from aiohttp.web_ws import WebSocketResponse

from zwerm.calls.message import MAX_MESSAGE
from zwerm.calls.peerjs import PeerConfig, PeerCut, PeerRealm, PeerSay
from zwerm.daemon.calls.carriers import SocketCarrier
from zwerm.daemon.http.exchange import Exchange

PATH: Final = "/peerjs"
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",  # what PeerJS' own server says of an ID
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
}


def is_peer_path(path: str) -> bool:
    """Whether a path is that of clients of PeerJS."""
    return path == PATH or path.startswith(f"{PATH}/")


class _Link(SocketCarrier):
    """The web socket of one peer, and what waits for it."""

    def __init__(self, exchange: Exchange, socket: WebSocketResponse, limit: int) -> None:
        super().__init__(exchange, socket)
        self._texts: deque[str] = deque()
        self._limit = limit
        self._is_ending = False

    def say(self, text: str) -> None:
        if len(self._texts) >= self._limit:
            self._abort()
            return
        self._texts.append(text)
        self.wake()

    def end(self) -> None:
        """Close when what was said has gone."""
        self._is_ending = True
        self.wake()

    def _next(self) -> str | None:
        if self._texts:
            return self._texts.popleft()
        if self._is_ending and self._last is None:
            self.cut("", "")
        return None

    async def _send(self, text: str) -> None:
        if text is not self._last:  # which is a word of our own protocol
            await super()._send(text)


class PeerServer:
    """Answers requests at `PATH` and below."""

    def __init__(self, config: PeerConfig | None = None) -> None:
        self._config = config or PeerConfig()
        self.realm = PeerRealm(self._config)
        self._links: dict[str, _Link] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        path = exchange.raw_path.removeprefix(PATH)
        if exchange.method == "OPTIONS":
            await exchange.send(204, {**_HEADERS, "Access-Control-Allow-Methods": "GET"})
        elif exchange.method == "GET" and path == "/id":
            await exchange.send(200, _HEADERS, str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)).encode())
        elif exchange.method == "GET" and path == "/peers":
            await exchange.send(401, _HEADERS, b"Unauthorized")
        elif exchange.method == "GET" and path == "" and "Upgrade" in exchange.headers:
            await self._socket(exchange)
        else:
            await exchange.send(404, _HEADERS, b"There is nothing here but a server for PeerJS")

    async def _socket(self, exchange: Exchange) -> None:
        given = {name: exchange.parameter(name, "") or "" for name in ("id", "token", "key")}
        peer = exchange.peer
        socket = await exchange.web_socket(limit=MAX_MESSAGE)
        name, link = secrets.token_hex(8), _Link(exchange, socket, self._config.outbox)
        self._links[name] = link
        loop = asyncio.get_running_loop()
        try:
            self.realm.connect(name, given["id"], given["token"], given["key"], peer, loop.time())
            self._settle()
            async for message in socket:
                if isinstance(message.data, str):
                    self.realm.receive(name, message.data, loop.time())
                    self._settle()
        finally:
            del self._links[name]
            self.realm.lost(name)
            self._settle()
            await link.finish()

    def _settle(self) -> None:
        while (event := self.realm.next_event()) is not None:
            link = self._links.get(event.connection)
            match event:
                case PeerSay(_, text) if link is not None:
                    link.say(text)
                case PeerCut() if link is not None:
                    link.end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (due := self.realm.next_timeout()) is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        self.realm.handle_timeout(asyncio.get_running_loop().time())
        self._settle()

    def close(self) -> None:
        """Forget everybody; their connections end with the listener."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
