"""Relays that a node finds by walks through the network, when it knows too few."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.core.errors import TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import ReachabilityChanged
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.circuit import CircuitTransport
from zwerm.node import relays as module
from zwerm.node.relays import RelayFinder


class Crowd:
    """A host that looks for relays, and others, of whom some relay; nobody is connected."""

    def __init__(self, swarms: Sequence[Swarm], relays: Sequence[int]) -> None:
        self.swarm, *self.others = swarms
        self.relays = {self.others[number].peer_id for number in relays}
        for number in relays:
            RelayServer(self.others[number]).start()
        self.walks: list[list[PeerId]] = []  # where each leads to; afterwards nowhere
        self.walked = 0
        self.finder = RelayFinder(
            self.swarm, CircuitTransport(self.swarm, Upgrade(securities(self.swarm.key))), wander=self.wander
        )

    async def wander(self) -> list[PeerId]:
        self.walked += 1
        if not self.walks:
            raise TransportError("nobody is known")
        return self.walks.pop(0)

    @property
    def held(self) -> set[PeerId]:
        return set(self.finder.choice.held)

    def is_met(self, number: int) -> bool:
        return bool(self.swarm.connections_to(self.others[number].peer_id))


@contextlib.asynccontextmanager
async def crowd(
    count: int, relays: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Crowd, list[PeerId]]]:
    """Give it with the IDs of the others."""
    monkeypatch.setattr(module, "is_public", lambda _: True)  # what is in memory
    monkeypatch.setattr(module, "LOOK", 0.01)
    async with asyncio.timeout(30), hosts(count + 1) as swarms, contextlib.AsyncExitStack() as stack:
        made = Crowd(swarms, relays)
        made.swarm.add_transport(made.finder._circuit)
        made.finder.start(stack)
        yield made, [other.peer_id for other in made.others]


async def test_places_are_held_at_relays_that_a_walk_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(12, [1, 9], monkeypatch) as (made, others):
        made.walks = [others]
        made.swarm.emit(ReachabilityChanged(is_public=False))
        await until(lambda: made.held == made.relays)
        assert made.is_met(0)
        assert made.walked == 1


async def test_who_has_relays_enough_dials_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(12, [0, 1, 2], monkeypatch) as (made, others):
        made.walks = [others]
        made.swarm.emit(ReachabilityChanged(is_public=False))
        await until(lambda: len(made.held) == 2)
        assert made.held < made.relays
        assert not any(made.is_met(number) for number in range(module.DIALS, 12))


async def test_walks_go_on_until_one_leads_to_a_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(9, [7, 8], monkeypatch) as (made, others):
        made.walks = [others[:3], [], others[3:6], others[6:]]
        made.swarm.emit(ReachabilityChanged(is_public=False))
        await until(lambda: made.held == made.relays)
        assert made.walked == 4


async def test_who_is_reached_looks_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(3, [0, 1, 2], monkeypatch) as (made, others):
        made.walks = [others]
        made.swarm.emit(ReachabilityChanged(is_public=True))
        await made.swarm.connect(others[0])
        await until(lambda: made.swarm.peers.protocols(others[0]))
        assert made.walked == 0
        assert made.held == set()


async def test_peers_that_are_gone_or_say_nothing_cost_their_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDENTIFY", 0.05)
    async with crowd(4, [2, 3], monkeypatch) as (made, others):
        await made.others[0].close()
        identify = made.others[1].identify
        assert identify is not None
        identify.close()
        made.walks = [others]
        made.swarm.emit(ReachabilityChanged(is_public=False))
        await until(lambda: made.held == made.relays)
