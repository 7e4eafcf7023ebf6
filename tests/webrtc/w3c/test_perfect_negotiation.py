"""Two sides that both want something at any time, with messages that cross: it ends, and everything is agreed on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random

import pytest

from tests.webrtc.w3c.both import connected
from tests.webrtc.w3c.perfect import Negotiator, Wire
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection

TRICKLING = RTCConfiguration(includeLoopback=True, trickle=True, interfaces=["lo"], iceTcp=False)
LIMIT = 60.0  # seconds, of a busy machine


@contextlib.asynccontextmanager
async def two(random: Random) -> AsyncIterator[tuple[Negotiator, Negotiator, list[Wire]]]:
    """A polite and an impolite side, with a wire each way."""
    wires = [Wire(random, random.choice((1, 3, 20))) for _ in range(2)]
    sides = [Negotiator(RTCPeerConnection(TRICKLING), wires[index], is_polite=index == 0) for index in range(2)]
    wires[0].receiver, wires[1].receiver = sides[1], sides[0]
    try:
        yield sides[0], sides[1], wires
    finally:
        for side in sides:
            await side.connection.close()
        for wire in wires:
            await wire.close()


def want_something(connection: RTCPeerConnection, random: Random) -> None:
    """Do one of the things that need negotiation."""
    wish = random.randrange(5)
    transceivers = [one for one in connection.getTransceivers() if one.direction != "stopped"]
    if wish == 0:
        connection.addTransceiver(random.choice(("audio", "video")))
    elif wish == 1:
        connection.restartIce()
    elif wish == 2 and transceivers:
        random.choice(transceivers).direction = random.choice(("sendrecv", "recvonly", "sendonly", "inactive"))
    elif wish == 3 and transceivers:
        random.choice(transceivers).stop()
    else:
        connection.createDataChannel("more")


async def settle(sides: tuple[Negotiator, Negotiator], wires: list[Wire]) -> None:
    """Wait until nobody has anything to say: not for a good many turns of the loop."""
    quiet = 0
    while quiet < 50:
        await asyncio.sleep(0)
        is_quiet = not any(wire.in_flight for wire in wires)
        is_quiet = is_quiet and all(side.connection.signalingState == "stable" for side in sides)
        quiet = quiet + 1 if is_quiet else 0


@pytest.mark.parametrize("seed", range(25))
async def test_wishes_that_cross_are_all_agreed_on_in_the_end(seed: int) -> None:
    random = Random(seed)
    async with two(random) as (polite, impolite, wires), asyncio.timeout(LIMIT):
        sides = (polite, impolite)
        channels = [side.connection.createDataChannel("first") for side in sides]
        for _ in range(8):
            for side in random.sample(sides, random.choice((1, 2, 2))):
                want_something(side.connection, random)
            for _ in range(random.randrange(60)):
                await asyncio.sleep(0)
        await settle(sides, wires)
        assert [side.failures for side in sides] == [[], []], f"seed {seed}"
        ours, theirs = (side.connection.getTransceivers() for side in sides)
        assert [one.mid for one in ours if one.mid is None] == []
        assert sorted((one.mid, one.kind) for one in ours) == sorted((one.mid, one.kind) for one in theirs)
        for channel in channels:
            await connected(channel)
        sections = [side.connection.currentLocalDescription for side in sides]
        assert all(one is not None and one.sdp.count("m=") == sections[0].sdp.count("m=") for one in sections)


async def test_glare_is_met_in_these_runs() -> None:
    """So that the test above tests what it says: offers do cross, and the polite side takes its own back."""
    ignored = 0
    for seed in range(5):
        async with two(Random(seed)) as (polite, impolite, wires), asyncio.timeout(LIMIT):
            channels = [side.connection.createDataChannel("first") for side in (polite, impolite)]
            await settle((polite, impolite), wires)
            for channel in channels:
                await connected(channel)
            ignored += impolite.ignored
            assert (polite.failures, impolite.failures, polite.ignored) == ([], [], 0)
    assert ignored >= 3
