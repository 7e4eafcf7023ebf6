"""Profiles: numbers that no path has are refused, and the presets are ordered as people know them."""

import pytest

from tests.sim.profile import CELLULAR, CONGESTED, LAN, PERFECT, PRESETS, SATELLITE, WIFI, Profile


@pytest.mark.parametrize(
    "numbers",
    [
        {"loss": 1.1},
        {"loss": -0.1},
        {"duplicate": 2},
        {"reorder": -1},
        {"latency": -1},
        {"jitter": -0.1},
        {"reorder_delay": -1},
        {"burst": 0.5},
        {"loss": 0.9, "burst": 4},  # nine of ten lost cannot come in bursts of four
    ],
)
def test_impossible_numbers_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"lie between|cannot make up"):
        Profile(**numbers)


def test_a_path_that_loses_everything_is_possible() -> None:
    Profile(loss=1.0)
    Profile(loss=1.0, burst=4)
    Profile(loss=0.9, burst=9)


def test_presets_go_from_near_to_far() -> None:
    assert PERFECT.latency < LAN.latency < WIFI.latency < CELLULAR.latency < SATELLITE.latency
    assert CONGESTED.loss == max(profile.loss for profile in PRESETS.values())
    assert CONGESTED.rate == min(profile.rate for profile in PRESETS.values() if profile.rate)
