"""Swarms among each other: who is connected, who answers what, and what ends with what."""

from __future__ import annotations

import asyncio
import functools
import logging

import pytest

from tests.libp2p.hosts import hosts, seeded_key, start_host
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.errors import LocalProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import AddressesChanged, DialFailed, HostEvent, PeerConnected, PeerDisconnected
from zwerm.libp2p.stream import ConnectionClosed, Direction, ProtocolNotSupported, Stream, StreamReset
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.transports.memory import MemoryNetwork
from zwerm.multiformats.multiaddr import Multiaddr

ECHO = "/echo/1.0.0"

quiet_hosts = functools.partial(hosts, identify=False)


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def read_all(stream: Stream) -> bytes:
    data = b""
    while part := await stream.read():
        data += part
    return data


class Events:
    """What a swarm tells, to be waited for."""

    def __init__(self, swarm: Swarm) -> None:
        self._queue: asyncio.Queue[HostEvent] = asyncio.Queue()
        swarm.subscribe(self._queue.put_nowait)

    async def next(self) -> HostEvent:
        return await self._queue.get()


async def test_a_stream_speaks_the_protocol_that_was_asked_for() -> None:
    async with quiet_hosts(2) as (alice, bob):
        bob.handle(ECHO, echo)
        async with await alice.open_stream(bob.peer_id, ["/other", ECHO]) as stream:
            assert stream.protocol == ECHO
            assert stream.connection.remote_peer == bob.peer_id
            assert stream.direction is Direction.OUTBOUND
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
            await stream.close_write()
            assert await stream.read() == b""
        assert alice.connections[0].streams == ()


async def test_a_protocol_that_nobody_speaks_is_named() -> None:
    async with quiet_hosts(2) as (alice, bob):
        with pytest.raises(ProtocolNotSupported, match="none of /nothing"):
            await alice.open_stream(bob.peer_id, ["/nothing"])
        bob.handle(ECHO, echo)
        bob.unhandle(ECHO)
        with pytest.raises(ProtocolNotSupported):
            await alice.open_stream(bob.peer_id, [ECHO])
        assert alice.connections[0].streams == ()


async def test_a_protocol_that_the_peer_is_known_to_speak_costs_no_round_trip() -> None:
    async with quiet_hosts(2, connected=True) as (alice, bob):
        served = asyncio.Event()

        async def answer_first(stream: Stream) -> None:
            await stream.write(b"first word")
            served.set()
            await echo(stream)

        bob.handle(ECHO, answer_first)
        alice.peers.set_protocols(bob.peer_id, [ECHO])
        stream = await alice.open_stream(bob.peer_id, [ECHO])
        assert not served.is_set()  # nothing has gone out: it goes with the first write, or is asked for by a read
        assert await stream.read() == b"first word"
        await stream.write(b"x" * 100_000)
        await stream.close_write()
        assert await read_all(stream) == b"x" * 100_000

        stream = await alice.open_stream(bob.peer_id, [ECHO])
        await stream.write(b"y" * 100_000)
        await stream.close_write()
        assert await read_all(stream) == b"first word" + b"y" * 100_000


async def test_reading_and_writing_at_once_sends_the_proposal_once_and_first() -> None:
    async with quiet_hosts(2, connected=True) as (alice, bob):
        bob.handle(ECHO, echo)
        alice.peers.set_protocols(bob.peer_id, [ECHO])
        for _ in range(3):
            async with await alice.open_stream(bob.peer_id, [ECHO]) as stream:
                got, _ = await asyncio.gather(stream.read(), stream.write(b"both"))
                assert got == b"both"


async def test_a_peer_that_stopped_speaking_a_protocol_says_so_when_it_is_read() -> None:
    async with quiet_hosts(2, connected=True) as (alice, bob):
        alice.peers.set_protocols(bob.peer_id, [ECHO])
        stream = await alice.open_stream(bob.peer_id, [ECHO])
        await stream.write(b"hello")
        with pytest.raises(ProtocolNotSupported):
            await stream.read()
        with pytest.raises(StreamReset):
            await stream.write(b"more")
        assert alice.connections[0].streams == ()


