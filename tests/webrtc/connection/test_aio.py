"""The driver on real sockets: where it binds, what it follows, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.net.sockets import until
from tests.netlab.namespace import Namespace, Resident, resident_of, wire
from tests.webrtc.w3c.both import Inbox, announced, connected, signal
from zwerm.core.errors import TransportError
from zwerm.core.random import SYSTEM
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection
from zwerm.webrtc.connection.aio import TransportDriver
from zwerm.webrtc.connection.local_network import LocalNetwork
from zwerm.webrtc.connection.transport import Transport
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.ice.events import CandidateGathered, GatheringState, RegisterName, ResolveName, RestartNeeded
from zwerm.webrtc.ice.pair import PairState

LIMIT = 60.0  # seconds, of a busy machine
LOOPBACK = LocalNetwork(include_loopback=True, interfaces=("lo",))


class Driven:
    """A driver without a peer."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        certificate = Certificate.generate(now=dt.datetime.now(dt.UTC))
        self.events: list[Any] = []
        self.transport = Transport(certificate, random=SYSTEM, now=loop.time())
        self.driver = TransportDriver(self.transport, self.events.append)

    def gather(self, network: LocalNetwork) -> None:
        self.driver.open(network)
        self.transport.agent.gather(self.driver.now)
        self.driver.pump()

    def candidates(self) -> list[str]:
        return [str(event.candidate) for event in self.events if isinstance(event, CandidateGathered)]

    async def close(self) -> None:
        self.transport.close(self.driver.now)
        self.driver.close()
        self.driver.close()
        await self.driver.wait_closed()


@pytest.fixture
async def driven() -> AsyncIterator[Driven]:
    driven = Driven()
    yield driven
    await driven.close()


async def test_every_candidate_is_of_the_interfaces_and_ports_that_are_allowed(driven: Driven) -> None:
    driven.gather(LocalNetwork(include_loopback=True, interfaces=("127.0.0.1",), ports=(42_000, 42_999)))
    found = [line.split() for line in driven.candidates()]
    assert {(parts[2], parts[4]) for parts in found} == {("udp", "127.0.0.1"), ("tcp", "127.0.0.1")}
    assert all(42_000 <= int(parts[5]) <= 42_999 for parts in found if "active" not in parts)


async def test_without_tcp_there_is_one_socket_for_each_address(driven: Driven) -> None:
    driven.gather(LocalNetwork(include_loopback=True, interfaces=("127.0.0.1",), tcp=False))
    (line,) = driven.candidates()
    assert " udp " in line


async def test_tcp_may_come_a_moment_after_udp_and_gathering_ends_with_it(driven: Driven) -> None:
    driven.gather(LocalNetwork(include_loopback=True, interfaces=("127.0.0.1",), tcp_delay=0.02))
    assert [line.split()[2] for line in driven.candidates()] == ["udp"]
    assert driven.transport.agent.gathering_state is GatheringState.GATHERING
    await until(lambda: driven.transport.agent.gathering_state is GatheringState.COMPLETE)
    assert [line.split()[2] for line in driven.candidates()] == ["udp", "tcp", "tcp"]


async def test_a_driver_that_is_closed_meanwhile_opens_no_tcp() -> None:
    driven = Driven()
    driven.gather(LocalNetwork(include_loopback=True, interfaces=("127.0.0.1",), tcp_delay=3_600.0))
    await driven.close()
    assert [line.split()[2] for line in driven.candidates()] == ["udp"]


async def test_no_address_to_gather_from_is_an_error_in_words(driven: Driven) -> None:
    with pytest.raises(TransportError, match="no address to gather from"):
        driven.driver.open(LocalNetwork(interfaces=()))


async def test_names_are_registered_and_one_that_cannot_be_is_not_waited_for(driven: Driven) -> None:
    driven.driver.open(LOOPBACK)
    agent = driven.transport.agent
    driven.driver._answer(RegisterName("8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local", "127.0.0.1"))
    driven.driver._answer(RegisterName("a..local", "127.0.0.1"))
    driven.driver._answer(ResolveName("a..local"))
    assert agent.next_event() is None


@contextlib.contextmanager
def inside() -> Iterator[Resident]:
    with Namespace() as here, Namespace() as there:
        wire(here, "eth0", there, "eth0")
        wire(here, "eth1", there, "eth1")
        there.ip("link set eth0 up", "link set eth1 up")
        here.ip("link set eth0 up", "addr add 192.0.2.10/24 dev eth0")
        here.wait_for("192.0.2.10")
        with resident_of(here) as resident:
            yield resident


@pytest.mark.slow
async def test_addresses_that_come_are_gathered_on_and_those_that_go_are_let_go_of() -> None:
    async def scenario(ip: Any) -> None:
        driven = Driven()
        try:
            driven.gather(LocalNetwork())
            assert all(" 192.0.2.10 " in line for line in driven.candidates())
            await asyncio.to_thread(ip, "link set eth1 up", "addr add 198.51.100.7/24 dev eth1")
            await until(lambda: any(" 198.51.100.7 " in line for line in driven.candidates()))
            await asyncio.to_thread(ip, "addr del 192.0.2.10/24 dev eth0")
            await until(lambda: {host for host, _ in driven.driver._sockets.udp} == {"198.51.100.7"})
            assert not any(isinstance(event, RestartNeeded) for event in driven.events)  # there was no connection
        finally:
            await driven.close()

    with inside() as resident:
        async with asyncio.timeout(LIMIT):
            await resident.do(scenario(resident.namespace.ip))


@pytest.mark.slow
async def test_a_connection_moves_to_the_interface_that_is_left_and_its_channel_goes_on() -> None:
    async def scenario(ip: Any) -> None:
        left, right = RTCPeerConnection(RTCConfiguration()), RTCPeerConnection(RTCConfiguration())
        try:
            channel = left.createDataChannel("chat")
            future = announced(right)
            await signal(left, right)
            await connected(channel)
            inbox = Inbox(await future)
            left.on("icecandidate", right.addIceCandidate)
            right.on("icecandidate", left.addIceCandidate)
            await asyncio.to_thread(ip, "link set eth1 up", "addr add 198.51.100.7/24 dev eth1")
            pairs = left._bundle.agent.statistics
            await until(lambda: any(_is_of_both(pair, "198.51.100.7") for pair in pairs().pairs))
            await asyncio.to_thread(ip, "addr del 192.0.2.10/24 dev eth0")
            channel.send("on the other one")
            assert await inbox.take(1) == ["on the other one"]
            pair = left._bundle.agent.selected_pair
            assert pair is not None
            assert pair.local_address[0] == "198.51.100.7"
        finally:
            await left.close()
            await right.close()

    with inside() as resident:
        async with asyncio.timeout(LIMIT):
            await resident.do(scenario(resident.namespace.ip))


def _is_of_both(pair: Any, host: str) -> bool:
    """Whether a pair that works has that address at both ends."""
    return pair.state is PairState.SUCCEEDED and pair.local.address == pair.remote.address == host


@pytest.mark.slow
async def test_two_that_hide_their_addresses_find_each_other_by_name() -> None:
    async def scenario() -> None:
        hidden = RTCConfiguration(hideAddresses=True)
        left, right = RTCPeerConnection(hidden), RTCPeerConnection(hidden)
        try:
            channel = left.createDataChannel("chat")
            await signal(left, right)
            await connected(channel)
            assert left.localDescription is not None
            assert "192.0.2.10" not in left.localDescription.sdp
        finally:
            await left.close()
            await right.close()

    with inside() as resident:
        async with asyncio.timeout(LIMIT):
            await resident.do(scenario())
