"""The estimate of how many servers there are."""

import bisect

import pytest

from zwerm.core.random import seeded
from zwerm.libp2p.kad.key import KEY_LIMIT
from zwerm.libp2p.kad.network_size import MIN_SAMPLES, VALIDITY, NetworkSize


def observed(size: int, lookups: int) -> NetworkSize:
    random = seeded(size, "keys")
    keys = sorted(random.randrange(KEY_LIMIT) for _ in range(size))
    network = NetworkSize(20)
    for _ in range(lookups):
        target = random.randrange(KEY_LIMIT)
        at = bisect.bisect_left(keys, target)
        window = keys[max(0, at - 200) : at + 200] if size > 1_000 else keys
        network.observe(sorted(key ^ target for key in window)[:20], 0.0)
    return network


@pytest.mark.parametrize("size", [200, 1_000, 20_000])
def test_it_is_right_within_a_quarter(size: int) -> None:
    assert observed(size, 60).estimate(0.0) == pytest.approx(size, rel=0.25)


def test_few_look_ups_say_nothing() -> None:
    network = observed(1_000, MIN_SAMPLES - 1)
    assert network.estimate(0.0) is None
    assert network.sure_distance(0.0) == 0


def test_look_ups_that_found_few_say_nothing() -> None:
    network = NetworkSize(20)
    for _ in range(10):
        network.observe([1] * 19, 0.0)
    assert network.estimate(0.0) is None


def test_old_look_ups_are_forgotten() -> None:
    assert observed(1_000, 20).estimate(VALIDITY + 1.0) is None


def test_the_sure_distance_holds_about_twelve_of_the_twenty_nearest() -> None:
    share = observed(10_000, 60).sure_distance(0.0) / KEY_LIMIT
    assert 9 < share * 10_000 < 15