async def test_a_stream_that_says_nothing_tells_its_protocol_all_the_same() -> None:
    async with quiet_hosts(2, connected=True) as (alice, bob):
        called = asyncio.Event()

        async def note(stream: Stream) -> None:
            called.set()

        bob.handle("/note", note)
        alice.peers.set_protocols(bob.peer_id, ["/note"])
        async with await alice.open_stream(bob.peer_id, ["/note"]):
            pass
        await called.wait()


async def test_a_stream_is_reset_when_its_block_raises() -> None:
    async with quiet_hosts(2) as (alice, bob):
        ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

        async def watch(stream: Stream) -> None:
            try:
                await stream.read()
            except StreamReset as error:
                ended.set_result(error)

        bob.handle(ECHO, watch)
        with pytest.raises(ZeroDivisionError):
            async with await alice.open_stream(bob.peer_id, [ECHO]):
                raise ZeroDivisionError
        assert isinstance(await ended, StreamReset)


async def test_a_handler_that_fails_resets_its_stream_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with quiet_hosts(2) as (alice, bob):

        async def fail(stream: Stream) -> None:
            await stream.read()
            raise ZeroDivisionError

        bob.handle("/fail", fail)
        bob.handle(ECHO, echo)
        async with await alice.open_stream(bob.peer_id, [ECHO]) as good:
            bad = await alice.open_stream(bob.peer_id, ["/fail"])
            await bad.write(b"now")
            with pytest.raises(StreamReset):
                await bad.read()
            assert [f"handler of /fail failed with {alice.peer_id}"] == [
                record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR
            ]
            await good.write(b"still here")
            assert await good.read() == b"still here"


async def test_one_connection_serves_all_who_ask_at_once() -> None:
    async with quiet_hosts(2) as (alice, bob):
        connections = await asyncio.gather(*(alice.connect(bob.peer_id) for _ in range(10)))
        assert set(connections) == set(alice.connections)
        assert len(alice.connections) == 1
        assert await alice.connect(bob.peer_id) is connections[0]


async def test_who_comes_and_goes_is_told_once_for_each_peer() -> None:
    async with quiet_hosts(2) as (alice, bob):
        at_alice, at_bob = Events(alice), Events(bob)
        await alice.connect(bob.peer_id)
        assert await at_alice.next() == PeerConnected(bob.peer_id)
        assert await at_bob.next() == PeerConnected(alice.peer_id)
        await bob.disconnect(alice.peer_id)
        assert await at_alice.next() == PeerDisconnected(bob.peer_id, "the peer closed the connection")
        assert await at_bob.next() == PeerDisconnected(alice.peer_id, "closed here")
        assert alice.connections == bob.connections == ()


async def test_a_subscriber_that_fails_or_leaves_keeps_nothing_from_the_others() -> None:
    async with quiet_hosts(2) as (alice, bob):
        told: list[HostEvent] = []

        def fail(event: HostEvent) -> None:
            raise ZeroDivisionError

        alice.subscribe(fail)
        leave = alice.subscribe(told.append)
        alice.subscribe(lambda event: leave())
        await alice.connect(bob.peer_id)
        await alice.disconnect(bob.peer_id)
        assert told == [PeerConnected(bob.peer_id)]


async def test_addresses_are_those_listened_on_and_those_found_out() -> None:
    async with quiet_hosts(1) as (alice,):
        events = Events(alice)
        assert alice.addresses == (Multiaddr.from_text("/memory/1"),)
        outside = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
        alice.add_external_address(outside)
        alice.add_external_address(outside)
        assert await events.next() == AddressesChanged((Multiaddr.from_text("/memory/1"), outside))
        alice.remove_external_address(outside)
        assert await events.next() == AddressesChanged((Multiaddr.from_text("/memory/1"),))
        with pytest.raises(TransportError, match="no transport here listens"):
            await alice.listen([outside])


async def test_more_connections_than_the_limit_are_refused_by_both_sides() -> None:
    network = MemoryNetwork()
    async with quiet_hosts(4, limits=Limits(connections=1), network=network) as (alice, bob, carol, dave):
        await alice.connect(bob.peer_id)
        with pytest.raises(ResourceLimitError, match="2 connections, the limit is 1"):
            await alice.connect(carol.peer_id)
        events = Events(dave)
        await dave.connect(bob.peer_id)
        assert await events.next() == PeerConnected(bob.peer_id)
        assert isinstance(await events.next(), PeerDisconnected)
        assert [connection.remote_peer for connection in bob.connections] == [alice.peer_id]


