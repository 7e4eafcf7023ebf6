"""Dials that are shared, raced and given up, on a transport whose addresses do what they are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.stream import Direction
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.transports.memory import MemoryConnection, MemoryNetwork, MemoryTransport
from zwerm.libp2p.transports.transport import Listener
from zwerm.multiformats.multiaddr import Multiaddr

PEER = PeerId.of(seeded_key(1).public)
QUICK = Limits(stagger=0.01, dial_time=0.05, backoff=5.0)


def tcp(number: int) -> Multiaddr:
    return Multiaddr.from_text(f"/ip4/192.0.2.{number}/tcp/4001")


class Scripted:
    """Dials /ip4/192.0.2.N/tcp: what N stands for in `outcomes` decides; None is never answered."""

    name = "scripted"

    def __init__(self, outcomes: dict[int, Exception | str | None]) -> None:
        self.outcomes = outcomes
        self.dialed: list[int] = []
        self.cancelled: list[int] = []
        self.release = asyncio.Event()
        self._changed = asyncio.Condition()
        self._memory = MemoryTransport(MemoryNetwork(), PeerId.of(seeded_key(0).public))
        self._far = MemoryTransport(MemoryNetwork(), PEER)

    def can_dial(self, address: Multiaddr) -> bool:
        return "tcp" in address.names

    def can_listen(self, address: Multiaddr) -> bool:
        return False

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MemoryConnection:
        number = int((address.value("ip4") or "").split(".")[3])
        self.dialed.append(number)
        async with self._changed:
            self._changed.notify_all()
        outcome = self.outcomes[number]
        try:
            if outcome is None:
                await asyncio.Event().wait()
            if outcome == "later":
                await self.release.wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        if isinstance(outcome, Exception):
            raise outcome
        near = MemoryConnection(self._memory, PEER, Direction.OUTBOUND, address)
        near.join(MemoryConnection(self._far, self._memory.peer, Direction.INBOUND, address))
        return near

    async def wait_dialed(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.dialed) >= count)

    async def listen(self, address: Multiaddr, on_connection: Callable[[MemoryConnection], None]) -> Listener:
        raise TransportError("it only dials")

    async def close(self) -> None:
        await self._memory.close()
        await self._far.close()


@contextlib.asynccontextmanager
async def dialing(
    outcomes: dict[int, Exception | str | None], limits: Limits = QUICK
) -> AsyncIterator[tuple[Swarm, Scripted]]:
    transport = Scripted(outcomes)
    now = asyncio.get_running_loop().time
    async with Swarm(seeded_key(0), [transport], limits=limits, clock=now, agent=None) as swarm:
        yield swarm, transport


async def test_an_address_that_does_not_answer_does_not_hold_up_the_next() -> None:
    async with dialing({1: None, 2: "well"}) as (swarm, transport):
        connection = await swarm.connect(PEER, [tcp(1), tcp(2)])
        assert connection.remote_address == tcp(2)
        assert (transport.dialed, transport.cancelled) == ([1, 2], [1])


async def test_an_address_that_fails_makes_room_for_the_next_at_once() -> None:
    limits = Limits(stagger=60.0, attempts_per_dial=1)
    async with dialing({1: TransportError("refused"), 2: RemoteProtocolError("somebody else"), 3: ""}, limits) as (
        swarm,
        transport,
    ):
        assert (await swarm.connect(PEER, [tcp(1), tcp(2), tcp(3)])).remote_address == tcp(3)
        assert transport.dialed == [1, 2, 3]


async def test_connections_that_lose_the_race_are_closed() -> None:
    async with dialing({1: "later", 2: "later"}) as (swarm, transport):
        dial = asyncio.create_task(swarm.connect(PEER, [tcp(1), tcp(2)]))
        await transport.wait_dialed(2)
        transport.release.set()
        connection = await dial
        assert set(transport._memory.connections) == {connection.muxed}
        assert swarm.connections == (connection,)


async def test_a_failed_dial_names_each_address_with_its_reason() -> None:
    async with dialing({1: TransportError("refused"), 2: None}) as (swarm, _):
        unknown = Multiaddr.from_text("/ip4/192.0.2.9/udp/4001/quic-v1")
        with pytest.raises(DialFailed) as failure:
            await swarm.connect(PEER, [tcp(1), tcp(2), unknown])
        message = str(failure.value)
        assert f"{tcp(1)}: refused" in message
        assert f"{tcp(2)}: no connection in 0.05 s" in message
        assert f"{unknown}: no transport here dials it" in message


async def test_what_failed_is_left_alone_until_somebody_asks_for_it() -> None:
    async with dialing({1: TransportError("refused")}) as (swarm, transport):
        for _ in range(2):
            with pytest.raises(DialFailed) as failure:
                await swarm.connect(PEER, [tcp(1)])
        assert "left alone for another 5 s, since refused" in str(failure.value)
        assert transport.dialed == [1]
        swarm.forget_failures()
        transport.outcomes[1] = "well"
        await swarm.connect(PEER)
        assert transport.dialed == [1, 1]


async def test_cancelling_one_asker_leaves_the_others_dial() -> None:
    async with dialing({1: "later"}, Limits(dial_time=60.0)) as (swarm, transport):
        first, second = (asyncio.create_task(swarm.connect(PEER, [tcp(1)])) for _ in range(2))
        await transport.wait_dialed(1)
        first.cancel()
        await asyncio.wait([first])
        transport.release.set()
        assert (await second).remote_peer == PEER
        assert transport.dialed == [1]


async def test_the_last_asker_takes_the_dial_with_it_and_the_next_begins_another() -> None:
    async with dialing({1: "later"}, Limits(dial_time=60.0)) as (swarm, transport):
        only = asyncio.create_task(swarm.connect(PEER, [tcp(1)]))
        await transport.wait_dialed(1)
        only.cancel()
        again = asyncio.create_task(swarm.connect(PEER, [tcp(1)]))
        await asyncio.wait([only])
        transport.release.set()
        assert (await again).remote_peer == PEER
        assert (transport.dialed, transport.cancelled) == ([1, 1], [1])


async def test_addresses_that_come_later_join_the_dial() -> None:
    async with dialing({1: None, 2: "well"}, Limits(stagger=0.01, dial_time=60.0)) as (swarm, transport):
        first = asyncio.create_task(swarm.connect(PEER, [tcp(1)]))
        await transport.wait_dialed(1)
        second = await swarm.connect(PEER, [tcp(2)])
        assert await first is second


async def test_a_relayed_connection_does_not_count_for_who_wants_a_direct_one() -> None:
    async with dialing({1: "well", 2: "well"}) as (swarm, _):
        relayed = await swarm.connect(PEER, [tcp(1)])
        relayed.muxed.is_limited = True  # type: ignore[misc]
        assert await swarm.connect(PEER) is relayed
        direct = await swarm.connect(PEER, [tcp(2)], force_direct=True)
        assert direct is not relayed
        assert swarm.connections_to(PEER) == [direct, relayed]


async def test_only_so_many_dials_and_attempts_at_once() -> None:
    outcomes: dict[int, Exception | str | None] = dict.fromkeys(range(1, 21), None)
    limits = Limits(stagger=0.001, dial_time=60.0, dials=1, attempts=3, attempts_per_dial=5, addresses_per_dial=6)
    async with dialing(outcomes, limits) as (swarm, transport):
        dial = asyncio.create_task(swarm.connect(PEER, [tcp(number) for number in outcomes]))
        await transport.wait_dialed(3)
        with pytest.raises(ResourceLimitError, match="2 dials at once, the limit is 1"):
            await swarm.connect(PeerId.of(seeded_key(2).public), [tcp(1)])
        assert len(transport.dialed) == 3
        dial.cancel()
        await asyncio.wait([dial])


async def test_of_many_addresses_only_so_many_are_tried() -> None:
    outcomes: dict[int, Exception | str | None] = {number: TransportError("refused") for number in range(1, 41)}
    async with dialing(outcomes, Limits(addresses_per_dial=6)) as (swarm, transport):
        with pytest.raises(DialFailed):
            await swarm.connect(PEER, [tcp(number) for number in outcomes])
        assert len(transport.dialed) == 6


async def test_closing_the_swarm_ends_the_dials() -> None:
    async with dialing({1: None}, Limits(dial_time=60.0)) as (swarm, transport):
        dial = asyncio.create_task(swarm.connect(PEER, [tcp(1)]))
        await transport.wait_dialed(1)
        await swarm.close()
        assert transport.cancelled == [1]
        with pytest.raises((DialFailed, asyncio.CancelledError)):
            await dial
