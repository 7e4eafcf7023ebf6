"""Two machines with a path between them: the shape of most protocol tests.

    pair = Pair(client, server, profile=CONGESTED, seed=7)
    opened = pair.drive_until(StreamOpened, limit=30.0)

`drive_until` fails, and says with which seed, when the event does not come in time, when nothing is left that could
bring it, and when the machines keep each other busy at one instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from tests.sim.clock import VirtualClock
from tests.sim.driver import Driver, StreamDriver
from tests.sim.network import Wan
from tests.sim.pipe import Pipe
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Address, DatagramMachine, StreamMachine

LEFT: Final[Address] = ("192.0.2.1", 4_000)  # RFC 5737, documentation addresses
RIGHT: Final[Address] = ("198.51.100.1", 5_000)

EventT = TypeVar("EventT")
MachineT = TypeVar("MachineT")
WantedT = TypeVar("WantedT")


class NeverHappened(AssertionError):
    """What a test waited for did not come."""


class _Driven(ABC, Generic[MachineT, EventT]):
    """What datagram pairs and stream pairs have in common: a clock and the events of two drivers."""

    left: Driver[EventT] | StreamDriver[EventT]
    right: Driver[EventT] | StreamDriver[EventT]

    def __init__(
        self,
        left: MachineT,
        right: MachineT,
        *,
        profile: Profile = PERFECT,
        seed: int | str = 0,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self._told = f"seed {seed!r}, {profile}"  # how to repeat this run
        self._connect(left, right, profile, seed)

    @abstractmethod
    def _connect(self, left: MachineT, right: MachineT, profile: Profile, seed: int | str) -> None:
        """Make the path between them, and their drivers."""

    def drive_until(self, wanted: type[WantedT] | tuple[type[WantedT], ...], limit: float) -> WantedT:
        """Run until either machine tells of an event of that type; take it and those before it, and return it.

        Raises:
            NeverHappened: not within `limit` seconds, or nothing is left that could bring it.
            Livelock: time stopped moving.
        """

        def happened() -> bool:
            return any(isinstance(event, wanted) for side in (self.left, self.right) for event in side.events)

        names = " or ".join(kind.__name__ for kind in (wanted if isinstance(wanted, tuple) else (wanted,)))
        self.drive_while(lambda: not happened(), limit, f"no {names}")
        for side in (self.left, self.right):
            for index, event in enumerate(side.events):
                if isinstance(event, wanted):
                    del side.events[: index + 1]
                    return event
        raise AssertionError("drive_while returned too early")

    def drive_while(self, goes_on: Callable[[], bool], limit: float, failure: str = "still waiting") -> None:
        """Run as long as `goes_on`; the failures are those of `drive_until`."""
        end = self.clock.now + limit
        while goes_on():
            due = self.clock.next_call()
            if due is None:
                raise NeverHappened(f"{failure}, and nothing is left to happen at {self.clock.now} s; {self._state()}")
            if due > end:
                raise NeverHappened(f"{failure} within {limit} s; {self._state()}")
            self.clock.step()

    def run_for(self, seconds: float) -> None:
        self.clock.run_for(seconds)

    def pump(self) -> None:
        """Carry out what both machines have to say after commands of the caller's own."""
        self.left.pump()
        self.right.pump()

    def _state(self) -> str:
        return f"{self._told}; left saw {self.left.events}, right saw {self.right.events}"


class Pair(_Driven[DatagramMachine[EventT], EventT]):
    """Two datagram machines at `LEFT` and `RIGHT`, one path of `profile` between them.

    `profile` holds for each direction once: the left host's links are the path, the right host's are perfect.
    """

    left: Driver[EventT]
    right: Driver[EventT]

    def _connect(
        self, left: DatagramMachine[EventT], right: DatagramMachine[EventT], profile: Profile, seed: int | str
    ) -> None:
        wan = Wan(self.clock, seed=seed)
        left_host, right_host = wan.host(LEFT[0], profile=profile), wan.host(RIGHT[0])
        self.path = left_host.interface
        left_socket, right_socket = left_host.socket(LEFT[1]), right_host.socket(RIGHT[1])
        self.left = Driver(self.clock, left, left_socket)
        self.right = Driver(self.clock, right, right_socket)


class StreamPair(_Driven[StreamMachine[EventT], EventT]):
    """Two stream machines with a pipe in each direction."""

    left: StreamDriver[EventT]
    right: StreamDriver[EventT]

    def _connect(
        self, left: StreamMachine[EventT], right: StreamMachine[EventT], profile: Profile, seed: int | str
    ) -> None:
        self.to_right = Pipe(self.clock, profile, seed=f"{seed}/right")
        self.to_left = Pipe(self.clock, profile, seed=f"{seed}/left")
        self.left = StreamDriver(self.clock, left, self.to_right, self.to_left)
        self.right = StreamDriver(self.clock, right, self.to_left, self.to_right)
