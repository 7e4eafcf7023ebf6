"""An authority and a follower with links between them under a virtual clock: each ticks, and events are kept."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.sim.clock import VirtualClock
from tests.sim.link import Link
from tests.sim.profile import Profile
from tests.webrtc.sync.things import SCHEMA
from zwerm.webrtc.sync.authority import Authority, Config, InputArrived, InputsLost
from zwerm.webrtc.sync.follower import Follower, SnapshotArrived

TICK = 1 / 30


class World:
    """One thing flies in a circle; the follower says each tick which one that is for it."""

    def __init__(self, profile: Profile, seed: int | str = 0, config: Config | None = None) -> None:
        self.clock = VirtualClock()
        self.authority = Authority(SCHEMA, config)
        self.follower = Follower(SCHEMA, config)
        self.inputs: list[int] = []
        self.is_manual = False  # the test says itself which inputs a state includes
        self._fresh: list[InputArrived] = []
        self.lost_inputs = 0
        self.snapshots: list[SnapshotArrived] = []
        self.published: dict[int, dict[int, tuple[int, ...]]] = {}
        self.sizes: list[int] = []
        self.tick = 0
        self.on_snapshot: Callable[[SnapshotArrived], None] = lambda _: None
        self._down = Link[bytes](self.clock, self._at_follower, profile, seed=f"{seed}/down")
        self._up = Link[bytes](self.clock, self._at_authority, profile, seed=f"{seed}/up")
        self._wakes: dict[object, float] = {}

    def publish(self, things: int = 3) -> None:
        """Move everything by a tick, and tell."""
        self.tick += 1
        angle = self.tick / 20
        state = {n: (math.cos(angle + n) / 2, math.sin(angle + n) / 2, angle % 6.28) for n in range(things)}
        self.published[self.tick] = dict(SCHEMA.quantise(state))
        self.authority.publish(state, self.tick, self.clock.now)
        self.pump()

    def give(self, data: bytes) -> None:
        self.follower.give(data, self.clock.now)
        self.pump()

    def run(self, seconds: float, *, publishing: bool = True, giving: bool = True) -> None:
        """Tick for so long."""
        for number in range(round(seconds / TICK)):
            if publishing:
                self.publish()
            if giving:
                self.give(bytes([number & 255]))
            self.clock.run_for(TICK)

    def taken_inputs(self) -> list[InputArrived]:
        """The inputs that came since the last call; from then on the test says what states include."""
        self.is_manual = True
        taken, self._fresh = self._fresh, []
        return taken

    def taken_snapshots(self) -> list[SnapshotArrived]:
        taken, self.snapshots = self.snapshots, []
        return taken

    def pump(self) -> None:
        for machine, link in ((self.authority, self._down), (self.follower, self._up)):
            while (transmit := machine.next_transmit()) is not None:
                self.sizes.append(len(transmit.data))
                link.send(transmit.data, len(transmit.data))
            due = machine.next_timeout()
            if due is not None and self._wakes.get(machine) != due:
                self._wakes[machine] = due
                self.clock.call_at(max(due, self.clock.now), lambda machine=machine, due=due: self._wake(machine, due))
        self._take()

    def _wake(self, machine: Authority | Follower, due: float) -> None:
        if self._wakes.get(machine) == due:
            del self._wakes[machine]
        machine.handle_timeout(self.clock.now)
        self.pump()

    def _at_follower(self, data: bytes) -> None:
        self.follower.receive_datagram(data, ("", 0), self.clock.now)
        self.pump()

    def _at_authority(self, data: bytes) -> None:
        self.authority.receive_datagram(data, ("", 0), self.clock.now)
        self.pump()

    def _take(self) -> None:
        while (given := self.authority.next_event()) is not None:
            match given:
                case InputArrived(number):
                    self.inputs.append(number)
                    self._fresh.append(given)
                    if not self.is_manual:
                        self.authority.processed = number
                case InputsLost(count):
                    self.lost_inputs += count
        while (snapshot := self.follower.next_event()) is not None:
            self.snapshots.append(snapshot)
            self.on_snapshot(snapshot)
