"""Bitswap between hosts in one process: blocks asked for, given, verified and stored; peers that are hostile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any

import pytest
import uvloop

from tests.libp2p.hosts import hosts
from zwerm.core.errors import TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.bitswap.config import ClientConfig, ServerConfig
from zwerm.ipfs.bitswap.message import BITSWAP_1_0, BITSWAP_1_2, Entry, Message, Payload, WantType, prefix_of
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.libp2p.framing import MessageReader, read_message, write_message
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

BLOCKS = [Block.create(b"%d " % number * 1_000) for number in range(40)]
QUICK = ClientConfig(patience=0.3, search_after=0.1)


class Everyone:
    """Routing that knows who has everything."""

    def __init__(self, *providers: Provider) -> None:
        self.providers = providers

    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        del cid
        for provider in self.providers:
            yield provider


@contextlib.asynccontextmanager
async def exchanges(
    count: int, *, connected: bool = True, silent: Sequence[int] = (), **options: Any
) -> AsyncIterator[tuple[list[Swarm], list[Bitswap]]]:
    """Hosts that speak bitswap, but those in `silent`: what they do is the test's."""
    with Hashers() as hashers:
        async with hosts(count, connected=connected) as swarms, contextlib.AsyncExitStack() as stack:
            found = [
                await stack.enter_async_context(Bitswap(swarm, MemoryBlockstore(), hashers, **options))
                for number, swarm in enumerate(swarms)
                if number not in silent
            ]
            for exchange in found:
                know(exchange, *(swarm for number, swarm in enumerate(swarms) if number not in silent))
            yield swarms, found


def know(exchange: Bitswap, *peers: Swarm) -> None:
    """Say that peers speak bitswap, as identify does."""
    for peer in peers:
        exchange._add(peer.peer_id, knows_have=True)


async def fetch(exchange: Bitswap, cids: Sequence[CID]) -> list[bytes]:
    number = exchange.open_session()
    try:
        return await asyncio.gather(*(exchange.fetch(number, cid) for cid in cids))
    finally:
        exchange.close_session(number)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- what is waited for tells nobody
            await asyncio.sleep(0.005)


async def test_blocks_are_fetched_verified_and_stored() -> None:
    async with exchanges(2) as (_, (ann, bob)):
        bob.store.put(BLOCKS)
        assert await fetch(ann, [block.cid for block in BLOCKS]) == [block.data for block in BLOCKS]
        assert all(ann.store.get(block.cid) == block.data for block in BLOCKS)
        await until(lambda: bob.server.ledgers.of(ann.host.peer_id).blocks_sent == len(BLOCKS))
        assert ann.server.ledgers.of(bob.host.peer_id).blocks_received == len(BLOCKS)
        assert ann.client.wantlist == []


async def test_blocks_of_every_kind_come_under_their_own_name() -> None:
    kinds = [
        Block.create(b"old", multicodec.DAG_PB, version=0),
        Block.create(b"", multicodec.RAW),
        Block.create(b"blake", multicodec.RAW, multicodec.BLAKE3),
        Block.create(b"large" * 400_000),
    ]
    async with exchanges(2) as (_, (ann, bob)):
        bob.store.put(kinds)
        assert await fetch(ann, [block.cid for block in kinds]) == [block.data for block in kinds]


async def test_three_peers_share_the_work() -> None:
    async with exchanges(4) as (swarms, (ann, *others)):
        for other in others:
            other.store.put(BLOCKS)
        know(ann, *swarms[1:])
        assert await fetch(ann, [block.cid for block in BLOCKS]) == [block.data for block in BLOCKS]
        assert ann.client.duplicates <= 2


async def test_two_callers_want_the_same_block_and_one_of_them_gives_up() -> None:
    async with exchanges(2) as (_, (ann, bob)):
        number = ann.open_session()
        first, second = ann.fetch(number, BLOCKS[0].cid), ann.fetch(number, BLOCKS[0].cid)
        first.cancel()
        bob.store.put(BLOCKS[:1])
        bob.blocks_put({BLOCKS[0].cid.multihash: len(BLOCKS[0].data)})
        assert await second == BLOCKS[0].data


async def test_who_gives_up_takes_the_want_back() -> None:
    async with exchanges(2) as (_, (ann, bob)):
        number = ann.open_session()
        future = ann.fetch(number, BLOCKS[0].cid)
        await until(lambda: bool(bob.server.wantlist(ann.host.peer_id)))
        future.cancel()
        await until(lambda: not bob.server.wantlist(ann.host.peer_id))
        assert ann.client.wantlist == []


