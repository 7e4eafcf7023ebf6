"""Peers that want too much, over memory: each is refused, said once in the log with its name, and harms nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from tests.libp2p.hosts import hosts
from zwerm.core.errors import ResourceLimitError
from zwerm.libp2p.host import DialFailed, PeerDisconnected
from zwerm.libp2p.multistream.message import HEADER, serialize
from zwerm.libp2p.stream import MuxedStream, Stream, StreamReset
from zwerm.libp2p.swarm import Limits, Swarm

HEADER_LINE = serialize(HEADER)
PATIENCE = 10.0  # seconds, so that a test without its defence fails instead of hanging


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged so far, read anew at each look."""
    caplog.set_level(logging.INFO, "zwerm.libp2p")

    class Lines(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter([record.getMessage() for record in caplog.records])

    return Lines()


async def hang(stream: Stream) -> None:
    await asyncio.Event().wait()


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def read_all(stream: MuxedStream) -> None:
    while await stream.read():
        pass


async def read_one(client: Swarm, server: Swarm, protocol: str) -> None:
    stream = await client.open_stream(server.peer_id, [protocol])  # agreed on before it is counted
    await stream.read()


async def is_served(client: Swarm, server: Swarm) -> bool:
    async with await client.open_stream(server.peer_id, ["/echo"]) as stream:
        await stream.write(b"still there?")
        return await stream.read() == b"still there?"


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"\xff" * 4_096, "more than 1024 bytes"),
        (b"\x80\x10" + b"x" * 2_048, "2048 bytes, expected 1 to 1024"),
        (HEADER_LINE + serialize("/x") * 40, "32 proposals"),
        (serialize("/http/1.1"), "expected '/multistream/1.0.0'"),
    ],
    ids=["a length without end", "a giant line", "proposals without end", "another protocol"],
)
async def test_a_negotiation_without_measure_ends_the_stream(wire: bytes, complaint: str, lines: list[str]) -> None:
    async with hosts(3, identify=False) as (mallory, bob, carol):
        bob.handle("/echo", echo)
        connection = await mallory.connect(bob.peer_id)
        stream = await connection.muxed.open_stream()
        await stream.write(wire)
        with pytest.raises(StreamReset):
            await read_all(stream)
        assert [line for line in lines if str(mallory.peer_id) in line and complaint in line]
        assert bob._ledger.total == 0
        assert await is_served(carol, bob)


async def test_streams_that_say_nothing_reach_their_peers_limit_and_nobody_elses(lines: list[str]) -> None:
    async with hosts(3, identify=False, limits=Limits(streams_per_peer=5)) as (mallory, bob, carol):
        bob.handle("/echo", echo)
        connection = await mallory.connect(bob.peer_id)
        streams = [await connection.muxed.open_stream() for _ in range(10)]
        for stream in streams[5:]:
            with pytest.raises(StreamReset):
                await stream.read()
        refused = [line for line in lines if "refused streams" in line]
        assert len(refused) == 1
        assert f"6 streams that {mallory.peer_id} opened, the limit is 5" in refused[0]
        assert await is_served(carol, bob)
        streams[0].reset()
        await connection.muxed.open_stream()
        await asyncio.sleep(0)
        assert bob._ledger.total <= 6


async def test_streams_of_one_protocol_reach_its_limit(lines: list[str]) -> None:
    limits = Limits(streams_per_protocol=2)
    async with hosts(2, identify=False, limits=limits) as (mallory, bob):
        bob.handle("/hang", hang)
        bob.handle("/echo", echo)
        kept = [await mallory.open_stream(bob.peer_id, ["/hang"]) for _ in range(2)]
        with pytest.raises(StreamReset):
            await asyncio.wait_for(read_one(mallory, bob, "/hang"), PATIENCE)
        assert [line for line in lines if f"3 streams of /hang that {mallory.peer_id} opened" in line]
        assert await is_served(mallory, bob)
        kept[0].reset()


async def test_our_own_streams_have_a_limit_too_and_are_given_back() -> None:
    async with hosts(2, identify=False, limits=Limits(streams=2)) as (alice, bob):
        bob.handle("/echo", echo)
        for _ in range(5):
            assert await is_served(alice, bob)
        assert alice._ledger.total == 0
        stream = await alice.open_stream(bob.peer_id, ["/echo"])
        other = await alice.open_stream(bob.peer_id, ["/echo"])
        with pytest.raises(ResourceLimitError, match="3 open streams, the limit is 2"):
            await alice.open_stream(bob.peer_id, ["/echo"])
        await alice.disconnect(bob.peer_id)
        assert alice._ledger.total == 0
        for gone in (stream, other):
            with pytest.raises(StreamReset):
                await gone.read()


async def test_a_peer_that_connects_again_and_again_keeps_a_few(lines: list[str]) -> None:
    async with hosts(2, identify=False, limits=Limits(connections_per_peer=2)) as (mallory, bob):
        transport = mallory._transports[0]
        for _ in range(5):
            await transport.dial(bob.listen_addresses[0], bob.peer_id)
        assert len(bob.connections) == 2
        refused = [line for line in lines if f"3 connections with {mallory.peer_id}, the limit is 2" in line]
        assert len(refused) == 3


async def test_only_who_is_on_the_list_is_talked_to_whoever_calls(lines: list[str]) -> None:
    async with hosts(3, identify=False) as (alice, bob, carol):
        bob.set_allowed({alice.peer_id})
        connection = await carol.connect(bob.peer_id)
        await asyncio.wait_for(asyncio.shield(connection.watch), PATIENCE)
        assert [line for line in lines if str(carol.peer_id) in line and "not on the list" in line]
        with pytest.raises(DialFailed, match="not on the list"):
            await bob.connect(carol.peer_id)
        await alice.connect(bob.peer_id)
        assert [each.remote_peer for each in bob.connections] == [alice.peer_id]
        gone = asyncio.Event()
        bob.subscribe(lambda event: gone.set() if isinstance(event, PeerDisconnected) else None)
        bob.set_allowed(set())
        await gone.wait()
        assert bob.connections == ()
        bob.set_allowed(None)
        await bob.connect(carol.peer_id)


async def test_who_was_sent_away_stays_away_for_a_while_whoever_calls(lines: list[str]) -> None:
    async with hosts(2, identify=False) as (alice, bob):
        await alice.connect(bob.peer_id)
        await bob.disconnect(alice.peer_id, rest=60.0)
        with pytest.raises(DialFailed, match="was sent away, and is left alone for another 60 s"):
            await bob.connect(alice.peer_id)
        refused = await alice.connect(bob.peer_id)
        await asyncio.wait_for(asyncio.shield(refused.watch), PATIENCE)
        assert [line for line in lines if str(alice.peer_id) in line and "was sent away" in line]
        bob.forget_failures()
        await bob.connect(alice.peer_id)


async def test_who_is_sent_away_for_no_time_may_come_back_at_once() -> None:
    async with hosts(2, identify=False) as (alice, bob):
        await alice.connect(bob.peer_id)
        await bob.disconnect(alice.peer_id)
        await bob.connect(alice.peer_id)
