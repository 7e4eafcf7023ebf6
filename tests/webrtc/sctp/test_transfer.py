"""Transfers over bad paths under virtual time: everything arrives once, in order, and fast where the path allows."""

import dataclasses

import pytest

from tests.sim.profile import CELLULAR, CONGESTED, PERFECT, SATELLITE, WIFI, Profile
from tests.webrtc.sctp.kit import BINARY, over
from zwerm.webrtc.sctp.events import Connected, MessageReceived

PART = 65_536
PAYLOAD_SHARE = 1_132 / (1_160 + 28)  # of a link's rate: DATA payload in a packet with IP and UDP headers


def transfer(profile: Profile, size: int, *, seed: int = 0, limit: float, **options: object) -> float:
    """Send `size` bytes in messages of `PART` from left to right; return the seconds it took."""
    pair = over(profile, seed=seed, **options)
    pair.drive_until(Connected, limit=60.0)
    begin = pair.clock.now
    count = size // PART
    got: list[bytes] = []
    sent = 0

    def goes_on() -> bool:
        nonlocal sent
        while sent < count and pair.left.machine.buffered_amount() < 4 * PART:
            pair.left.machine.send(1, sent.to_bytes(4, "big") + bytes(PART - 4), ppid=BINARY, now=pair.clock.now)
            sent += 1
            pair.left.pump()
        got.extend(event.data[:4] for event in pair.right.events if isinstance(event, MessageReceived))
        pair.right.events.clear()
        return len(got) < count

    pair.drive_while(goes_on, limit)
    assert got == [number.to_bytes(4, "big") for number in range(count)]
    return pair.clock.now - begin


def share(profile: Profile, size: int, seconds: float) -> float:
    """Goodput as a share of what the link can carry."""
    assert profile.rate is not None
    return size * 8 / seconds / (profile.rate * PAYLOAD_SHARE)


@pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])
@pytest.mark.parametrize(
    "profile",
    [
        Profile(latency=0.01, loss=0.02),
        Profile(latency=0.01, loss=0.1, burst=4),
        Profile(latency=0.01, reorder=0.1, reorder_delay=0.01),
        Profile(latency=0.01, duplicate=0.2),
        Profile(latency=0.01, jitter=0.03),
        Profile(latency=0.005, rate=10e6, buffer=6_000),
    ],
    ids=["loss", "bursts", "reordering", "duplicates", "jitter", "tiny buffer"],
)
def test_everything_arrives_once_and_in_order(profile: Profile, *, interleaving: bool) -> None:
    transfer(profile, 16 * PART, limit=60.0, interleaving=interleaving)


@pytest.mark.slow
@pytest.mark.parametrize("profile", [WIFI, CELLULAR, CONGESTED], ids=["wifi", "cellular", "congested"])
def test_the_presets_are_crossed(profile: Profile) -> None:
    transfer(profile, 16 * PART, limit=120.0)


@pytest.mark.slow
def test_a_path_of_100_ms_is_kept_full() -> None:
    profile = Profile(latency=0.05, rate=50e6, buffer=625_000)
    size = 24 * 1_048_576
    assert share(profile, size, transfer(profile, size, limit=30.0)) > 0.85


@pytest.mark.slow
def test_a_path_of_100_ms_with_a_short_queue_is_used_well() -> None:
    profile = Profile(latency=0.05, rate=20e6, buffer=62_500)  # a quarter of what is in flight
    size = 8 * 1_048_576
    assert share(profile, size, transfer(profile, size, limit=30.0)) > 0.6


@pytest.mark.slow
def test_a_satellite_without_loss_is_kept_busy() -> None:
    profile = dataclasses.replace(SATELLITE, loss=0.0, burst=1.0)
    size = 16 * 1_048_576
    assert share(profile, size, transfer(profile, size, limit=60.0)) > 0.5


@pytest.mark.slow
def test_a_satellite_with_loss_is_crossed() -> None:
    transfer(SATELLITE, 2 * 1_048_576, limit=300.0)


def test_reordering_alone_costs_little() -> None:
    steady = Profile(latency=0.02, rate=20e6)
    mixed = dataclasses.replace(steady, reorder=0.02, reorder_delay=0.008)
    size = 48 * PART
    assert transfer(mixed, size, limit=30.0) < 1.6 * transfer(steady, size, limit=30.0)


def test_the_loss_of_the_last_packet_costs_less_than_a_timeout() -> None:
    pair = over(Profile(latency=0.02))
    pair.drive_until(Connected, limit=5.0)
    pair.run_for(0.5)
    for _ in range(3):  # the round trip is known
        pair.left.machine.send(1, bytes(3_000), ppid=BINARY, now=pair.clock.now)
        pair.left.pump()
        pair.drive_until(MessageReceived, limit=5.0)
        pair.run_for(0.5)
    begin = pair.clock.now
    pair.path.up.profile = dataclasses.replace(PERFECT, latency=0.02, loss=1.0)
    pair.left.machine.send(1, bytes(3_000), ppid=BINARY, now=begin)
    pair.left.pump()
    pair.run_for(0.001)
    pair.path.up.profile = Profile(latency=0.02)
    pair.drive_until(MessageReceived, limit=5.0)
    assert pair.clock.now - begin < 0.25


def test_an_outage_is_survived() -> None:
    pair = over(Profile(latency=0.02))
    pair.drive_until(Connected, limit=5.0)
    pair.left.machine.send(1, bytes(500_000), ppid=BINARY, now=pair.clock.now)
    pair.left.pump()
    pair.run_for(0.05)
    pair.path.up.profile = Profile(latency=0.02, loss=1.0)
    pair.run_for(5.0)
    pair.path.up.profile = Profile(latency=0.02)
    pair.drive_until(MessageReceived, limit=10.0)