async def test_what_a_peer_waits_for_is_sent_when_it_comes() -> None:
    async with exchanges(2) as (_, (ann, bob)):
        number = ann.open_session()
        future = ann.fetch(number, BLOCKS[0].cid)
        await until(lambda: bool(bob.server.waited_for))
        bob.store.put(BLOCKS[:1])
        await asyncio.to_thread(bob.blocks_put, {BLOCKS[0].cid.multihash: len(BLOCKS[0].data)})
        assert await future == BLOCKS[0].data


async def test_a_block_that_is_put_here_ends_the_want() -> None:
    async with exchanges(2) as (_, (ann, _)):
        number = ann.open_session()
        future = ann.fetch(number, BLOCKS[0].cid)
        ann.store.put(BLOCKS[:1])
        await asyncio.to_thread(ann.blocks_put, {BLOCKS[0].cid.multihash: len(BLOCKS[0].data)})
        assert await future == BLOCKS[0].data


async def test_a_fetched_block_is_passed_on_to_those_who_wait() -> None:
    async with exchanges(3) as (swarms, (ann, bob, cas)):
        await swarms[0].disconnect(swarms[2].peer_id)
        future = ann.fetch(ann.open_session(), BLOCKS[0].cid)
        await until(lambda: bool(bob.server.waited_for))
        cas.store.put(BLOCKS[:1])
        assert await fetch(bob, [BLOCKS[0].cid]) == [BLOCKS[0].data]
        assert await future == BLOCKS[0].data


async def test_providers_are_found_dialled_and_asked() -> None:
    async with exchanges(2, connected=False) as (swarms, (ann, bob)):
        bob.store.put(BLOCKS)
        ann.routing = Everyone(Provider(swarms[1].peer_id))
        ann.client.can_search = True
        assert await fetch(ann, [BLOCKS[0].cid]) == [BLOCKS[0].data]


# Failures say what was tried


async def test_without_anybody_to_ask_it_fails_at_once() -> None:
    async with exchanges(1) as (_, (ann,)):
        with pytest.raises(
            FetchFailed, match="nobody else can be asked, and this node is connected to nobody"
        ) as caught:
            await fetch(ann, [BLOCKS[0].cid])
        assert (caught.value.phase, caught.value.tried) == ("no providers", ())


async def test_when_the_connected_peers_have_it_not_they_are_named() -> None:
    async with exchanges(2, client=QUICK) as (swarms, (ann, _)):
        know(ann, swarms[1])
        with pytest.raises(FetchFailed, match=f"{swarms[1].peer_id} had it not") as caught:
            await fetch(ann, [BLOCKS[0].cid])
        assert caught.value.tried == (swarms[1].peer_id,)


async def test_when_no_provider_can_be_reached_the_reason_of_each_is_told() -> None:
    gone = PeerId.from_text("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")
    async with exchanges(1, client=QUICK, routing=Everyone(Provider(gone))) as (_, (ann,)):
        with pytest.raises(FetchFailed, match=f"none of its 1 providers could be reached .{gone}: ") as caught:
            await fetch(ann, [BLOCKS[0].cid])
        assert caught.value.phase == "dial"


async def test_when_who_gave_some_leaves_the_phase_is_the_transfer() -> None:
    async with exchanges(2, client=QUICK) as (swarms, (ann, bob)):
        bob.store.put(BLOCKS[:1])
        number = ann.open_session()
        await ann.fetch(number, BLOCKS[0].cid)
        rest = ann.fetch(number, BLOCKS[1].cid)
        await swarms[1].close()
        with pytest.raises(FetchFailed, match=f"{swarms[1].peer_id} gave no more of it") as caught:
            await rest
        assert caught.value.phase == "transfer"


async def test_closing_tells_whoever_waits() -> None:
    async with exchanges(2) as (_, (ann, _)):
        future = ann.fetch(ann.open_session(), BLOCKS[0].cid)
        await ann.close()
        with pytest.raises(TransportError, match="stopping"):
            await future
        await ann.close()


# Peers that speak the protocol in their own way


async def test_a_peer_of_version_1_0_asks_and_is_given() -> None:
    block = Block.create(b"old", multicodec.DAG_PB, version=0)
    async with exchanges(2, silent=[0]) as (swarms, (bob,)):
        bob.store.put([block])
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

        async def receive(stream: Stream) -> None:
            answer.set_result(await read_message(stream))

        swarms[0].handle(BITSWAP_1_0, receive)
        async with await swarms[0].open_stream(bob.host.peer_id, [BITSWAP_1_0]) as stream:
            await write_message(stream, Message([Entry(block.cid)]).serialize(BITSWAP_1_0))
            data = await answer
        assert data is not None
        assert Message.parse(data).payloads[0].name() == block.cid


