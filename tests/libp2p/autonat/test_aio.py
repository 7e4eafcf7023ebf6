"""Nodes that dial each other back: what is found out, what it costs, and what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.core.errors import TransportError, WireError
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.autonat import first_version
from zwerm.libp2p.autonat.aio import MOST_DATA, AutonatClient, AutonatServer
from zwerm.libp2p.autonat.message import (
    DIAL_BACK,
    DIAL_REQUEST,
    DialDataRequest,
    DialDataResponse,
    DialRequest,
    DialResponse,
    DialStatus,
    ResponseStatus,
    parse_message,
    serialize_dial_back,
    serialize_message,
)
from zwerm.libp2p.autonat.rates import Rates
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.stream import MuxedConnection, Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

HERE, NOWHERE = Multiaddr.from_text("/memory/1"), Multiaddr.from_text("/memory/99")
FORBIDDEN = Multiaddr.from_text("/ip4/10.0.0.1/tcp/1")


@contextlib.asynccontextmanager
async def asking(rates: Rates | None = None) -> AsyncIterator[tuple[Swarm, Swarm, AutonatClient]]:
    """Give a node that asks, one that dials for others, and the former's client."""
    async with hosts(2, connected=True) as (near, far):
        (transport,) = far._transports

        async def dial(address: Multiaddr, peer: PeerId) -> MuxedConnection:
            return await transport.dial(address, peer)

        server = AutonatServer(
            far, dial, may_dial=transport.can_dial, rates=rates, random=seeded("autonat"), clock=lambda: 0.0
        )
        client = AutonatClient(near, random=seeded("client"))
        server.start()
        client.start()
        yield near, far, client
        client.stop()
        server.stop()
        assert DIAL_REQUEST not in far.protocols
        assert DIAL_BACK not in near.protocols


async def test_an_address_that_leads_here_is_found_reachable() -> None:
    async with asking() as (_, far, client):
        assert await client.ask(far.peer_id, [HERE]) == (HERE, True)


async def test_an_address_that_leads_nowhere_is_found_unreachable() -> None:
    async with asking() as (_, far, client):
        assert await client.ask(far.peer_id, [NOWHERE]) == (NOWHERE, False)


async def test_the_first_address_that_may_be_dialled_is() -> None:
    async with asking() as (_, far, client):
        assert await client.ask(far.peer_id, [FORBIDDEN, NOWHERE, HERE]) == (NOWHERE, False)
        assert await client.ask(far.peer_id, [FORBIDDEN]) is None


async def test_who_asks_too_often_is_rejected() -> None:
    async with asking(Rates(per_peer=1)) as (_, far, client):
        assert await client.ask(far.peer_id, [HERE]) == (HERE, True)
        assert await client.ask(far.peer_id, [HERE]) is None


async def test_a_dial_to_elsewhere_costs_bytes_first() -> None:
    async with asking() as (near, far, _), await near.open_stream(far.peer_id, [DIAL_REQUEST]) as stream:
        await write_message(stream, serialize_message(DialRequest((bytes(NOWHERE),), 7)))
        asked = parse_message(await read_message(stream) or b"")
        assert isinstance(asked, DialDataRequest)
        assert 30_000 <= asked.size <= 100_000
        left = asked.size
        while left > 0:
            await write_message(stream, serialize_message(DialDataResponse(bytes(4_096))))
            left -= 4_096
        answer = parse_message(await read_message(stream) or b"")
        assert answer == DialResponse(ResponseStatus.OK, 0, DialStatus.E_DIAL_ERROR)


@pytest.mark.parametrize("payment", [DialDataResponse(b""), DialDataResponse(bytes(4_097)), DialRequest((), 1)])
async def test_who_does_not_pay_gets_no_dial(payment: DialDataResponse | DialRequest) -> None:
    async with asking() as (near, far, _):
        stream = await near.open_stream(far.peer_id, [DIAL_REQUEST])
        await write_message(stream, serialize_message(DialRequest((bytes(NOWHERE),), 7)))
        await read_message(stream)
        await write_message(stream, serialize_message(payment))
        with pytest.raises(StreamReset):
            await stream.read()


