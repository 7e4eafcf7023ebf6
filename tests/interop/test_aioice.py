"""ICE against aioice (PyPI), a full agent that we did not write, over loopback UDP in both roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aioice
import pytest

from zwerm.core.random import SYSTEM
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.aio import IceTransport
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import CandidateGathered, ConnectionState, Event, RoleChanged

pytestmark = pytest.mark.interop

LIMIT = 30.0  # seconds; a connection takes a few milliseconds


class Ours:
    """Our agent, and what it told."""

    def __init__(self, role: Role) -> None:
        self.events: list[Event] = []
        agent = Agent(role, Config(allowed_networks=LOOPBACK), random=SYSTEM)
        self.transport = IceTransport(agent, on_event=self.events.append)

    @property
    def agent(self) -> Agent:
        return self.transport.agent

    def candidates(self) -> list[Candidate]:
        return [event.candidate for event in self.events if isinstance(event, CandidateGathered)]

    async def meet(self, theirs: aioice.Connection) -> None:
        """Exchange descriptions, each as text, and connect."""
        await theirs.gather_candidates()
        theirs.remote_username = self.agent.local_credentials.ufrag
        theirs.remote_password = self.agent.local_credentials.password
        for candidate in self.candidates():
            text = str(candidate).removeprefix("candidate:")
            await theirs.add_remote_candidate(aioice.Candidate.from_sdp(text))
        await theirs.add_remote_candidate(None)
        credentials = Credentials.parse(theirs.local_username, theirs.local_password)
        self.transport.command(self.agent.set_remote, credentials)
        for candidate in theirs.local_candidates:
            assert self.transport.command(self.agent.add_remote_candidate, Candidate.from_text(candidate.to_sdp()))
        self.transport.command(self.agent.end_of_candidates)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(theirs.connect(), self.transport.wait_connected())


@pytest.fixture
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have aioice gather on loopback, which it leaves out by default."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture
async def ours(_loopback_only: None, request: pytest.FixtureRequest) -> AsyncIterator[Ours]:
    side = Ours(getattr(request, "param", Role.CONTROLLING))
    await side.transport.open(["127.0.0.1"])
    yield side
    await side.transport.close()


@pytest.mark.parametrize("ours", Role, indirect=True, ids=lambda role: role.value)
async def test_data_passes_both_ways_in_either_role(ours: Ours) -> None:
    theirs = aioice.Connection(ice_controlling=ours.agent.role is Role.CONTROLLED)
    try:
        await ours.meet(theirs)
        await theirs.send(b"from aioice")
        ours.transport.send(b"from zwerm")
        async with asyncio.timeout(LIMIT):
            assert await ours.transport.receive() == b"from aioice"
            assert await theirs.recv() == b"from zwerm"
    finally:
        await theirs.close()


@pytest.mark.parametrize("ours", Role, indirect=True, ids=lambda role: role.value)
async def test_two_agents_of_one_role_agree_on_different_ones(ours: Ours) -> None:
    """RFC 8445 section 7.3.1.1: the tie-breakers decide."""
    theirs = aioice.Connection(ice_controlling=ours.agent.role is Role.CONTROLLING)
    before = ours.agent.role
    try:
        await ours.meet(theirs)
        assert theirs.ice_controlling is (ours.agent.role is Role.CONTROLLED)
        changed = any(isinstance(event, RoleChanged) for event in ours.events)
        assert changed is (ours.agent.role is not before)
    finally:
        await theirs.close()


@pytest.mark.parametrize("ours", Role, indirect=True, ids=lambda role: role.value)
async def test_a_thousand_datagrams_pass_and_none_is_made_up(ours: Ours) -> None:
    theirs = aioice.Connection(ice_controlling=ours.agent.role is Role.CONTROLLED)
    try:
        await ours.meet(theirs)
        for number in range(1_000):
            payload = number.to_bytes(4, "big") * 100
            ours.transport.send(payload)
            async with asyncio.timeout(LIMIT):
                assert await theirs.recv() == payload
                await theirs.send(payload[::-1])
                assert await ours.transport.receive() == payload[::-1]
    finally:
        await theirs.close()


async def test_after_the_end_there_is_nothing_to_receive(ours: Ours) -> None:
    theirs = aioice.Connection(ice_controlling=False)
    await ours.meet(theirs)
    await theirs.close()
    await ours.transport.close()
    assert ours.agent.state is ConnectionState.CLOSED
    with pytest.raises(Exception, match="closed"):
        await ours.transport.receive()
