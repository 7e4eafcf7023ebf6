"""PeerJS over real web sockets: an ID for the asking, messages, and clients that mean harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.daemon.calls.caller import PATIENCE, eventually
from zwerm.calls.limits import Rate
from zwerm.calls.message import MAX_MESSAGE
from zwerm.calls.peerjs import PeerConfig
from zwerm.daemon.calls import carriers
from zwerm.daemon.calls.peerjs import PeerServer
from zwerm.daemon.http.server import HttpServer
from zwerm.daemon.http.sockets import bind_all
from zwerm.node.address import Address


class Place:
    """A server, and sockets to it."""

    def __init__(self, server: PeerServer, where: str, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.url = f"http://{where}/peerjs"
        self.http = http
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def come(self, peer: str, token: str = "t0ken", **headers: str) -> aiohttp.ClientWebSocketResponse:
        query = {"key": "peerjs", "id": peer, "token": token, "version": "1.5.5"}
        self.sockets.append(await self.http.ws_connect(self.url, params=query, headers=headers))
        return self.sockets[-1]

    async def enter(self, peer: str, **headers: str) -> aiohttp.ClientWebSocketResponse:
        socket = await self.come(peer, **headers)
        assert await hear(socket) == {"type": "OPEN"}
        return socket


async def hear(socket: aiohttp.ClientWebSocketResponse) -> object:
    return json.loads(await socket.receive_str(timeout=PATIENCE))


@contextlib.asynccontextmanager
async def serving(**config: object) -> AsyncIterator[Place]:
    server = PeerServer(PeerConfig(**config))  # type: ignore[arg-type]
    listener = HttpServer("peers", server, idle=75.0)
    sockets = bind_all({"peers": Address("127.0.0.1", 0)})["peers"]
    where = f"127.0.0.1:{sockets[0].getsockname()[1]}"
    await listener.start(sockets)
    try:
        async with aiohttp.ClientSession() as http:
            place = Place(server, where, http)
            yield place
            for socket in place.sockets:
                await socket.close()
    finally:
        server.close()
        await listener.stop(1.0)


async def test_a_page_of_any_origin_gets_an_id_and_no_list_of_others() -> None:
    async with serving() as place:
        headers = {"Origin": "https://somewhere.example"}
        async with place.http.get(f"{place.url}/id", params={"ts": "1", "version": "1.5.5"}, headers=headers) as answer:
            assert re.fullmatch(r"[0-9a-f-]{36}", await answer.text())
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        for path, status in (("/peers", 401), ("", 404), ("/else", 404)):
            async with place.http.get(f"{place.url}{path}", headers=headers) as answer:
                assert answer.status == status


async def test_two_exchange_messages_and_one_who_leaves_is_forgotten() -> None:
    async with serving(keep=0.05) as place:
        ann, bob = await place.enter("ann", Origin="https://somewhere.example"), await place.enter("bob")
        await ann.send_json({"type": "OFFER", "dst": "bob", "src": "eve", "payload": {"sdp": "<script>"}})
        assert await hear(bob) == {"type": "OFFER", "dst": "bob", "src": "ann", "payload": {"sdp": "<script>"}}
        await bob.close()
        await eventually(lambda: len(place.server.realm) == 1)
        await ann.send_json({"type": "OFFER", "dst": "bob"})
        assert await hear(ann) == {"type": "EXPIRE", "src": "bob", "dst": "ann"}


async def test_an_id_that_somebody_has_is_refused_and_the_connection_closed() -> None:
    async with serving() as place:
        ann, eve = await place.enter("ann"), await place.come("ann", "other")
        assert await hear(eve) == {"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}}
        assert (await eve.receive(timeout=PATIENCE)).type is aiohttp.WSMsgType.CLOSE
        await ann.send_json({"type": "OFFER", "dst": "ann"})
        assert await hear(ann) == {"type": "OFFER", "dst": "ann", "src": "ann"}


async def test_a_giant_message_ends_its_own_connection_only() -> None:
    async with serving() as place:
        ann, eve = await place.enter("ann"), await place.enter("eve")
        with contextlib.suppress(ConnectionError):
            await eve.send_str('{"type":"OFFER","dst":"ann","payload":"' + "x" * (2 * MAX_MESSAGE))
        await eventually(lambda: len(place.server.realm) == 1)
        await ann.send_json({"type": "OFFER", "dst": "ann"})
        assert await hear(ann) == {"type": "OFFER", "dst": "ann", "src": "ann"}


async def test_a_peer_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "STALL", 60.0)  # it is how much waits that counts
    async with serving(outbox=16, rate=Rate(10_000, 10_000.0)) as place:
        ann = await place.enter("ann")
        host, _, port = place.url.removeprefix("http://").partition("/")[0].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /peerjs?key=peerjs&id=eve&token=t HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
            + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE):
            while len(place.server.realm) == 2:
                await ann.send_json({"type": "CANDIDATE", "dst": "eve", "payload": "x" * 50_000})
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