@contextlib.asynccontextmanager
async def ann_and_a_stranger(**options: Any) -> AsyncIterator[tuple[Bitswap, Swarm, Stream]]:
    """A node, and a host that opens a stream to it and keeps what it is sent."""
    async with exchanges(2, silent=[1], **options) as (swarms, (ann,)):
        stream = await swarms[1].open_stream(ann.host.peer_id, [BITSWAP_1_2])
        try:
            yield ann, swarms[1], stream
        finally:
            stream.reset()


def payload(block: Block) -> Payload:
    return Payload(prefix_of(block.cid), block.data)


def is_told(caplog: pytest.LogCaptureFixture, peer: PeerId, *words: str) -> bool:
    """Whether one line of the log names a peer and what it did."""
    lines = [record.getMessage() for record in caplog.records]
    return len([line for line in lines if str(peer) in line and all(word in line for word in words)]) == 1


async def test_a_block_that_is_not_what_was_asked_for_is_not_stored_and_its_sender_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with exchanges(3, silent=[2]) as (swarms, (ann, bob)):
        asked = asyncio.Event()

        async def lie(stream: Stream) -> None:
            while (data := await read_message(stream)) is not None:
                if any(entry.want is WantType.BLOCK for entry in Message.parse(data).wants):
                    wrong = Message(payloads=[payload(Block.create(b"something else"))]).serialize()
                    async with await swarms[2].open_stream(ann.host.peer_id, [BITSWAP_1_2]) as answer:
                        await write_message(answer, wrong)
                    asked.set()

        swarms[2].handle(BITSWAP_1_2, lie)
        know(ann, swarms[2])
        future = ann.fetch(ann.open_session(), BLOCKS[0].cid)
        await asked.wait()
        bob.store.put(BLOCKS[:1])
        bob.blocks_put({BLOCKS[0].cid.multihash: len(BLOCKS[0].data)})
        assert await future == BLOCKS[0].data
        await until(lambda: not swarms[0].connections_to(swarms[2].peer_id))
        assert not ann.store.has(CID.of(b"something else"))
        assert is_told(caplog, swarms[2].peer_id, "dropped")
        await swarms[2].connect(swarms[0].peer_id)
        know(ann, swarms[2])
        assert swarms[2].peer_id not in ann.client.peers
        async with asyncio.timeout(10), await swarms[2].open_stream(ann.host.peer_id, [BITSWAP_1_2]) as stream:
            await write_message(stream, Message([Entry(BLOCKS[1].cid)]).serialize())
            with pytest.raises(StreamReset):
                await stream.read()


async def test_blocks_that_nobody_asked_for_are_counted_and_not_stored() -> None:
    async with ann_and_a_stranger() as (ann, _, stream):
        await write_message(stream, Message(payloads=[payload(block) for block in BLOCKS]).serialize())
        await until(lambda: ann.client.unasked == len(BLOCKS))
        assert not any(ann.store.has(block.cid) for block in BLOCKS)


async def test_too_many_unasked_blocks_end_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with ann_and_a_stranger(client=ClientConfig(unasked=10_000)) as (ann, stranger, stream):
        for block in BLOCKS:
            with contextlib.suppress(StreamReset):
                await write_message(stream, Message(payloads=[payload(block)]).serialize())
        await until(lambda: not ann.host.connections_to(stranger.peer_id))
        assert is_told(caplog, stranger.peer_id, "blocks that nobody asked for")


async def test_a_message_that_is_none_ends_the_stream_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async with ann_and_a_stranger() as (ann, stranger, stream):
        await write_message(stream, b"\xff" * 20)
        with pytest.raises(StreamReset):
            await stream.read()
        assert ann.host.connections_to(stranger.peer_id)
        assert is_told(caplog, stranger.peer_id, "was given up")


async def test_a_message_that_is_too_long_is_refused_by_its_length() -> None:
    async with ann_and_a_stranger() as (_, _, stream):
        await stream.write(bytes.fromhex("81808002"))  # 4 MiB and one byte
        with pytest.raises(StreamReset):
            await stream.read()


