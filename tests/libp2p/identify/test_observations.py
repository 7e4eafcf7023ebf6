"""An address is believed once enough others have said it, and no longer than they do."""

from __future__ import annotations

from zwerm.libp2p.identify.observations import ENOUGH, LIFETIME, MAX_ADDRESSES, MAX_OBSERVERS, Observations
from zwerm.multiformats.multiaddr import Multiaddr


def address(number: int) -> Multiaddr:
    return Multiaddr.from_text(f"/ip4/10.{number >> 16}.{number >> 8 & 255}.{number & 255}/tcp/4001")


def test_it_takes_several_observers_and_one_counts_once() -> None:
    observations = Observations()
    for turn in range(10):
        observations.add("one", address(1), float(turn))
    assert observations.believed(10.0) == ()
    for number in range(ENOUGH - 1):
        observations.add(f"other {number}", address(1), 10.0)
    assert observations.believed(10.0) == (address(1),)


def test_what_is_not_said_again_is_forgotten() -> None:
    observations = Observations()
    for number in range(ENOUGH):
        observations.add(f"{number}", address(1), float(number))
    assert observations.believed(LIFETIME - 0.5) == (address(1),)
    assert observations.believed(LIFETIME) == ()


def test_the_most_said_leads() -> None:
    observations = Observations()
    for number in range(ENOUGH + 1):
        observations.add(f"{number}", address(2), 0.0)
        if number:
            observations.add(f"{number}", address(1), 0.0)
    assert observations.believed(1.0) == (address(2), address(1))


def test_liars_fill_only_so_much() -> None:
    observations = Observations()
    for number in range(MAX_ADDRESSES * 3):
        observations.add("liar", address(number), 0.0)
    for number in range(MAX_OBSERVERS * 3):
        observations.add(f"{number}", address(1), 0.0)
    assert len(observations._observers) <= MAX_ADDRESSES
    assert len(observations._observers.find(address(1)) or {}) == MAX_OBSERVERS
