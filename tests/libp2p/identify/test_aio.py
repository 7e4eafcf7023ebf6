"""Swarms that identify themselves, push what changes, and do not believe everything."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.libp2p.hosts import hosts, seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import write_message
from zwerm.libp2p.host import HostEvent, PeerIdentified
from zwerm.libp2p.identify.aio import PROTOCOL, PUSH
from zwerm.libp2p.identify.message import MAX_PART, MAX_PARTS, Identify
from zwerm.libp2p.identify.peer_record import PeerRecord
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr


class Identified:
    """What peers told a swarm about themselves."""

    def __init__(self, swarm: Swarm) -> None:
        self._events: asyncio.Queue[PeerIdentified] = asyncio.Queue()
        swarm.subscribe(self._note)

    def _note(self, event: HostEvent) -> None:
        if isinstance(event, PeerIdentified):
            self._events.put_nowait(event)

    async def next(self) -> PeerIdentified:
        return await self._events.get()


async def echo(stream: Stream) -> None: ...


async def test_both_sides_know_each_other_soon_after_they_connect() -> None:
    async with hosts(2) as (alice, bob):
        bob.handle("/echo", echo)
        alices, bobs = Identified(alice), Identified(bob)
        await alice.connect(bob.peer_id)
        event = await alices.next()
        assert event.peer == bob.peer_id
        assert {"/echo", PROTOCOL, PUSH} <= event.protocols == alice.peers.protocols(bob.peer_id)
        assert alice.peers.agent(bob.peer_id) == "host 1"
        record = alice.peers.signed_record(bob.peer_id)
        assert record is not None
        assert PeerRecord.open_untrusted(record).addresses == tuple(bob.addresses)
        assert (await bobs.next()).peer == alice.peer_id
        assert bob.peers.addresses(alice.peer_id) == list(alice.addresses)


async def test_a_change_is_pushed_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.identify.aio.PUSH_DELAY", 0.0)
    async with hosts(2) as (alice, bob):
        bobs, alices = Identified(bob), Identified(alice)
        await alice.connect(bob.peer_id)
        await bobs.next()
        await alices.next()
        outside = Multiaddr.from_text("/ip4/198.51.100.7/tcp/4001")
        alice.add_external_address(outside)
        while outside not in bob.peers.addresses(alice.peer_id):
            await bobs.next()
        alice.handle("/late", echo)
        while "/late" not in (await bobs.next()).protocols:
            pass
        alice.unhandle("/late")
        while "/late" in (await bobs.next()).protocols:
            pass


async def test_a_push_changes_what_it_says_and_nothing_else() -> None:
    async with hosts(2) as (alice, bob):
        bobs = Identified(bob)
        await alice.connect(bob.peer_id)
        before = (await bobs.next()).protocols
        async with await alice.open_stream(bob.peer_id, [PUSH]) as stream:
            await write_message(stream, Identify(agent_version="renamed").serialize())
        assert (await bobs.next()).protocols == before
        assert bob.peers.agent(alice.peer_id) == "renamed"


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Identify(seeded_key(5).public.serialize()), "names another's key as its own"),
        (
            Identify(signed_record=PeerRecord(PeerId.of(seeded_key(5).public), 1, ()).seal(seeded_key(5))),
            "shows the record of",
        ),
        (Identify(signed_record=b"nothing"), "protobuf"),
    ],
    ids=["another's key", "another's record", "a broken record"],
)
async def test_what_a_peer_says_of_others_as_its_own_is_refused(
    message: Identify, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with hosts(2) as (alice, bob):
        bobs = Identified(bob)
        await alice.connect(bob.peer_id)
        await bobs.next()
        stream = await alice.open_stream(bob.peer_id, [PUSH])
        await write_message(stream, message._replace(agent_version="liar").serialize())
        await stream.close_write()
        with pytest.raises(StreamReset):
            await stream.read()
        assert bob.peers.agent(alice.peer_id) == "host 0"
        line = next(record.getMessage() for record in caplog.records if complaint in record.getMessage())
        assert str(alice.peer_id) in line


@pytest.mark.parametrize(
    "wire",
    [
        b"\xff" * 64,
        b"\x81\x80\x01" + b"x" * 16_385,
        b"\x00" * (MAX_PARTS + 1),
    ],
    ids=["a length without end", "a giant part", "too many parts"],
)
async def test_an_identify_without_measure_is_cut_off_and_said(wire: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert MAX_PART == 16_384
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with hosts(2) as (alice, bob):
        bobs = Identified(bob)
        await alice.connect(bob.peer_id)
        await bobs.next()
        stream = await alice.open_stream(bob.peer_id, [PUSH])
        await stream.write(wire)
        with pytest.raises(StreamReset):
            await stream.read()
        lines = [record.getMessage() for record in caplog.records]
        assert any(str(alice.peer_id) in line and ("expected at most" in line or "parts" in line) for line in lines)


async def test_a_peer_that_does_not_identify_itself_is_still_a_peer() -> None:
    async with hosts(1) as (alice,):
        network = alice._transports[0]._network  # type: ignore[attr-defined]
        async with hosts(2, network=_Shifted(network), identify=False) as (_, mute):
            connection = await alice.connect(mute.peer_id, mute.listen_addresses)
            assert alice.identify is not None
            with pytest.raises(StreamReset, match="none of /ipfs/id"):
                await alice.identify.identify(connection)
            assert alice.connections == (connection,)


class _Shifted:
    """A network in which the ports of the first are not taken."""

    def __init__(self, network) -> None:  # type: ignore[no-untyped-def]
        self._network = network

    def listen(self, port, transport, accept):  # type: ignore[no-untyped-def]
        return self._network.listen(port + 100, transport, accept)

    def find(self, port):  # type: ignore[no-untyped-def]
        return self._network.find(port)


async def test_a_record_that_cannot_be_read_leaves_the_rest_unlearnt() -> None:
    async with hosts(2, connected=True) as (alice, bob):
        assert alice.identify is not None
        connection = alice.connections_to(bob.peer_id)[0]
        with pytest.raises(WireError):
            alice.identify._learn_untrusted(connection, Identify(b"no key", agent_version="x"))
        assert alice.peers.agent(bob.peer_id) != "x"
