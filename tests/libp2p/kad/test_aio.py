"""DHT nodes on hosts, over memory: what one puts, another finds; clients, servers, and peers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from tests.libp2p.kad.validators import VALIDATORS
from zwerm.core.errors import ResourceLimitError, TransportError, WireError
from zwerm.libp2p.framing import MessageReader, write_message
from zwerm.libp2p.host import PeerIdentified, ReachabilityChanged
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.aio import Kad
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.message import MAX_REQUEST, Message, MessageType, Peer
from zwerm.libp2p.stream import StreamReset
from zwerm.libp2p.swarm.swarm import Swarm

CONFIG = KadConfig(protocol="/test/kad/1.0.0", scope=Scope.ANY, peers_per_group=0)
KEY = b"\x12\x20" + b"\x05" * 32


@contextlib.asynccontextmanager
async def nodes(count: int, *, clients: int = 0, config: KadConfig = CONFIG) -> AsyncIterator[list[Kad]]:
    """So many nodes of which the last are clients; each knows its neighbours in the row."""
    async with hosts(count) as swarms, contextlib.AsyncExitStack() as stack:
        found: list[Kad] = []
        for number, swarm in enumerate(swarms):
            kad = Kad(swarm, config, validators=VALIDATORS, is_server=number < count - clients)
            found.append(await stack.enter_async_context(kad))
            if number:
                before = swarms[max(0, min(number, count - clients) - 1)]
                meet(swarm, before, config)
                if number < count - clients:
                    meet(before, swarm, config)
        yield found


def meet(swarm: Swarm, other: Swarm, config: KadConfig = CONFIG) -> None:
    """Let one know what identify would tell it of a server."""
    swarm.emit(PeerIdentified(other.peer_id, frozenset([config.protocol])))


async def ask_anything(asker: Swarm, server: Swarm) -> bytes:
    """The refusal comes with the first answer, when the protocol is proposed along with the question."""
    async with await asker.open_stream(server.peer_id, [CONFIG.protocol]) as stream:
        await write_message(stream, Message(MessageType.PING).serialize())
        return await stream.read()


async def test_what_is_provided_is_found_with_its_addresses() -> None:
    async with nodes(6, clients=2) as dhts:
        provider, seeker = dhts[-1], dhts[-2]
        assert await provider.provide(KEY) == 4
        found = [peer async for peer in seeker.find_providers(KEY, count=1)]
        assert found[0].peer == provider._host.peer_id
        assert found[0].addresses == tuple(bytes(address) for address in provider._host.addresses)


async def test_a_value_is_put_and_found_and_an_old_copy_is_corrected() -> None:
    async with nodes(4) as dhts:
        assert await dhts[0].put_value(b"/n/a", b"1") == 3
        assert await dhts[3].put_value(b"/n/a", b"2") == 3
        assert await dhts[1].find_value(b"/n/a") == b"2"
        assert [value async for value in dhts[2].find_values(b"/n/a", quorum=1)] == [b"2"]


async def test_the_nearest_are_found_through_one_that_is_known() -> None:
    async with nodes(5, clients=1) as dhts:
        found = await dhts[4].find_closest(b"a name")
        assert {peer.peer for peer in found} == {dht._host.peer_id for dht in dhts[:4]}


async def test_a_peer_is_found_by_whom_it_is_connected_to() -> None:
    async with nodes(4, clients=1) as dhts:
        wanted = dhts[0]._host
        assert set(await dhts[3].find_peer(wanted.peer_id)) == set(wanted.addresses)


async def test_nobody_knows_nothing() -> None:
    async with nodes(1) as (alone,):
        assert await alone.find_closest(b"a name") == ()
        assert await alone.find_value(b"/n/a") is None
        assert [peer async for peer in alone.find_providers(KEY)] == []
        assert await alone.provide(KEY) == 0
        with pytest.raises(WireError):
            await alone.put_value(b"/n/a", b"no number")


async def test_a_search_that_is_left_ends_and_leaves_no_query() -> None:
    async with nodes(4) as dhts:
        await dhts[0].provide(KEY)
        async with contextlib.aclosing(dhts[1].find_providers(KEY)) as providers:
            assert (await anext(providers)).peer == dhts[0]._host.peer_id
        assert dhts[1]._waiting == {}


async def test_messages_for_many_keys_reach_servers_that_are_known() -> None:
    async with nodes(3) as dhts:
        servers = [Peer(dht._host.peer_id) for dht in dhts[1:]]
        keys = [b"\x12\x20" + bytes([number]) * 32 for number in range(30)]
        assert await dhts[0].send_provides(servers, keys) == 60
        assert dhts[1].statistics().provider_records == dhts[2].statistics().provider_records == 30


async def test_a_client_is_asked_by_nobody_and_becomes_a_server_when_it_can_be_reached() -> None:
    async with hosts(2) as (alice, bob), Kad(alice, CONFIG) as dht:
        assert not dht.is_server
        alice.emit(ReachabilityChanged(is_public=True))
        assert dht.is_server
        async with Kad(bob, CONFIG, is_server=True) as other:
            meet(bob, alice)
            assert [peer.peer for peer in await other.find_closest(b"a name")] == [alice.peer_id]
        alice.emit(ReachabilityChanged(is_public=None))
        assert not dht.is_server
        with pytest.raises(TransportError):
            await ask_anything(bob, alice)


async def test_a_server_that_says_it_serves_no_more_leaves_the_table() -> None:
    async with nodes(2) as (_first, second):
        assert second.statistics().contacts == 1
        (peer,) = [contact.node.peer for contact in second.dht.table]
        second._host.emit(PeerIdentified(peer, frozenset()))
        assert second.statistics().contacts == 0


async def test_several_requests_on_one_stream_are_answered_in_their_order() -> None:
    """libp2p specs, kad-dht, "RPC messages": go-libp2p reuses streams."""
    async with nodes(2) as (first, second):
        stream = await second._host.open_stream(first._host.peer_id, [CONFIG.protocol])
        async with stream:
            reader = MessageReader(stream)
            own = Peer(second._host.peer_id, tuple(bytes(address) for address in second._host.addresses))
            for message in (
                Message(MessageType.PING),
                Message(MessageType.ADD_PROVIDER, KEY, providers=[own]),
                Message(MessageType.GET_PROVIDERS, KEY),
            ):
                await write_message(stream, message.serialize())
            kinds = [Message.parse(await reader.read() or b"").type for _ in range(2)]
            assert kinds == [MessageType.PING, MessageType.GET_PROVIDERS]


@pytest.mark.parametrize(
    "data",
    [b"\x02\xff\xff", b"\xff" * 12, (MAX_REQUEST + 1).to_bytes(3, "little")],
    ids=["garbage", "endless length", "giant"],
)
async def test_nonsense_resets_its_stream_and_nothing_else(data: bytes) -> None:
    async with nodes(2) as (first, second):
        stream = await second._host.open_stream(first._host.peer_id, [CONFIG.protocol])
        with contextlib.suppress(StreamReset):
            await stream.write(data if len(data) != 3 or data[0] == 2 else b"\x81\x80\x04")
        with pytest.raises(StreamReset):
            await stream.read()
        assert len(await second.find_closest(b"a name")) == 1


async def test_a_stream_on_which_nothing_is_asked_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.kad.aio.IDLE", 0.05)
    async with nodes(2) as (first, second), asyncio.timeout(10):
        stream = await second._host.open_stream(first._host.peer_id, [CONFIG.protocol])
        async with stream:
            await write_message(stream, Message(MessageType.PING).serialize())
            reader = MessageReader(stream)
            assert await reader.read() is not None
            assert await reader.read() is None


async def test_a_peer_that_never_answers_costs_its_time_and_no_more() -> None:
    config = dataclasses.replace(CONFIG, request_timeout=0.2, slow_after=0.1)
    async with hosts(2) as (alice, bob), Kad(alice, config) as dht:
        asked = asyncio.Event()

        async def silent(_stream: object) -> None:
            asked.set()
            await asyncio.Event().wait()

        bob.handle(config.protocol, silent)
        meet(alice, bob, config)
        assert await dht.find_closest(b"a name") == ()
        assert asked.is_set()


async def test_queries_have_a_limit() -> None:
    async with nodes(1, config=dataclasses.replace(CONFIG, max_queries=0)) as (alone,):
        with pytest.raises(ResourceLimitError):
            await alone.find_closest(b"a name")


async def test_statistics_tell_what_is_known_and_done() -> None:
    async with nodes(3) as dhts:
        await dhts[0].provide(KEY)
        told = dhts[1].statistics()
        assert (told.protocol, told.is_server, told.provider_records) == (CONFIG.protocol, True, 1)
        assert told.contacts == sum(told.buckets) >= 1
        assert told.requests_answered >= 2
        assert dhts[0].statistics().requests_sent >= 4
        assert told.network_size is None