async def test_a_server_that_claims_a_dial_that_never_came_is_not_believed() -> None:
    async def lie(stream: Stream) -> None:
        await read_message(stream)
        await write_message(stream, serialize_message(DialResponse(ResponseStatus.OK, 0, DialStatus.OK)))

    async with hosts(2, connected=True) as (near, far):
        far.handle(DIAL_REQUEST, lie)
        client = AutonatClient(near)
        assert await client.ask(far.peer_id, [HERE]) is None


@pytest.mark.parametrize(
    "answer",
    [
        DialResponse(ResponseStatus.OK, 3, DialStatus.E_DIAL_ERROR),
        DialResponse(ResponseStatus.OK, 0, DialStatus.E_DIAL_BACK_ERROR),
        DialResponse(ResponseStatus.E_INTERNAL_ERROR),
    ],
    ids=["place out of range", "dial back error", "internal error"],
)
async def test_answers_that_say_nothing_of_an_address_are_none(answer: DialResponse) -> None:
    async def reply(stream: Stream) -> None:
        await read_message(stream)
        await write_message(stream, serialize_message(answer))

    async with hosts(2, connected=True) as (near, far):
        far.handle(DIAL_REQUEST, reply)
        assert await AutonatClient(near).ask(far.peer_id, [HERE]) is None


@pytest.mark.parametrize("answer", [DialDataRequest(0, MOST_DATA + 1), DialDataResponse(b"x")], ids=["dear", "data"])
async def test_a_server_that_wants_too_much_is_left(answer: DialDataRequest | DialDataResponse) -> None:
    async def reply(stream: Stream) -> None:
        await read_message(stream)
        await write_message(stream, serialize_message(answer))
        await stream.read()

    async with hosts(2, connected=True) as (near, far):
        far.handle(DIAL_REQUEST, reply)
        with pytest.raises(WireError, match=f"expected at most {MOST_DATA}|answer is a DialDataResponse"):
            await AutonatClient(near).ask(far.peer_id, [HERE])


async def test_a_server_that_hangs_up_has_said_nothing() -> None:
    async def leave(stream: Stream) -> None:
        await read_message(stream)

    async with hosts(2, connected=True) as (near, far):
        far.handle(DIAL_REQUEST, leave)
        with pytest.raises((WireError, TransportError)):
            await AutonatClient(near).ask(far.peer_id, [HERE])


async def test_a_number_that_was_not_given_out_is_refused() -> None:
    async with asking() as (near, far, _):
        stream = await far.open_stream(near.peer_id, [DIAL_BACK])
        await write_message(stream, serialize_dial_back(12))
        with pytest.raises(StreamReset):
            await stream.read()


async def first_asked(near: Swarm, far: Swarm, identity: bytes, *addresses: Multiaddr) -> tuple[int, bytes]:
    async with await near.open_stream(far.peer_id, [first_version.PROTOCOL]) as stream:
        await write_message(stream, first_version.serialize_dial(identity, tuple(map(bytes, addresses))))
        return first_version.parse_response(await read_message(stream) or b"")


async def test_the_first_version_is_answered_for_addresses_where_the_asker_is() -> None:
    async with asking() as (near, far, _):
        status = first_version.Status
        await near.disconnect(far.peer_id)
        await until(lambda: not far.connections_to(near.peer_id))
        await far.connect(near.peer_id)  # over memory the one who was dialled is seen where it listens
        assert await first_asked(near, far, bytes(near.peer_id), HERE) == (status.OK, bytes(HERE))
        assert (await first_asked(near, far, bytes(near.peer_id), NOWHERE))[0] is status.E_DIAL_REFUSED
        assert (await first_asked(near, far, bytes(far.peer_id), HERE))[0] is status.E_BAD_REQUEST


async def test_the_first_version_is_limited_and_refuses_nonsense() -> None:
    async with asking(Rates(per_peer=0)) as (near, far, _):
        status = first_version.Status
        assert (await first_asked(near, far, bytes(near.peer_id), HERE))[0] is status.E_DIAL_REFUSED
        async with await near.open_stream(far.peer_id, [first_version.PROTOCOL]) as stream:
            await write_message(stream, b"\x08\x01")
            assert first_version.parse_response(await read_message(stream) or b"")[0] is status.E_BAD_REQUEST
