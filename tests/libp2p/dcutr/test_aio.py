"""An upgrade among hosts in one process; `tests/netlab/test_dcutr.py` has it with real boxes in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from tests.libp2p.hosts import FOREVER, hosts, seeded_key
from tests.net.sockets import until
from zwerm.core.errors import TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.dcutr import aio as dcutr
from zwerm.libp2p.dcutr.aio import DirectUpgrade
from zwerm.libp2p.dcutr.message import PROTOCOL, HolePunch, MessageType
from zwerm.libp2p.framing import read_message
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.stream import Connection, MuxedConnection, Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.circuit import CircuitTransport
from zwerm.libp2p.transports.memory import MemoryNetwork, MemoryTransport
from zwerm.multiformats.multiaddr import Multiaddr

ECHO = "/echo/1.0.0"


class Puncher(MemoryTransport):
    """Memory behind a box: nobody is dialled in the usual way but the relay, and two may meet."""

    def __init__(self, network: MemoryNetwork, peer: PeerId, *, is_strict: bool) -> None:
        super().__init__(network, peer)
        self.is_strict = is_strict  # the box lets nothing through
        self.punched: list[bool] = []  # as client, each time

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MuxedConnection:
        if str(address) != "/memory/2":
            raise TransportError("a box is in the way")
        return await super().dial(address, peer)

    def can_punch(self, address: Multiaddr) -> bool:
        return self.can_dial(address)

    async def punch(self, address: Multiaddr, peer: PeerId, *, is_client: bool) -> MuxedConnection:
        self.punched.append(is_client)
        if self.is_strict:
            raise TransportError("the box is strict")
        if not is_client:  # as QUIC: the other side's dial comes to the listener
            await asyncio.Event().wait()
        return await super().dial(address, peer)


class Scene(NamedTuple):
    """Two that know each other through a relay only."""

    caller: Swarm
    callee: Swarm
    upgrades: tuple[DirectUpgrade, DirectUpgrade]
    punchers: tuple[Puncher, Puncher]
    relayed: Multiaddr


@contextlib.asynccontextmanager
async def scene(monkeypatch: pytest.MonkeyPatch, *, is_strict: bool = False) -> AsyncIterator[Scene]:
    monkeypatch.setattr(dcutr, "is_public", lambda address: address.names == ("memory",))
    monkeypatch.setattr(dcutr, "_LOOK", 0.01)
    monkeypatch.setattr(dcutr, "DIAL_TIME", 2.0)
    network = MemoryNetwork()
    async with hosts(3, network=network) as (_, relay, _), contextlib.AsyncExitStack() as stack:
        server = RelayServer(relay)
        server.start()
        stack.callback(server.stop)
        ends, upgrades, punchers = [], [], []
        for number in (10, 11):
            key = seeded_key(number)
            puncher = Puncher(network, PeerId.of(key.public), is_strict=is_strict)
            swarm = await stack.enter_async_context(Swarm(key, [puncher]))
            await swarm.listen([Multiaddr.from_text(f"/memory/{number}")])
            swarm.add_transport(CircuitTransport(swarm, Upgrade(securities(key))))
            swarm.peers.add_addresses(relay.peer_id, relay.listen_addresses, FOREVER)
            upgrade = DirectUpgrade(swarm, grace=0.01, longest_grace=0.2)
            upgrade.start()
            swarm.handle(ECHO, echo, allow_limited=True)
            ends.append(swarm)
            upgrades.append(upgrade)
            punchers.append(puncher)
        circuit = Multiaddr.from_text(f"/memory/2/p2p/{relay.peer_id}/p2p-circuit")
        await ends[1].listen([circuit])
        yield Scene(ends[0], ends[1], (upgrades[0], upgrades[1]), (punchers[0], punchers[1]), circuit)


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def ask(connection: Connection) -> None:
    """Begin the protocol, and hear what is said to that."""
    async with await connection.open_stream([PROTOCOL]) as stream:
        await stream.write(HolePunch(MessageType.CONNECT).frame())
        await stream.read()


def addresses_to(swarm: Swarm, other: Swarm) -> list[str]:
    return [str(each.remote_address) for each in swarm.connections_to(other.peer_id)]


async def test_a_relayed_connection_becomes_a_direct_one_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as made:
        await made.caller.connect(made.callee.peer_id, [made.relayed])
        await until(lambda: made.caller.connections_to(made.callee.peer_id)[0].is_limited is False)
        await until(lambda: len(made.caller.connections_to(made.callee.peer_id)) == 1)
        await until(lambda: len(made.callee.connections_to(made.caller.peer_id)) == 1)
        assert addresses_to(made.caller, made.callee) == ["/memory/11"]
        assert made.punchers[0].punched == [True]
        await until(lambda: [each.succeeded for each in made.upgrades] == [1, 1])


async def test_streams_on_the_relayed_connection_may_end_before_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as made:
        relayed = await made.caller.connect(made.callee.peer_id, [made.relayed])
        stream = await relayed.open_stream([ECHO])
        await stream.write(b"still here")
        await until(lambda: len(made.callee.connections_to(made.caller.peer_id)) == 2)
        assert await stream.read() == b"still here"
        with pytest.raises(StreamReset):  # it never ends, so it is ended
            await stream.read()
        await until(lambda: addresses_to(made.caller, made.callee) == ["/memory/11"])


async def test_what_cannot_go_direct_stays_relayed_after_three_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, is_strict=True) as made:
        connection = await made.caller.connect(made.callee.peer_id, [made.relayed])
        await until(lambda: made.upgrades[1].failed == 1)
        assert made.punchers[0].punched == [True] * 3
        assert made.punchers[1].punched == [False] * 3
        assert connection in made.caller.connections_to(made.callee.peer_id)
        async with await connection.open_stream([ECHO]) as stream:
            await stream.write(b"by the relay")
            assert await stream.read() == b"by the relay"


async def test_addresses_inside_a_network_are_not_dialled_because_a_peer_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Multiaddr, ...]] = []
    inside = HolePunch(MessageType.CONNECT, (Multiaddr.from_text("/ip4/192.168.1.1/tcp/80"),))

    async def answer(stream: Stream) -> None:
        asked.append(HolePunch.parse(await read_message(stream) or b"").addresses)
        await stream.write(inside.frame())
        await read_message(stream)

    async with scene(monkeypatch) as made:
        made.upgrades[0].stop()
        made.caller.handle(PROTOCOL, answer, allow_limited=True)
        await made.caller.connect(made.callee.peer_id, [made.relayed])
        await until(lambda: made.upgrades[1].failed == 1)
        assert asked == [(Multiaddr.from_text("/memory/11"),)] * 3
        assert made.punchers[1].punched == []


async def test_the_protocol_is_refused_on_a_direct_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as made:
        await made.caller.connect(made.callee.peer_id, [made.relayed])
        await until(lambda: not made.caller.connections_to(made.callee.peer_id)[0].is_limited)
        with pytest.raises(StreamReset):
            await ask(made.caller.connections_to(made.callee.peer_id)[0])


async def test_no_more_upgrades_than_said_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcutr, "MAX_UNDER_WAY", 0)
    async with scene(monkeypatch) as made:
        connection = await made.caller.connect(made.callee.peer_id, [made.relayed])
        with pytest.raises(StreamReset):
            await ask(connection)
        assert made.punchers[1].punched == []
