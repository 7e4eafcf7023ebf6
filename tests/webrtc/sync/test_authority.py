"""The authority: bases, repetitions, inputs once and in order, and what it does not take."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.profile import CELLULAR, CONGESTED, PERFECT, SATELLITE, WIFI, Profile
from tests.webrtc.sync.things import SCHEMA
from tests.webrtc.sync.world import TICK, World
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.webrtc.sync.authority import CHANNEL, Authority, Config, InputArrived, InputsLost
from zwerm.webrtc.sync.packet import InputsPacket, SnapshotPacket

WILD = Profile(latency=0.05, jitter=0.06, loss=0.3, burst=3, duplicate=0.1, reorder=0.2, reorder_delay=0.08)
PROFILES = {
    "perfect": PERFECT,
    "wifi": WIFI,
    "cellular": CELLULAR,
    "satellite": SATELLITE,
    "congested": CONGESTED,
    "wild": WILD,
}
over_every_path = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())


def make(now: Instant = 0.0, random: Random | None = None) -> Authority:
    authority = Authority(SCHEMA)
    authority.publish({1: (0.5, 0.5, 1.0)}, 1, now)
    return authority


def publish_again(authority: Authority) -> None:
    """A command at a moment that the machine itself knows: the one it waits for."""
    due = authority.next_timeout()
    if due is not None:
        authority.publish({2: (0, 0, 0)}, 2, due)


def packet(authority: Authority) -> SnapshotPacket:
    transmit = authority.next_transmit()
    assert transmit is not None
    return SnapshotPacket.parse(transmit.data)


def test_laws() -> None:
    valid = [InputsPacket(1, 0, 1, (b"ab", b"cd")).serialize(), InputsPacket(1, 0, 0, ()).serialize()]
    check_machine(
        Subject(
            make,
            peer=CHANNEL,
            valid=valid,
            commands=[publish_again],
            seeds=range(8),
        )
    )


@over_every_path
@pytest.mark.parametrize("seed", range(3))
def test_every_input_is_told_once_and_in_order(profile: Profile, seed: int) -> None:
    world = World(profile, seed)
    world.run(8.0)
    world.run(3.0, giving=False)
    assert world.inputs == list(range(1, 241))
    assert world.lost_inputs == 0


@over_every_path
@pytest.mark.parametrize("seed", range(3))
def test_the_last_state_arrives_though_nothing_follows_it(profile: Profile, seed: int) -> None:
    world = World(profile, seed)
    world.run(2.0)
    world.run(5.0, publishing=False, giving=False)
    newest = max(world.snapshots, key=lambda snapshot: snapshot.sequence)
    assert newest.state == world.published[world.tick]
    assert world.authority.is_acknowledged
    assert world.authority.next_timeout() is None


def test_snapshots_are_small_once_one_is_acknowledged() -> None:
    world = World(dataclasses.replace(PERFECT, latency=0.05))
    world.run(3.0, giving=False)
    whole = len(SCHEMA.write_delta({}, world.published[1])) + 14
    assert world.authority.statistics.whole < 10
    assert max(world.sizes[-60:]) <= whole
    still = world.published[world.tick]
    world.authority.publish(SCHEMA.restore(still), world.tick + 1, world.clock.now)
    world.run(0.5, publishing=False, giving=False)
    world.authority.publish(SCHEMA.restore(still), world.tick + 2, world.clock.now)
    assert packet(world.authority).delta == b"\0"


def test_a_side_that_was_silent_for_long_gets_a_whole_state() -> None:
    authority = make()
    authority.receive_datagram(InputsPacket(1, 0, 0, ()).serialize(), CHANNEL, 0.1)
    packet(authority)
    bases = []
    for tick in range(2, 80):
        authority.publish({1: (0.1, tick / 100, 0)}, tick, tick * TICK)
        bases.append(packet(authority).base)
    assert bases[:60] == list(range(1, 61))
    assert bases[-1] == 0


def test_acknowledgements_of_what_was_not_sent_change_nothing() -> None:
    authority = make()
    authority.receive_datagram(InputsPacket(33, 0xFFFFFFFF, 0, ()).serialize(), CHANNEL, 0.1)
    assert authority.statistics.acknowledged == 1  # its bits reach back to the first
    other = make()
    other.receive_datagram(InputsPacket(99, 0, 0, ()).serialize(), CHANNEL, 0.1)
    assert not other.is_acknowledged


def test_inputs_that_will_never_come_are_counted() -> None:
    authority = make()
    authority.receive_datagram(InputsPacket(0, 0, 5, (b"x",)).serialize(), CHANNEL, 0.1)
    assert authority.next_event() == InputsLost(4)
    assert authority.next_event() == InputArrived(5, b"x")
    authority.receive_datagram(InputsPacket(0, 0, 4, (b"w", b"x", b"y")).serialize(), CHANNEL, 0.1)
    assert authority.next_event() == InputArrived(6, b"y")
    assert authority.next_event() is None


def test_noise_is_counted_and_events_that_nobody_takes_are_bounded() -> None:
    authority = make()
    assert not authority.receive_datagram(b"noise", CHANNEL, 0.1)
    assert authority.statistics.dropped == 1
    for first in range(1, 1_000, 60):
        authority.receive_datagram(InputsPacket(0, 0, first, (b"x",) * 60).serialize(), CHANNEL, 0.1)
    told = 0
    while authority.next_event() is not None:
        told += 1
    assert told == authority.config.max_waiting_events


def test_what_cannot_be_published_is_refused_and_sends_nothing() -> None:
    authority = Authority(SCHEMA, Config(max_packet=10))
    with pytest.raises(LocalProtocolError):
        authority.publish({}, -1, 0.0)
    with pytest.raises(LocalProtocolError):
        authority.publish({99: (0, 0, 0)}, 1, 0.0)
    with pytest.raises(ResourceLimitError):
        authority.publish(dict.fromkeys(range(9), (0.5, 0.5, 0.5)), 1, 0.0)
    assert authority.next_transmit() is None
    assert authority.next_timeout() is None