async def test_a_node_does_not_call_itself_nor_anybody_once_it_is_closed() -> None:
    async with quiet_hosts(2) as (alice, bob):
        with pytest.raises(DialFailed, match="this node"):
            await alice.connect(alice.peer_id)
        await alice.close()
        await alice.close()
        with pytest.raises(DialFailed, match="closed"):
            await alice.connect(bob.peer_id)


async def test_closing_ends_handlers_and_streams() -> None:
    async with quiet_hosts(2) as (alice, bob):
        begun = asyncio.Event()

        async def hang(stream: Stream) -> None:
            begun.set()
            await asyncio.Event().wait()

        bob.handle("/hang", hang)
        stream = await alice.open_stream(bob.peer_id, ["/hang"])
        await begun.wait()
        await bob.close()
        with pytest.raises(StreamReset):
            await stream.read()
        with pytest.raises(ConnectionClosed):
            await stream.connection.open_stream([ECHO])


async def test_a_protocol_has_one_handler() -> None:
    async with quiet_hosts(1) as (alice,):
        alice.handle(ECHO, echo)
        assert alice.protocols == (ECHO,)
        with pytest.raises(LocalProtocolError, match="has a handler"):
            alice.handle(ECHO, echo)


async def test_a_stranger_is_found_by_whoever_knows_where_peers_are() -> None:
    async with quiet_hosts(1) as (alice,):
        network = alice._transports[0]._network  # type: ignore[attr-defined]
        async with await start_host(7, network, identify=False) as other:
            with pytest.raises(DialFailed, match=r"no address of .* is known"):
                await alice.connect(other.peer_id)
            asked: list[PeerId] = []

            async def find(peer: PeerId) -> list[Multiaddr]:
                asked.append(peer)
                return list(other.listen_addresses)

            alice.find_peer = find
            await alice.connect(other.peer_id)
            assert asked == [other.peer_id]


async def test_a_stream_whose_negotiation_is_never_answered_is_given_up() -> None:
    async with quiet_hosts(2, limits=Limits(negotiation_time=0.05)) as (alice, bob):
        connection = await alice.connect(bob.peer_id)
        silent = bob.connections[0].muxed
        silent._on_stream = lambda stream: None  # type: ignore[attr-defined]
        with pytest.raises(StreamReset, match=r"no answer of .* to /echo/1.0.0 in 0.05 s"):
            await connection.open_stream([ECHO])


async def test_a_peer_that_opens_streams_and_says_nothing_does_not_keep_them() -> None:
    async with quiet_hosts(2, limits=Limits(naming_time=0.05)) as (alice, bob):
        connection = await alice.connect(bob.peer_id)
        muxed = await connection.muxed.open_stream()
        async with asyncio.timeout(10):
            with pytest.raises(StreamReset):
                await muxed.read()


def test_the_keys_of_hosts_are_the_same_in_every_run() -> None:
    assert str(PeerId.of(seeded_key(0).public)) == str(PeerId.of(seeded_key(0).public))


async def test_a_connection_on_which_nothing_was_heard_since_its_peer_made_another_comes_last() -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob:
        await bob.listen([LOOPBACK])
        bob.handle(ECHO, echo)
        first = await alice.connect(bob.peer_id, bob.addresses)
        old = bob.connections[0]
        made = await alice._transports[0].dial(bob.addresses[0], bob.peer_id)
        async with asyncio.timeout(10):
            while len(bob.connections) < 2:  # noqa: ASYNC110 -- what is waited for tells nobody
                await asyncio.sleep(0.005)
        new = bob.connections[1]
        assert bob.connections_to(alice.peer_id) == [new, old]
        async with await first.open_stream([ECHO]) as stream:
            await stream.write(b"still there")
            assert await stream.read() == b"still there"
        assert bob.connections_to(alice.peer_id) == [old, new]
        await made.close()
