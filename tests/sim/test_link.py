"""The link does to datagrams what its profile says: measured over many, and exactly where there is no chance in it."""

import dataclasses
import itertools

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.link import HEADERS, Link
from tests.sim.profile import CONGESTED, PERFECT, PRESETS, SATELLITE, Profile

COUNT = 20_000


def run(profile: Profile, *, count: int = COUNT, gap: float = 0.02, size: int = 100, seed: int = 1):
    """Send numbered datagrams, `gap` seconds apart; return their arrivals as (time, number), and the link."""
    clock, arrivals = VirtualClock(), []
    link = Link(clock, lambda number: arrivals.append((clock.now, number)), profile, seed=seed)
    for number in range(count):
        clock.call_at(number * gap, lambda number=number: link.send(number, size))
    clock.run_out(limit=count * gap + 1_000)
    return arrivals, link


def numbers(arrivals: list[tuple[float, int]]) -> list[int]:
    return [number for _, number in arrivals]


def runs_of_losses(arrivals: list[tuple[float, int]], count: int) -> list[int]:
    arrived = set(numbers(arrivals))
    return [len(list(group)) for lost, group in itertools.groupby(range(count), lambda n: n not in arrived) if lost]


def test_a_perfect_link_delivers_at_once_and_in_order() -> None:
    arrivals, _ = run(PERFECT, count=100)
    assert arrivals == [(number * 0.02, number) for number in range(100)]


def test_latency_is_added_to_every_datagram() -> None:
    arrivals, _ = run(Profile(latency=0.3), count=10)
    assert [when - number * 0.02 for when, number in arrivals] == pytest.approx([0.3] * 10)


def test_jitter_spreads_delays_evenly_and_keeps_the_order() -> None:
    arrivals, _ = run(Profile(latency=0.1, jitter=0.05), gap=0.06)
    delays = [when - number * 0.06 for when, number in arrivals]
    assert numbers(arrivals) == list(range(COUNT))
    assert 0.1 <= min(delays) < 0.101
    assert 0.149 < max(delays) <= 0.15
    assert sum(delays) / COUNT == pytest.approx(0.125, abs=0.001)


def test_jitter_larger_than_the_gap_does_not_reorder() -> None:
    arrivals, _ = run(Profile(jitter=0.05), gap=0.001)
    assert numbers(arrivals) == list(range(COUNT))


@pytest.mark.parametrize("loss", [0.005, 0.05, 0.3, 0.9])
def test_single_losses_come_at_their_share(loss: float) -> None:
    arrivals, link = run(Profile(loss=loss))
    assert link.statistics.lost / COUNT == pytest.approx(loss, rel=0.15)
    losses = runs_of_losses(arrivals, COUNT)
    assert sum(losses) / len(losses) == pytest.approx(1 / (1 - loss), rel=0.1)


@pytest.mark.parametrize(("loss", "burst"), [(0.01, 4), (0.05, 4), (0.2, 10)])
def test_bursts_have_their_mean_length_and_leave_the_share_as_it_was(loss: float, burst: float) -> None:
    arrivals, link = run(Profile(loss=loss, burst=burst), count=5 * COUNT)
    assert link.statistics.lost / (5 * COUNT) == pytest.approx(loss, rel=0.2)
    losses = runs_of_losses(arrivals, 5 * COUNT)
    assert sum(losses) / len(losses) == pytest.approx(burst, rel=0.2)


def test_a_loss_of_one_loses_everything() -> None:
    assert run(Profile(loss=1.0), count=100)[0] == []
    assert run(Profile(loss=1.0, burst=4), count=100)[0] == []


def test_duplicates_arrive_right_behind_the_first() -> None:
    arrivals, link = run(Profile(duplicate=0.1))
    assert link.statistics.duplicated / COUNT == pytest.approx(0.1, rel=0.1)
    assert link.statistics.delivered == COUNT + link.statistics.duplicated == len(arrivals)
    assert numbers(arrivals) == sorted(numbers(arrivals))


def test_reordered_datagrams_are_overtaken() -> None:
    arrivals, link = run(Profile(reorder=0.1, reorder_delay=0.05), gap=0.02)
    assert link.statistics.reordered / COUNT == pytest.approx(0.1, rel=0.1)
    late = {number for when, number in arrivals if when - number * 0.02 > 0.04}
    assert len(late) == link.statistics.reordered
    overtaken = sum(before > after for before, after in itertools.pairwise(numbers(arrivals)))
    assert overtaken > 0.8 * len(late)
    assert sorted(numbers(arrivals)) == list(range(COUNT))


def test_the_rate_is_kept_headers_included() -> None:
    size = 1_000 - HEADERS
    arrivals, _ = run(Profile(rate=800_000, buffer=1_000_000), count=500, gap=0.0, size=size)
    assert [when for when, _ in arrivals] == pytest.approx([0.01 * (number + 1) for number in range(500)])


def test_what_the_buffer_cannot_hold_is_dropped_at_its_tail() -> None:
    arrivals, link = run(Profile(rate=800_000, buffer=10_000), count=100, gap=0.0, size=1_000 - HEADERS)
    assert numbers(arrivals) == list(range(10))
    assert link.statistics.dropped == 90


def test_a_backlog_drains_with_time() -> None:
    clock = VirtualClock()
    link = Link(clock, lambda number: None, Profile(rate=8_000, buffer=4_000))
    link.send(1, 1_000 - HEADERS)
    link.send(2, 1_000 - HEADERS)
    assert link.backlog == pytest.approx(2_000)
    clock.run_for(1.5)
    assert link.backlog == pytest.approx(500)
    clock.run_for(10.0)
    assert link.backlog == 0
    assert Link(clock, lambda number: None).backlog == 0


def test_datagrams_over_the_mtu_are_dropped_and_counted() -> None:
    clock, arrivals = VirtualClock(), []
    link = Link(clock, arrivals.append, Profile(mtu=1_280))
    link.send("fits", 1_280 - HEADERS)
    link.send("does not", 1_280 - HEADERS + 1)
    clock.run_out(limit=1.0)
    assert arrivals == ["fits"]
    assert link.statistics.too_big == 1


@pytest.mark.parametrize("name", PRESETS)
def test_every_datagram_is_accounted_for(name: str) -> None:
    _, link = run(PRESETS[name], gap=0.001, size=1_000, count=5_000)
    seen = link.statistics
    assert seen.sent == 5_000
    assert seen.delivered - seen.duplicated + seen.lost + seen.dropped + seen.too_big == seen.sent


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    first, again, other = run(CONGESTED), run(CONGESTED), run(CONGESTED, seed=2)
    assert first[0] == again[0]
    assert first[0] != other[0]


def test_changing_one_number_leaves_the_luck_of_the_others() -> None:
    plain = Profile(latency=0.1, jitter=0.01, loss=0.05)
    with_duplicates = dataclasses.replace(plain, duplicate=0.2)
    assert set(numbers(run(plain)[0])) == set(numbers(run(with_duplicates)[0]))


def test_a_profile_can_change_on_the_way() -> None:
    clock, arrivals = VirtualClock(), []
    link = Link(clock, arrivals.append, SATELLITE, seed=3)
    link.send("slow", 100)
    link.profile = PERFECT
    link.send("fast", 100)
    link.profile = Profile(loss=1.0)
    link.send("lost", 100)
    clock.run_out(limit=5.0)
    assert arrivals[0] == "slow"  # nothing overtakes on one link
    assert arrivals == ["slow", "fast"]
