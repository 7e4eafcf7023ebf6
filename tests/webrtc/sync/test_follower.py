"""The follower: states put together over bad paths, inputs until they are in, and hostile authorities."""

from __future__ import annotations

from random import Random

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.profile import PERFECT, Profile
from tests.webrtc.sync.test_authority import over_every_path
from tests.webrtc.sync.things import SCHEMA
from tests.webrtc.sync.world import TICK, World
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.webrtc.sync.authority import CHANNEL
from zwerm.webrtc.sync.follower import Follower
from zwerm.webrtc.sync.packet import InputsPacket, SnapshotPacket

STATE = {1: (5, 6, 7)}
WHOLE = SCHEMA.write_delta({}, STATE)


def make(now: Instant = 0.0, random: Random | None = None) -> Follower:
    follower = Follower(SCHEMA)
    follower.give(b"ab", now)
    return follower


def arrive(follower: Follower, sequence: int, base: int = 0, processed: int = 0, delta: bytes = WHOLE) -> bool:
    data = SnapshotPacket(sequence, sequence, base, processed, delta).serialize()
    return follower.receive_datagram(data, CHANNEL, 1.0)


def sent(follower: Follower, now: Instant) -> InputsPacket | None:
    follower.handle_timeout(now)
    transmit = follower.next_transmit()
    return None if transmit is None else InputsPacket.parse(transmit.data)


def test_laws() -> None:
    valid = [SnapshotPacket(n, n, base, 0, WHOLE if not base else b"\0").serialize() for n, base in ((1, 0), (2, 1))]
    check_machine(Subject(make, peer=CHANNEL, valid=valid, seeds=range(8)))


@over_every_path
@pytest.mark.parametrize("seed", range(3))
def test_every_state_that_is_told_is_one_that_was_published(profile: Profile, seed: int) -> None:
    world = World(profile, seed)
    world.run(6.0)
    world.run(2.0, publishing=False)
    assert len(world.snapshots) > 90
    for snapshot in world.snapshots:
        assert snapshot.state == world.published[snapshot.tick]
    sequences = [snapshot.sequence for snapshot in world.snapshots if snapshot.is_newest]
    assert sequences == sorted(set(sequences))
    processed = [snapshot.processed for snapshot in sorted(world.snapshots, key=lambda one: one.sequence)]
    assert processed == sorted(processed)


def test_a_state_whose_base_is_not_here_is_passed_over_and_not_acknowledged() -> None:
    follower = Follower(SCHEMA)
    assert arrive(follower, 1)
    assert not arrive(follower, 9, base=2, delta=b"\0")
    assert arrive(follower, 10, base=9, delta=b"\0")
    packet = sent(follower, 1.0)
    assert packet is not None
    assert packet.acknowledged() == [10, 1]
    assert follower.statistics.dropped == 1


def test_a_state_that_comes_twice_is_told_once_and_acknowledged_again() -> None:
    follower = Follower(SCHEMA)
    assert arrive(follower, 1)
    assert sent(follower, 1.0) is not None
    assert not arrive(follower, 1)
    assert follower.next_event() is not None
    assert follower.next_event() is None
    assert sent(follower, 2.0) is not None


def test_inputs_go_out_again_until_a_state_includes_them() -> None:
    follower = make()
    follower.give(b"cd", 0.0)
    first = sent(follower, 0.0)
    assert first == InputsPacket(0, 0, 1, (b"ab", b"cd"))
    assert sent(follower, TICK) == first
    arrive(follower, 1, processed=1)
    assert sent(follower, 2.0) == InputsPacket(1, 0, 2, (b"cd",))
    arrive(follower, 2, processed=2)
    assert sent(follower, 3.0) == InputsPacket(2, 1, 0, ())
    assert follower.next_timeout() is None


def test_packets_of_inputs_keep_their_distance() -> None:
    world = World(PERFECT)
    for _ in range(50):
        world.give(b"x")
    assert world.follower.statistics.sent <= 1
    world.run(1.0, publishing=False, giving=False)
    assert 28 <= world.follower.statistics.sent <= 32


def test_a_silent_authority_stops_inputs_and_misuse_is_told() -> None:
    follower = Follower(SCHEMA)
    for bad in (b"", b"x" * 65):
        with pytest.raises(LocalProtocolError):
            follower.give(bad, 0.0)
    for _ in range(64):
        follower.give(b"ab", 0.0)
    with pytest.raises(ResourceLimitError):
        follower.give(b"ab", 0.0)
    arrive(follower, 1, processed=1)
    with pytest.raises(LocalProtocolError):
        follower.give(b"abc", 0.0)
    follower.give(b"ab", 0.0)


@pytest.mark.parametrize(
    ("sequence", "base", "processed", "delta"),
    [(5, 0, 2, WHOLE), (5, 0, 0, WHOLE[:-1]), (5, 0, 0, WHOLE + b"\1"), (5, 0, 0, b""), (5, 5, 0, WHOLE)],
    ids=["an input that we did not give", "cut short", "more behind", "nothing", "base before the first"],
)
def test_hostile_states_change_nothing(sequence: int, base: int, processed: int, delta: bytes) -> None:
    follower = make()
    assert not arrive(follower, sequence, base, processed, delta)
    assert follower.next_event() is None
    assert follower.statistics.dropped == 1
    assert sent(follower, 1.0) == InputsPacket(0, 0, 1, (b"ab",))


def test_a_sequence_from_far_ahead_leaves_one_state_and_no_more_memory() -> None:
    follower = Follower(SCHEMA)
    for sequence in (1, 2, 3, (1 << 32) - 1):
        assert arrive(follower, sequence)
    assert not arrive(follower, 4)
    for sequence in range(1, 200):
        arrive(follower, (1 << 32) - 1 - sequence)
    told = 0
    while follower.next_event() is not None:
        told += 1
    assert told == 4 + 63
