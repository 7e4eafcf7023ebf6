"""Pairs: two machines and a path, run until something happens; and every way it can fail to."""

import pytest

from tests.conformance.examples import Answered, Asked, Ended, Failed, Line, Lines, Request, Server, TimedOut
from tests.sim.clock import Livelock
from tests.sim.pair import RIGHT, NeverHappened, Pair, StreamPair
from tests.sim.profile import CONGESTED, PRESETS, SATELLITE, Profile
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import seeded


def request(seed: int = 0) -> Request:
    return Request(b"time?", RIGHT, now=0.0, random=seeded(seed, "request"))


class Lost(Server):
    """A server that takes nothing for its own."""

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        return False


class Busy:
    """A machine whose deadline is always now."""

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        return False

    def handle_timeout(self, now: Instant) -> None:
        pass

    def next_transmit(self) -> Transmit | None:
        return None

    def next_event(self) -> None:
        return None

    def next_timeout(self) -> Instant | None:
        return 0.0


@pytest.mark.parametrize("name", PRESETS)
def test_a_request_is_answered_over_every_preset(name: str) -> None:
    pair = Pair(request(), Server(), profile=PRESETS[name], seed=1)
    assert pair.drive_until(Answered, limit=40.0) == Answered(b"time?")


def test_the_silent_server_sees_the_schedule_printed_in_the_rfc() -> None:
    """RFC 8489 section 6.2.1; 39.5 seconds pass in no time."""
    pair = Pair(request(), Server(), profile=Profile(loss=1.0))
    pair.drive_until(TimedOut, limit=60.0)
    assert pair.clock.now == 39.5
    assert pair.path.up.statistics.lost == 7


def test_the_clock_counts_the_path_both_ways() -> None:
    pair = Pair(request(), Server(), profile=Profile(latency=0.1))
    pair.drive_until(Answered, limit=1.0)
    assert pair.clock.now == pytest.approx(0.2)
    assert [type(event) for event in pair.right.events] == [Asked]


def test_a_lossy_path_costs_resends_and_repeats_by_its_seed() -> None:
    def run(seed: int) -> tuple[float, int]:
        pair = Pair(request(), Server(), profile=Profile(latency=0.05, loss=0.6), seed=seed)
        pair.drive_until((Answered, TimedOut), limit=60.0)
        return pair.clock.now, pair.path.up.statistics.sent

    runs = [run(seed) for seed in range(10)]
    assert runs == [run(seed) for seed in range(10)]
    assert len(set(runs)) > 3


def test_an_event_is_taken_with_those_before_it() -> None:
    pair = Pair(request(), Server())
    pair.drive_until(Asked, limit=1.0)
    assert pair.right.events == []
    pair.drive_until(Answered, limit=1.0)
    assert pair.left.events == []


def test_what_does_not_come_in_time_fails_with_the_seed() -> None:
    pair = Pair(request(), Server(), profile=Profile(loss=1.0), seed=4_711)
    with pytest.raises(NeverHappened, match=r"no Answered within 3\.0 s; seed 4711"):
        pair.drive_until(Answered, limit=3.0)


def test_what_can_no_longer_come_fails_at_once() -> None:
    pair = Pair(request(), Server())
    pair.drive_until(Answered, limit=1.0)
    with pytest.raises(NeverHappened, match="nothing is left to happen"):
        pair.drive_until(TimedOut, limit=1e9)


def test_a_machine_that_keeps_itself_busy_is_a_livelock() -> None:
    pair = Pair(Busy(), Server())
    with pytest.raises(Livelock):
        pair.drive_until(TimedOut, limit=1.0)


def test_a_datagram_nobody_wants_is_counted() -> None:
    pair = Pair(request(), Lost())
    pair.run_for(0.1)
    assert pair.right.unclaimed == 1


def test_commands_are_carried_out_by_pump() -> None:
    pair = StreamPair(Lines(now=0.0, echo=False), Lines(now=0.0))
    pair.left.machine.send_line(b"hello")
    pair.pump()
    assert pair.drive_until(Line, limit=1.0) == Line(b"hello")
    pair.run_for(1.0)
    assert [*pair.left.events, *pair.right.events] == [Line(b"hello")]


@pytest.mark.parametrize("profile", [Profile(), SATELLITE, CONGESTED], ids=["perfect", "satellite", "congested"])
def test_a_stream_brings_every_byte_in_order_however_it_is_cut(profile: Profile) -> None:
    pair = StreamPair(Lines(now=0.0, echo=False, pending=1_000), Lines(now=0.0, pending=1_000), profile=profile, seed=3)
    lines = [bytes([65 + number % 26]) * (number % 30) for number in range(500)]
    for line in lines:
        pair.left.machine.send_line(line)
    pair.pump()
    pair.drive_while(lambda: len(pair.left.events) < 500, limit=20.0)
    assert [event.text for event in pair.left.events] == lines


def test_the_end_of_a_stream_comes_after_its_last_byte() -> None:
    pair = StreamPair(Lines(now=0.0, echo=False), Lines(now=0.0, echo=False), profile=Profile(latency=0.5))
    pair.left.machine.send_line(b"bye")
    pair.pump()
    pair.to_right.close()
    pair.to_right.close()
    pair.drive_until(Ended, limit=1.0)
    assert pair.clock.now == 0.5
    with pytest.raises(ValueError, match="closed"):
        pair.to_right.send(b"more")


def test_time_passes_for_a_stream_too() -> None:
    pair = StreamPair(Lines(now=0.0), Lines(now=0.0, idle=5.0))
    assert pair.drive_until(Failed, limit=10.0) == Failed("idle")
    assert pair.clock.now == 5.0
