"""Meters that tell what went, and caps that hold it to a rate."""

from __future__ import annotations

import pytest

from tests.libp2p.hosts import hosts, seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.swarm import Limits
from zwerm.libp2p.swarm.bandwidth import MAX_NAMES, SMOOTHING, Bandwidth, Cap, Meter

PEER = PeerId.of(seeded_key(0).public)


def test_a_steady_stream_has_its_rate_and_a_pause_lets_it_fade() -> None:
    meter = Meter()
    for tenth in range(1_000):
        meter.add(100, 50, tenth / 10)
    usage = meter.usage(100.0)
    assert (usage.received, usage.sent) == (100_000, 50_000)
    assert usage.receive_rate == pytest.approx(1_000, rel=0.05)
    assert usage.send_rate == pytest.approx(500, rel=0.05)
    assert meter.usage(100.0 + 10 * SMOOTHING).receive_rate < 1.0


def test_a_cap_lets_a_burst_go_and_then_its_rate() -> None:
    cap = Cap(1_000.0, 0.0)
    assert cap.delay(0.0) == 0.0
    cap.charge(1_000, 0.0)
    assert cap.delay(0.0) == 0.0  # what is not overdrawn may go
    cap.charge(500, 0.0)
    assert cap.delay(0.0) == 0.5
    assert cap.delay(0.3) == pytest.approx(0.2)
    assert cap.delay(0.6) == 0.0
    now, sent = 1_000.0, 0
    start = now
    while sent < 50_000:
        now += cap.delay(now)
        cap.charge(100, now)
        sent += 100
    assert now - start == pytest.approx(49.0, rel=0.01)  # a second's worth at once, however long the pause was


def test_a_cap_can_be_changed_and_taken_away() -> None:
    cap = Cap(None, 0.0)
    cap.charge(10**9, 0.0)
    assert cap.delay(0.0) == 0.0
    assert cap.bytes_per_second is None
    cap.set(10.0, 5.0)
    cap.charge(20, 5.0)
    assert cap.delay(5.0) == 1.0
    cap.set(None, 5.0)
    assert cap.delay(5.0) == 0.0


def test_so_many_names_are_metered() -> None:
    bandwidth = Bandwidth(lambda: 0.0)
    for number in range(MAX_NAMES + 10):
        bandwidth.meters(PEER, f"/{number}")
    assert len(bandwidth.usage_of_protocols()) == MAX_NAMES


@pytest.mark.parametrize("which", ["upload", "download"])
async def test_streams_are_counted_and_held_to_the_cap(which: str) -> None:
    limits = Limits(upload=200_000.0) if which == "upload" else Limits(download=200_000.0)
    async with hosts(2, limits=limits, identify=False) as (alice, bob):

        async def sink(stream: Stream) -> None:
            while await stream.read():
                pass

        bob.handle("/sink", sink)
        begun = alice.clock()
        async with await alice.open_stream(bob.peer_id, ["/sink"]) as stream:
            await stream.write(bytes(250_000))
            await stream.close_write()
            assert await stream.read() == b""
        assert alice.clock() - begun >= 0.16  # a second's worth is free, the rest takes its time but for one piece
        assert alice.bandwidth.usage().sent == bob.bandwidth.usage().received == 250_000
        assert bob.bandwidth.usage_of_peer(alice.peer_id).received == 250_000
        assert bob.bandwidth.usage_of_peer(PeerId.of(seeded_key(9).public)).received == 0
        assert list(alice.bandwidth.usage_of_protocols()) == ["/sink"]
