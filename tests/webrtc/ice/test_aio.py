"""The shell on real sockets of loopback: UDP, both families, TCP, and an end without leftovers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from zwerm.core.errors import TransportError
from zwerm.core.random import SYSTEM
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.aio import IceTransport
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import CandidateGathered, ConnectionState, Event, GatheringState, GatheringStateChanged

CONFIG = Config(allowed_networks=LOOPBACK)
LIMIT = 30.0  # seconds


class Ends:
    """Two transports whose events are each other's commands."""

    def __init__(self, *, only_tcp: bool = False) -> None:
        self.only_tcp = only_tcp
        self.left = IceTransport(Agent(Role.CONTROLLING, CONFIG, random=SYSTEM), on_event=self._to_right)
        self.right = IceTransport(Agent(Role.CONTROLLED, CONFIG, random=SYSTEM), on_event=self._to_left)

    def _to_right(self, event: Event) -> None:
        self._bring(event, self.left, self.right)

    def _to_left(self, event: Event) -> None:
        self._bring(event, self.right, self.left)

    def _bring(self, event: Event, source: IceTransport, target: IceTransport) -> None:
        match event:
            case CandidateGathered(candidate, ufrag):
                if not (self.only_tcp and candidate.is_udp):
                    target.command(target.agent.add_remote_candidate, candidate, ufrag=ufrag)
            case GatheringStateChanged(GatheringState.COMPLETE):
                target.command(target.agent.end_of_candidates, ufrag=source.agent.local_credentials.ufrag)

    async def connect(self, hosts: list[str]) -> None:
        pairs = [(self.left, self.right), (self.right, self.left)]
        for source, target in pairs:
            target.command(target.agent.set_remote, source.agent.local_credentials, options=source.agent.options)
        for source, _ in pairs:
            await source.open(hosts, tcp=self.only_tcp)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(self.left.wait_connected(), self.right.wait_connected())

    async def close(self) -> None:
        await self.left.close()
        await self.right.close()


@pytest.fixture
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    both = Ends(only_tcp=getattr(request, "param", False))
    yield both
    await both.close()
    await both.close()  # twice is harmless


async def echo(ends: Ends, count: int = 100) -> None:
    async with asyncio.timeout(LIMIT):
        for number in range(count):
            ends.left.send(b"ping %d" % number)
            assert await ends.right.receive() == b"ping %d" % number
            ends.right.send(b"pong %d" % number)
            assert await ends.left.receive() == b"pong %d" % number


async def test_two_ends_connect_and_talk(ends: Ends) -> None:
    await ends.connect(["127.0.0.1"])
    await echo(ends)


async def test_several_addresses_of_one_host_connect(ends: Ends) -> None:
    await ends.connect(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    await echo(ends, 10)


@pytest.mark.parametrize("ends", [True], indirect=True, ids=["only TCP"])
async def test_tcp_connects_where_udp_is_not_signaled(ends: Ends) -> None:
    await ends.connect(["127.0.0.1"])
    await echo(ends)
    pair = ends.left.agent.selected_pair
    assert pair is not None


async def test_a_restart_keeps_talking(ends: Ends) -> None:
    await ends.connect(["127.0.0.1"])
    ends.left.command(ends.left.agent.restart)
    offer = ends.left.agent.local_credentials
    ends.right.command(ends.right.agent.set_remote, offer, options=ends.left.agent.options)
    await echo(ends, 10)
    answer = ends.right.agent.local_credentials
    ends.left.command(ends.left.agent.set_remote, answer, options=ends.right.agent.options)
    await echo(ends, 10)


async def test_an_address_that_is_not_ours_cannot_be_bound(ends: Ends) -> None:
    with pytest.raises(TransportError, match=r"192\.0\.2\.1"):
        await ends.left.open(["192.0.2.1"])


async def test_the_end_wakes_who_waits(ends: Ends) -> None:
    await ends.left.open(["127.0.0.1"])
    ends.left.command(ends.left.agent.set_remote, Credentials("them", "p" * 22))
    receiving = asyncio.ensure_future(ends.left.receive())
    waiting = asyncio.ensure_future(ends.left.wait_connected())
    await asyncio.sleep(0)
    await ends.left.close()
    for task in (receiving, waiting):
        with pytest.raises(TransportError, match="closed"):
            await task
    with pytest.raises(TransportError):
        await ends.left.receive()
    assert ends.left.agent.state is ConnectionState.CLOSED
    assert not ends.left.send(b"too late")
