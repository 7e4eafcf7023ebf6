"""The network changes under a connection: real interfaces, real translators, and the channel goes on.

Nothing here signals by itself unless a test says so; what `negotiationneeded` asks for is done by the test's parties.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.netlab.homes import SERVERS, Home, Kind, wide_network
from tests.netlab.matrix import relay_in, servers
from tests.netlab.meeting import Party, call, talk
from tests.netlab.namespace import Resident, resident_of
from zwerm.webrtc import RTCConfiguration, RTCIceServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("network-changes")]

LIMIT = 90.0  # seconds, of a busy machine


class Scene:
    """Two homes with a connection between them."""

    def __init__(self, left: Home, right: Home, caller: Party, callee: Party) -> None:
        self.left, self.right = left, right
        self.caller, self.callee = caller, callee

    async def renegotiate(self) -> None:
        """What a program does when `negotiationneeded` says so."""
        await call(self.caller, self.callee)

    async def is_told(self, party: Party, *states: str) -> None:
        async def wait() -> None:
            await party.until(lambda: party.connection.iceConnectionState in states)

        await party.resident.do(wait())


@contextlib.contextmanager
def two_homes(left: Kind, right: Kind) -> Iterator[tuple[Home, Home, Resident, Resident, Resident]]:
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network())
        homes = network.join(left), network.join(right)
        residents = [stack.enter_context(resident_of(one)) for one in (network.core, *(home.host for home in homes))]
        yield *homes, *residents


@contextlib.asynccontextmanager
async def connected(left: Kind, right: Kind, *, has_turn: bool = False) -> AsyncIterator[Scene]:
    configuration = RTCConfiguration(servers(has_turn=has_turn), trickle=True)
    with two_homes(left, right) as (home, other, core, here, there):
        async with relay_in(core), asyncio.timeout(LIMIT):
            caller = await here.do(Party.open(here, configuration))
            callee = await there.do(Party.open(there, configuration))
            try:
                await call(caller, callee, "chat")
                assert await asyncio.gather(here.do(caller.wait_open()), there.do(callee.wait_open())) == [True, True]
                await talk(caller, callee)
                yield Scene(home, other, caller, callee)
            finally:
                await here.do(caller.close())
                await there.do(callee.close())


async def test_an_interface_that_is_lost_and_comes_back_is_used_again() -> None:
    async with connected(Kind.NONE, Kind.NONE) as scene:
        scene.left.host.ip("link set eth0 down")
        await scene.is_told(scene.caller, "disconnected")
        gateway = f"203.0.113.{100 + scene.left.number}"
        scene.left.host.ip(
            "link set eth0 up", f"route replace {gateway}/32 dev eth0", f"route replace default via {gateway} dev eth0"
        )
        await scene.is_told(scene.caller, "connected", "completed")
        await talk(scene.caller, scene.callee, "after the gap")


async def test_another_address_takes_over_without_signaling() -> None:
    """The peer learns it from the first check, as it does of a translator's new port."""
    async with connected(Kind.PORT, Kind.NONE) as scene:
        number = scene.left.number
        scene.left.host.ip(f"addr add 192.168.{number}.99/24 dev eth0", f"addr del 192.168.{number}.10/24 dev eth0",
                           f"addr replace 192.168.{number}.99/24 dev eth0",
                           f"route replace default via 192.168.{number}.1")  # fmt: skip
        await talk(scene.caller, scene.callee, "from another address")
        pair = scene.caller.connection._bundle.agent.selected_pair
        assert pair is not None
        assert pair.local_address[0] == f"192.168.{number}.99"


@pytest.mark.parametrize("kind", [Kind.PORT, Kind.SYMM], ids=lambda kind: kind.value)
async def test_a_translator_that_forgets_costs_one_consent_interval(kind: Kind) -> None:
    async with connected(kind, Kind.NONE) as scene:
        scene.left.box.run("conntrack", "-F")
        scene.left.box.run("conntrack", "-F")
        await talk(scene.caller, scene.callee, "by another port")


async def test_a_peer_that_is_gone_is_missed_within_the_times_of_consent() -> None:
    """RFC 7675: at most 30 s from the last answer; "disconnected" comes long before."""
    async with connected(Kind.NONE, Kind.NONE) as scene:
        clock = asyncio.get_running_loop().time
        begun = clock()
        scene.right.host.ip("link set eth0 down")  # as a process that is killed: not a word
        await scene.is_told(scene.caller, "disconnected")
        assert clock() - begun < 20.0
        await scene.is_told(scene.caller, "failed")
        assert scene.caller.states[-2:] == ["disconnected", "failed"]
        assert 20.0 < clock() - begun < 60.0


async def test_a_lost_relay_is_replaced_by_a_restart_and_the_channel_goes_on() -> None:
    """Both are behind symmetric translators: without the relay there is nothing. Its boxes forget the connection."""
    async with connected(Kind.SYMM, Kind.SYMM, has_turn=True) as scene:
        number = scene.left.number
        needed = await scene.caller.resident.do(_negotiation_of(scene.caller))
        scene.left.host.ip("link set eth0 down")
        await scene.caller.resident.do(_wait(needed))
        scene.left.host.ip("link set eth0 up", f"route replace default via 192.168.{number}.1")
        scene.left.host.wait_for(scene.left.address)
        await scene.renegotiate()
        await scene.is_told(scene.caller, "connected", "completed")
        await talk(scene.caller, scene.callee, "through another allocation")


async def _negotiation_of(party: Party) -> asyncio.Event:
    needed = asyncio.Event()
    party.connection.on("negotiationneeded", needed.set)
    return needed


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


@pytest.mark.parametrize("urls", [["turn:{}"], ["turn:{}?transport=tcp"]], ids=["udp", "tcp"])
async def test_a_relay_that_dies_under_a_connection_is_told_and_a_restart_finds_the_next_one(urls: list[str]) -> None:
    """RFC 7675's times count for what goes through a server too."""
    server = RTCIceServer([url.format(SERVERS[0]) for url in urls], "alice", "wonder")
    configuration = RTCConfiguration([server], trickle=True)
    with two_homes(Kind.SYMM, Kind.SYMM) as (_, _, core, here, there):
        async with asyncio.timeout(LIMIT):
            async with relay_in(core):
                caller = await here.do(Party.open(here, configuration))
                callee = await there.do(Party.open(there, configuration))
                await call(caller, callee, "chat")
                assert await asyncio.gather(here.do(caller.wait_open()), there.do(callee.wait_open())) == [True, True]
                await talk(caller, callee)
                needed = await here.do(_negotiation_of(caller))
            try:
                await here.do(_wait(needed))
                assert caller.connection.iceConnectionState == "disconnected"
                async with relay_in(core):
                    await call(caller, callee)
                    for party in (caller, callee):
                        await party.resident.do(_until_connected(party))
                    await talk(caller, callee, "through the next server")
            finally:
                await here.do(caller.close())
                await there.do(callee.close())


async def _until_connected(party: Party) -> None:
    await party.until(lambda: party.connection.iceConnectionState in ("connected", "completed"))
