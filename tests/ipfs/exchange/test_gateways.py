"""Trustless gateways as a second source: verified like everybody, raced with peers, left alone when they fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web

from tests.libp2p.hosts import hosts
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.bitswap.config import ClientConfig
from zwerm.ipfs.block import MAX_BLOCK, Block
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.exchange.failure import FetchFailed, Search
from zwerm.ipfs.exchange.gateways import Gateways
from zwerm.ipfs.exchange.source import NetworkSource
from zwerm.ipfs.unixfs.hashers import Hashers

BLOCKS = [Block.create(b"%d " % number * 1_000) for number in range(20)]


class Served:
    """A gateway on the loopback."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self.bodies = bodies
        self.asked: list[str] = []
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Accept"] == "application/vnd.ipld.raw"
        assert request.query["format"] == "raw"
        cid = request.match_info["cid"]
        self.asked.append(cid)
        if cid not in self.bodies:
            raise web.HTTPNotFound
        return web.Response(body=self.bodies[cid])


@contextlib.asynccontextmanager
async def serve(bodies: Mapping[str, bytes]) -> AsyncIterator[Served]:
    served = Served(bodies)
    app = web.Application()
    app.router.add_get("/ipfs/{cid}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        served.address = f"http://{host}:{port}"
        yield served
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def source_with(*addresses: str) -> AsyncIterator[NetworkSource]:
    with Hashers() as hashers:
        async with (
            hosts(1) as (swarm,),
            Bitswap(swarm, MemoryBlockstore(), hashers, client=ClientConfig(patience=0.2)) as bitswap,
        ):
            source = NetworkSource(LocalSource(bitswap.store), bitswap, Gateways(addresses, bitswap.store))
            try:
                yield source
            finally:
                await source.close()


def bodies(*blocks: Block) -> dict[str, bytes]:
    return {str(block.cid): block.data for block in blocks}


async def test_blocks_come_from_a_gateway_when_no_peer_can_be_asked_and_are_kept() -> None:
    async with serve(bodies(*BLOCKS)) as served, source_with(served.address) as source:
        with source.retrieving(BLOCKS[0].cid) as retrieval:
            got = [data async for data in source.get_many(block.cid for block in BLOCKS)]
            progress = source.progress(retrieval)
        assert got == [block.data for block in BLOCKS]
        assert all(source.bitswap.store.has(block.cid) for block in BLOCKS)
        assert (progress.others[served.address].blocks, progress.shares) == (len(BLOCKS), {})


async def test_what_is_not_the_block_is_refused_and_the_next_gateway_asked() -> None:
    wrong = {str(BLOCKS[0].cid): b"something else"}
    async with (
        serve(wrong) as liar,
        serve(bodies(*BLOCKS)) as honest,
        source_with(liar.address, honest.address) as source,
    ):
        for block in BLOCKS[:3]:
            assert await source.get(block.cid) == block.data
        assert len(liar.asked) <= 1


@pytest.mark.parametrize("size", [MAX_BLOCK + 1, 3 * MAX_BLOCK], ids=["a byte too many", "far too many"])
async def test_an_answer_without_end_is_not_read_to_its_end(size: int) -> None:
    async with serve({str(BLOCKS[0].cid): bytes(size)}) as served, source_with(served.address) as source:
        with pytest.raises(FetchFailed, match=f"{served.address}: block of {MAX_BLOCK + 1} bytes"):
            await source.get(BLOCKS[0].cid)


async def test_when_no_gateway_has_it_the_failure_says_so() -> None:
    async with serve({}) as served, source_with(served.address, "http://127.0.0.1:1") as source:
        with pytest.raises(FetchFailed, match=f"{served.address}: status 404") as caught:
            await source.get(BLOCKS[0].cid)
        assert "http://127.0.0.1:1: " in str(caught.value)


async def test_a_gateway_that_fails_rests() -> None:
    store = MemoryBlockstore()
    gateways = Gateways(["http://127.0.0.1:1"], store)
    try:
        search = Search()
        assert await gateways.fetch(BLOCKS[0].cid, search, hurry=True) == (None, "")
        assert len(search.others) == 1
        later = Search()
        assert await gateways.fetch(BLOCKS[0].cid, later, hurry=True) == (None, "")
        assert later.others == []
    finally:
        await gateways.close()
        await gateways.close()


async def test_connected_peers_have_a_head_start() -> None:
    with Hashers() as hashers:
        async with (
            serve(bodies(*BLOCKS)) as served,
            hosts(2, connected=True) as swarms,
            Bitswap(swarms[0], MemoryBlockstore(), hashers) as ann,
            Bitswap(swarms[1], MemoryBlockstore(), hashers) as bob,
        ):
            bob.store.put(BLOCKS)
            ann._add(swarms[1].peer_id, knows_have=True)
            source = NetworkSource(LocalSource(ann.store), ann, Gateways([served.address], ann.store))
            async with asyncio.timeout(10):
                assert await source.get(BLOCKS[0].cid) == BLOCKS[0].data
            await source.close()
            assert served.asked == []