async def test_a_flood_of_wants_keeps_nobody_else_waiting(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.bitswap")
    cids = [CID.of(b"flood %d" % number) for number in range(20_000)]
    async with exchanges(3, silent=[1], server=ServerConfig(wants=100)) as (swarms, (bob, cas)):
        bob.store.put(BLOCKS)
        async with await swarms[1].open_stream(bob.host.peer_id, [BITSWAP_1_2]) as stream:
            for _ in range(3):
                await write_message(stream, Message([Entry(cid, send_dont_have=True) for cid in cids]).serialize())
            assert await fetch(cas, [block.cid for block in BLOCKS]) == [block.data for block in BLOCKS]
            await until(lambda: bob.server.refused > 50_000)
            assert is_told(caplog, swarms[1].peer_id, "wants of", "are refused: more than 100")
        assert len(bob.server.wantlist(swarms[1].peer_id)) <= 100


async def test_a_peer_that_stops_reading_is_given_up_and_others_are_served(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.bitswap")
    large = [Block.create(bytes([number]) * 1_000_000) for number in range(16)]
    async with exchanges(3, silent=[1], stall=0.3) as (swarms, (bob, cas)):
        bob.store.put(large)
        stuck = asyncio.Event()

        async def read_nothing(stream: Stream) -> None:
            stuck.set()
            await stream.connection.muxed.wait_closed()  # type: ignore[attr-defined]

        swarms[1].handle(BITSWAP_1_2, read_nothing)
        async with await swarms[1].open_stream(bob.host.peer_id, [BITSWAP_1_2]) as stream:
            await write_message(stream, Message([Entry(block.cid) for block in large]).serialize())
            await stuck.wait()
            assert await fetch(cas, [block.cid for block in large[:4]]) == [block.data for block in large[:4]]
            await until(lambda: swarms[1].peer_id not in bob.server.peers)
            assert is_told(caplog, swarms[1].peer_id, "broke off")
        assert bob.server.in_flight == 0


async def test_blocks_on_a_stream_that_the_peer_reset_come_on_another_one() -> None:
    async with exchanges(2, silent=[0]) as (swarms, (bob,)):
        bob.store.put(BLOCKS)
        resets = 2
        came: list[Payload] = []
        done = asyncio.Event()

        async def reset_or_read(stream: Stream) -> None:
            nonlocal resets
            if resets:
                resets -= 1
                stream.reset()
                return
            reader = MessageReader(stream, 4_194_304)
            while (data := await reader.read()) is not None:
                came.extend(Message.parse(data).payloads)
                if len(came) >= len(BLOCKS):
                    done.set()

        swarms[0].handle(BITSWAP_1_2, reset_or_read)
        async with await swarms[0].open_stream(bob.host.peer_id, [BITSWAP_1_2]) as stream:
            await write_message(stream, Message([Entry(block.cid) for block in BLOCKS]).serialize())
            async with asyncio.timeout(10):
                await done.wait()
        assert sorted(payload.name() for payload in came) == sorted(block.cid for block in BLOCKS)


async def test_a_peer_that_resets_whatever_it_is_given_is_given_nothing_more() -> None:
    async with exchanges(2, silent=[0]) as (swarms, (bob,)):
        bob.store.put(BLOCKS)
        resets = 0

        async def reset(stream: Stream) -> None:
            nonlocal resets
            resets += 1
            stream.reset()

        swarms[0].handle(BITSWAP_1_2, reset)
        async with await swarms[0].open_stream(bob.host.peer_id, [BITSWAP_1_2]) as stream:
            await write_message(stream, Message([Entry(block.cid) for block in BLOCKS]).serialize())
            await until(lambda: resets > 0 and not bob._tasks)  # it does not try for ever
        assert bob.server.in_flight == 0


async def test_the_pending_bytes_are_told() -> None:
    large = [Block.create(bytes([number]) * 1_000_000) for number in range(3)]
    async with exchanges(2, silent=[0], server=ServerConfig(at_once=1)) as (swarms, (bob,)):
        bob.store.put(large)
        told: asyncio.Queue[int] = asyncio.Queue()

        async def receive(stream: Stream) -> None:
            reader = MessageReader(stream)
            while (data := await reader.read()) is not None:
                told.put_nowait(Message.parse(data).pending)

        swarms[0].handle(BITSWAP_1_2, receive)
        async with await swarms[0].open_stream(bob.host.peer_id, [BITSWAP_1_2]) as stream:
            await write_message(stream, Message([Entry(block.cid) for block in large]).serialize())
            assert [await told.get() for _ in large] == [2_000_000, 1_000_000, 0]


def test_a_deadline_that_passed_while_the_loop_was_busy_disturbs_no_fetch_on_uvloop() -> None:
    async def run() -> None:
        async with exchanges(2) as (_, (ann, bob)):
            number = ann.open_session()
            ann.client.want(number, [BLOCKS[0].cid], ann._loop.time() - 60.0)
            ann._pump()
            future = ann.fetch(number, BLOCKS[1].cid)
            bob.store.put(BLOCKS[:2])
            bob.blocks_put({block.cid.multihash: len(block.data) for block in BLOCKS[:2]})
            assert await future == BLOCKS[1].data

    uvloop.run(run())
