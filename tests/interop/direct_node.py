"""A node in this process that is reached by webrtc-direct, with identify, ping and bitswap, and a server of pages."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

import zwerm
from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.exchange.source import NetworkSource
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

WEB = Path(zwerm.__file__).parent / "web"
PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>A peer</title></html>"


class DirectNode:
    """What a test does with it."""

    def __init__(self, swarm: Swarm, bitswap: Bitswap, store: MemoryBlockstore) -> None:
        self.swarm = swarm
        self.bitswap = bitswap
        self.store = store
        self.source = NetworkSource(LocalSource(store), bitswap)

    @property
    def address(self) -> str:
        """Where it is reached, with who it is."""
        return f"{self.swarm.listen_addresses[0]}/p2p/{self.swarm.peer_id}"

    def keep(self, data: bytes) -> str:
        """Keep a file; its CID."""
        return str(Importer(self.store).add_file([data]).cid)

    async def fetch(self, cid: str) -> bytes:
        """Read a file that others have."""
        file = await open_file(self.source, CID.from_text(cid))
        return await file.read()

    async def connect(self, address: str) -> PeerId:
        """Dial an address that ends in who is there."""
        whole = Multiaddr.from_text(address)
        peer = PeerId.from_text(whole.value("p2p") or "")
        await self.swarm.connect(peer, [whole.decapsulate("p2p") or whole])
        return peer


@contextlib.asynccontextmanager
async def direct_node(host: str = "127.0.0.1", number: int = 1) -> AsyncIterator[DirectNode]:
    """Run one; its key is that of the number."""
    key = seeded_key(number)
    with Hashers() as hashers:
        async with Swarm(key, [WebRtcDirectTransport(key)]) as swarm:
            store = MemoryBlockstore()
            async with Bitswap(swarm, store, hashers) as bitswap:
                node = DirectNode(swarm, bitswap, store)
                await swarm.listen([Multiaddr.from_text(f"/ip4/{host}/udp/0/webrtc-direct")])
                try:
                    yield node
                finally:
                    await node.source.close()


@contextlib.asynccontextmanager
async def served_page() -> AsyncIterator[str]:
    """Serve the files of the web app beside an empty page, on loopback; the page's address."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def icon(_: web.Request) -> web.Response:
        return web.Response(status=204)

    app.router.add_get("/", page)
    app.router.add_get("/favicon.ico", icon)
    app.router.add_static("/", WEB)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
