"""Connections through a relay: secured end to end, listened for by a reservation that is kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.core.errors import RemoteProtocolError, TransportError
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.relay.message import HOP, STOP, HopMessage, HopType, Reservation, Status, StopMessage, StopType
from zwerm.libp2p.relay.slots import RelayLimits
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.circuit import CircuitTransport
from zwerm.multiformats.multiaddr import Multiaddr

ECHO = "/echo/1.0.0"
NO_LIMITS = RelayLimits(circuit_time=0.0, circuit_data=0)


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


@contextlib.asynccontextmanager
async def meeting(
    limits: RelayLimits | None = None, least_time: float = 30.0
) -> AsyncIterator[tuple[Swarm, Swarm, Swarm, RelayServer]]:
    """Give a client, a relay and a target; client and target know the relay only, and dial through it."""
    async with hosts(3) as (client, relay, target):
        for host, other in ((client, target), (target, client)):
            host.peers.remove_addresses(other.peer_id)
            upgrade = Upgrade(securities(host.key))
            host.add_transport(CircuitTransport(host, upgrade, least_time=least_time, retry=(0.01,)))
            host.handle(ECHO, echo, allow_limited=True)
        server = RelayServer(relay, limits)
        server.start()
        yield client, relay, target, server
        server.stop()


def by(relay: Swarm) -> Multiaddr:
    return Multiaddr.from_text(f"/memory/2/p2p/{relay.peer_id}/p2p-circuit")


async def said_back(host: Swarm, other: Swarm, data: bytes = b"over there") -> bytes:
    back = b""
    async with await host.open_stream(other.peer_id, [ECHO], allow_limited=True) as stream:

        async def send() -> None:
            await stream.write(data)
            await stream.close_write()

        sending = asyncio.create_task(send())
        try:
            while more := await stream.read():
                back += more
        finally:
            await asyncio.wait([sending])
        await sending
    return back


async def test_two_that_only_reach_a_relay_reach_each_other() -> None:
    async with meeting() as (client, relay, target, server):
        await target.listen([by(relay)])
        assert list(target.addresses) == [Multiaddr.from_text("/memory/3"), by(relay)]
        connection = await client.connect(target.peer_id, [by(relay)])
        assert connection.is_limited
        assert connection.security in ("/noise", "/tls/1.0.0")
        assert connection.remote_address == by(relay)
        assert await said_back(client, target) == b"over there"
        (back,) = target.connections_to(client.peer_id)
        assert back.is_limited
        assert await said_back(target, client) == b"over there"
        assert server.circuits == 1
        await client.disconnect(target.peer_id)
        await until(lambda: server.circuits == 0 and not target.connections_to(client.peer_id))


async def test_a_relay_without_limits_gives_connections_as_good_as_any() -> None:
    async with meeting(NO_LIMITS) as (client, relay, target, _):
        await target.listen([by(relay)])
        connection = await client.connect(target.peer_id, [by(relay)])
        assert not connection.is_limited
        data = bytes(range(256)) * 8_192
        assert await said_back(client, target, data) == data


async def test_a_limited_connection_serves_only_who_accepts_one() -> None:
    async with meeting() as (client, relay, target, _):
        await target.listen([by(relay)])
        await client.connect(target.peer_id, [by(relay)])
        with pytest.raises(DialFailed):
            await client.open_stream(target.peer_id, [ECHO])


async def test_a_circuit_that_reaches_its_limit_ends_the_connection() -> None:
    async with meeting(RelayLimits(circuit_data=20_000)) as (client, relay, target, _):
        await target.listen([by(relay)])
        await client.connect(target.peer_id, [by(relay)])
        with pytest.raises(StreamReset):
            await said_back(client, target, bytes(40_000))
        await until(lambda: not client.connections_to(target.peer_id))


async def test_dialling_fails_in_words_when_nobody_reserved() -> None:
    async with meeting() as (client, relay, target, _):
        with pytest.raises(DialFailed, match="says: no reservation"):
            await client.connect(target.peer_id, [by(relay)])


async def test_listening_fails_in_words_when_the_relay_refuses() -> None:
    async with meeting(RelayLimits(reservations=0)) as (_, relay, target, _):
        with pytest.raises(TransportError, match="says: reservation refused"):
            await target.listen([by(relay)])
        assert STOP not in target.protocols


async def test_what_is_listened_on_twice_is_refused_and_the_first_stays() -> None:
    async with meeting() as (client, relay, target, _):
        await target.listen([by(relay)])
        with pytest.raises(TransportError, match="already"):
            await target.listen([by(relay)])
        await client.connect(target.peer_id, [by(relay)])


async def test_a_reservation_is_renewed_before_it_ends() -> None:
    async with meeting(RelayLimits(reservation_time=2.0), least_time=0.01) as (_, relay, target, server):
        asked: list[float] = []
        reserve = server._slots.reserve
        server._slots.reserve = lambda *given: asked.append(given[2]) or reserve(*given)  # type: ignore[method-assign]
        await target.listen([by(relay)])
        await until(lambda: len(asked) >= 3)
        assert by(relay) in target.addresses


async def test_a_relay_that_goes_takes_its_address_along_and_is_asked_again() -> None:
    async with meeting() as (client, relay, target, server):
        await target.listen([by(relay)])
        changes: list[bool] = []
        target.subscribe(lambda _: changes.append(by(relay) in target.addresses))
        await relay.disconnect(target.peer_id)
        await until(lambda: False in changes and changes[-1])
        await client.connect(target.peer_id, [by(relay)])
        assert await said_back(client, target) == b"over there"
        assert server.reservations == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"\xff", "varint"),
        (HopMessage(HopType.CONNECT).serialize(), "expected STATUS"),
        (HopMessage(HopType.STATUS, reservation=Reservation(1, (), None), status=Status.OK).serialize(), "is over"),
        (HopMessage(HopType.STATUS, status=Status.OK).serialize(), "says: ok"),
        (HopMessage(HopType.STATUS).serialize(), "says: nothing"),
    ],
    ids=["nonsense", "no status", "in the past", "no reservation", "no word"],
)
async def test_a_relay_that_answers_nonsense_is_refused(answer: bytes, complaint: str) -> None:
    async def lie(stream: Stream) -> None:
        await read_message(stream)
        await write_message(stream, answer)

    async with meeting() as (_, relay, target, server):
        server.stop()
        relay.handle(HOP, lie)
        with pytest.raises((TransportError, RemoteProtocolError), match=complaint):
            await target.listen([by(relay)])
        assert by(relay) not in target.addresses


async def test_a_voucher_for_somebody_else_is_refused() -> None:
    async with meeting() as (client, relay, target, server):
        taken: list[bytes] = []

        async def lie(stream: Stream) -> None:
            await read_message(stream)
            await write_message(stream, taken[0])

        async with await client.open_stream(relay.peer_id, [HOP]) as stream:
            await write_message(stream, HopMessage(HopType.RESERVE).serialize())
            taken.append(await read_message(stream) or b"")
        server.stop()
        relay.handle(HOP, lie)
        with pytest.raises(RemoteProtocolError, match="gave a voucher of"):
            await target.listen([by(relay)])


async def test_circuits_of_somebody_with_whom_there_is_no_reservation_are_declined() -> None:
    async with meeting() as (client, relay, target, _):
        await target.listen([by(relay)])
        client.peers.add_addresses(target.peer_id, target.listen_addresses, 60.0)
        async with await client.open_stream(target.peer_id, [STOP]) as stream:
            await write_message(stream, StopMessage(StopType.CONNECT, peer=relay.peer_id).serialize())
            answer = StopMessage.parse(await read_message(stream) or b"")
        assert answer.status is Status.PERMISSION_DENIED


async def test_who_is_not_whom_the_relay_announced_is_not_let_in() -> None:
    async with meeting() as (client, relay, target, server):
        await target.listen([by(relay)])
        server.stop()
        (connection,) = relay.connections_to(target.peer_id)

        async def lie(stream: Stream) -> None:
            await read_message(stream)
            onward = await connection.open_stream([STOP])
            await write_message(onward, StopMessage(StopType.CONNECT, peer=relay.peer_id).serialize())
            await read_message(onward)
            await write_message(stream, HopMessage(HopType.STATUS, status=Status.OK).serialize())
            await server._carry(stream, onward)

        relay.handle(HOP, lie)
        with contextlib.suppress(DialFailed):
            await client.connect(target.peer_id, [by(relay)])
        await until(lambda: not client.connections_to(target.peer_id))
        assert not target.connections_to(client.peer_id)


@pytest.mark.parametrize(
    ("text", "dials"),
    [
        ("/ip4/192.0.2.1/tcp/1/p2p/{relay}/p2p-circuit", True),
        ("/p2p/{relay}/p2p-circuit", True),
        ("/p2p-circuit", False),
        ("/ip4/192.0.2.1/tcp/1", False),
        ("/ip4/192.0.2.1/tcp/1/p2p/{relay}", False),
    ],
)
async def test_only_addresses_that_end_with_a_relay_are_dialled(text: str, dials: bool) -> None:
    async with hosts(1) as (host,):
        transport = CircuitTransport(host, Upgrade(securities(host.key)))
        assert transport.can_dial(Multiaddr.from_text(text.format(relay=host.peer_id))) is dials
        await transport.close()


async def test_nobody_is_reached_through_himself() -> None:
    async with meeting() as (client, relay, target, _):
        transport = CircuitTransport(client, Upgrade(securities(client.key)))
        with pytest.raises(TransportError, match="does not say whom"):
            await transport.dial(by(relay), None)
        with pytest.raises(TransportError, match="the peer itself"):
            await transport.dial(by(relay), relay.peer_id)
        with pytest.raises(TransportError, match="this node itself"):
            await transport.dial(by(client), target.peer_id)
        await transport.close()
