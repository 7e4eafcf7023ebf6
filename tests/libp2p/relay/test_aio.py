"""A relay among hosts: reservations, circuits that carry bytes, and limits that end them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.relay.message import HOP, STOP, HopMessage, HopType, Limit, Status, StopMessage, StopType
from zwerm.libp2p.relay.slots import RelayLimits
from zwerm.libp2p.relay.voucher import Voucher
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

NOW = 1_700_000_000.0


@contextlib.asynccontextmanager
async def meeting(limits: RelayLimits | None = None) -> AsyncIterator[tuple[Swarm, Swarm, Swarm, RelayServer]]:
    """Give a client, a relay and a target, with no way from client to target but the relay."""
    async with hosts(3, connected=True) as (client, relay, target):
        await client.disconnect(target.peer_id)
        server = RelayServer(relay, limits, wall_clock=lambda: NOW)
        server.start()
        yield client, relay, target, server
        server.stop()


async def ask(host: Swarm, relay: Swarm, request: HopMessage) -> tuple[Stream, HopMessage]:
    stream = await host.open_stream(relay.peer_id, [HOP])
    await write_message(stream, request.serialize())
    data = await read_message(stream)
    assert data is not None
    return stream, HopMessage.parse(data)


def connect_to(peer: PeerId) -> HopMessage:
    return HopMessage(HopType.CONNECT, peer=peer)


def echoing(status: Status = Status.OK):
    """Take circuits, or not, and send back what comes."""

    async def answer(stream: Stream) -> None:
        request = StopMessage.parse(await read_message(stream) or b"")
        assert request.type is StopType.CONNECT
        await write_message(stream, StopMessage(StopType.STATUS, status=status).serialize())
        while status is Status.OK and (data := await stream.read()):
            await stream.write(data)

    return answer


async def test_a_reservation_says_until_when_where_and_signs_it() -> None:
    async with meeting() as (_, relay, target, server):
        stream, answer = await ask(target, relay, HopMessage(HopType.RESERVE))
        await stream.close()
        assert answer.status is Status.OK
        assert answer.limit == Limit(120, 131_072)
        assert answer.reservation is not None
        assert answer.reservation.expire == int(NOW) + 3_600
        assert [str(address) for address in answer.reservation.addresses] == [f"/memory/2/p2p/{relay.peer_id}"]
        voucher = Voucher.open_untrusted(answer.reservation.voucher or b"")
        assert (voucher.relay, voucher.peer) == (relay.peer_id, target.peer_id)
        assert server.reservations == 1


async def test_a_circuit_carries_bytes_both_ways_and_each_direction_ends_by_itself() -> None:
    async with meeting() as (client, relay, target, server):
        target.handle(STOP, echoing())
        reserved, _ = await ask(target, relay, HopMessage(HopType.RESERVE))
        await reserved.close()
        circuit, answer = await ask(client, relay, connect_to(target.peer_id))
        assert answer.status is Status.OK
        await circuit.write(b"over there")
        await circuit.close_write()
        back = b""
        while data := await circuit.read():
            back += data
        assert back == b"over there"
        await circuit.close()
        assert server.carried == 2 * len(back)
        await until(lambda: server.circuits == 0)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HopMessage(HopType.STATUS, status=Status.OK), Status.UNEXPECTED_MESSAGE),
        (HopMessage(HopType.CONNECT), Status.MALFORMED_MESSAGE),
    ],
    ids=["a status", "connect to nobody"],
)
async def test_what_is_no_request_is_answered_with_what_is_wrong(request_: HopMessage, status: Status) -> None:
    async with meeting() as (client, relay, *_):
        stream, answer = await ask(client, relay, request_)
        await stream.close()
        assert answer.status is status


async def test_nonsense_is_answered_and_given_up() -> None:
    async with meeting() as (client, relay, *_):
        stream = await client.open_stream(relay.peer_id, [HOP])
        await write_message(stream, b"\xff\xff")
        assert HopMessage.parse(await read_message(stream) or b"").status is Status.MALFORMED_MESSAGE
        stream.reset()


async def test_there_is_no_circuit_without_a_reservation_and_none_after_its_peer_left() -> None:
    async with meeting() as (client, relay, target, server):
        target.handle(STOP, echoing())
        stream, answer = await ask(client, relay, connect_to(target.peer_id))
        await stream.close()
        assert answer.status is Status.NO_RESERVATION
        reserved, _ = await ask(target, relay, HopMessage(HopType.RESERVE))
        await reserved.close()
        await target.disconnect(relay.peer_id)
        await until(lambda: server.reservations == 0)
        stream, answer = await ask(client, relay, connect_to(target.peer_id))
        await stream.close()
        assert answer.status is Status.NO_RESERVATION


@pytest.mark.parametrize("handler", [echoing(Status.PERMISSION_DENIED), None], ids=["declines", "does not speak it"])
async def test_a_target_that_takes_no_circuit_costs_none(handler: object) -> None:
    async with meeting() as (client, relay, target, server):
        if handler is not None:
            target.handle(STOP, handler)  # type: ignore[arg-type]
        reserved, _ = await ask(target, relay, HopMessage(HopType.RESERVE))
        await reserved.close()
        stream, answer = await ask(client, relay, connect_to(target.peer_id))
        await stream.close()
        assert answer.status is Status.CONNECTION_FAILED
        assert server.circuits == 0


async def test_a_circuit_that_carries_more_than_it_may_is_reset() -> None:
    async with meeting(RelayLimits(circuit_data=1_000)) as (client, relay, target, server):
        target.handle(STOP, echoing())
        reserved, _ = await ask(target, relay, HopMessage(HopType.RESERVE))
        await reserved.close()
        circuit, answer = await ask(client, relay, connect_to(target.peer_id))
        assert answer.limit == Limit(120, 1_000)
        await circuit.write(bytes(1_000))
        got = 0
        while got < 1_000:
            got += len(await circuit.read())
        await circuit.write(b"!")
        with pytest.raises(StreamReset):
            await circuit.read()
        await until(lambda: server.circuits == 0)


async def test_a_circuit_that_lasts_too_long_is_reset() -> None:
    async with asyncio.timeout(10), meeting(RelayLimits(circuit_time=0.05)) as (client, relay, target, _):
        target.handle(STOP, echoing())
        reserved, _ = await ask(target, relay, HopMessage(HopType.RESERVE))
        await reserved.close()
        circuit, _ = await ask(client, relay, connect_to(target.peer_id))
        with pytest.raises(StreamReset):
            await circuit.read()


async def test_reservations_beyond_the_limit_are_refused() -> None:
    async with meeting(RelayLimits(reservations=1)) as (client, relay, target, _):
        for host, status in ((target, Status.OK), (client, Status.RESERVATION_REFUSED)):
            stream, answer = await ask(host, relay, HopMessage(HopType.RESERVE))
            await stream.close()
            assert answer.status is status


async def test_a_reservation_through_another_relay_or_a_limited_connection_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with meeting() as (client, relay, target, server):
        for host, name, value in (
            (target, "is_limited", True),
            (client, "remote_address", Multiaddr.from_text(f"/memory/9/p2p/{target.peer_id}/p2p-circuit")),
        ):
            (connection,) = relay.connections_to(host.peer_id)
            monkeypatch.setattr(connection.muxed, name, value, raising=False)
            relay.unhandle(HOP)
            relay.handle(HOP, server._answer, allow_limited=True)  # so that it is the relay itself that refuses
            stream, answer = await ask(host, relay, HopMessage(HopType.RESERVE))
            await stream.close()
            assert answer.status is Status.PERMISSION_DENIED
        assert server.reservations == 0


async def test_a_request_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.relay.aio.HANDSHAKE_TIME", 0.05)
    async with asyncio.timeout(10), meeting() as (client, relay, _, _):
        stream = await client.open_stream(relay.peer_id, [HOP])
        await stream.write(b"\x10")  # of sixteen bytes that do not follow
        with pytest.raises(StreamReset):
            await stream.read()


async def test_a_relay_that_stopped_answers_no_more() -> None:
    async with meeting() as (client, relay, _, server):
        server.stop()
        server.stop()
        assert HOP not in relay.protocols
        assert client.connections_to(relay.peer_id)
