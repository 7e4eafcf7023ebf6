"""Two associations side by side without a network: packets go over at once, unless a test takes them."""

from __future__ import annotations

from collections.abc import Callable

from tests.sim.pair import LEFT, RIGHT, Pair
from tests.sim.profile import PERFECT, Profile
from zwerm.core.random import seeded
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.events import Event, MessageReceived
from zwerm.webrtc.sctp.packet import Chunk, chunks

BINARY = 53
ONCE = 10_000  # exchanges at one instant; more is a livelock


def association(seed: int | str = 0, *, now: float = 0.0, **options: object) -> Association:
    return Association(Config(**options), random=seeded(seed, "sctp"), now=now)  # type: ignore[arg-type]


def chunks_of(packets: list[bytes]) -> list[Chunk]:
    return [chunk for packet in packets for chunk in chunks(packet)]


def kinds_of(packets: list[bytes]) -> list[int]:
    return [chunk.type for chunk in chunks_of(packets)]


class Wire:
    """`left` and `right`, the time, and what each told."""

    def __init__(self, left: Association | None = None, right: Association | None = None, **options: object) -> None:
        self.now = 0.0
        self.left = left or association("left", **options)
        self.right = right or association("right", **options)
        self.left_events: list[Event] = []
        self.right_events: list[Event] = []
        self.passed: list[bytes] = []  # every packet that went over
        self.is_lost: Callable[[bytes], bool] = lambda packet: False

    def settle(self) -> None:
        """Carry packets over until both are quiet at this instant."""
        for _ in range(ONCE):
            to_right, to_left = self.left.next_transmits(), self.right.next_transmits()
            if not to_right and not to_left:
                break
            self.right.receive_datagrams(self._kept(to_right), DTLS, self.now)
            self.left.receive_datagrams(self._kept(to_left), DTLS, self.now)
        else:
            raise AssertionError("they keep each other busy")
        self.left_events += self.left.next_events()
        self.right_events += self.right.next_events()

    def _kept(self, packets: list[bytes]) -> list[bytes]:
        kept = [packet for packet in packets if not self.is_lost(packet)]
        self.passed += kept
        return kept

    def pass_time(self, seconds: float) -> None:
        """Let timers fire and packets go over until so much later."""
        end = self.now + seconds
        for _ in range(ONCE):
            self.settle()
            due = [timeout for side in (self.left, self.right) if (timeout := side.next_timeout()) is not None]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            self.left.handle_timeout(self.now)
            self.right.handle_timeout(self.now)
        else:
            raise AssertionError(f"timers do not come to rest at {self.now}")
        self.now = end

    def connect(self) -> Wire:
        self.left.connect(self.now)
        self.settle()
        self.left_events.clear()
        self.right_events.clear()
        self.passed.clear()
        return self

    def send(self, data: bytes, stream_id: int = 1, **options: object) -> None:
        self.left.send(stream_id, data, ppid=BINARY, now=self.now, **options)  # type: ignore[arg-type]

    def received(self) -> list[bytes]:
        """Take what the right side got."""
        messages = [event.data for event in self.right_events if isinstance(event, MessageReceived)]
        self.right_events = [event for event in self.right_events if not isinstance(event, MessageReceived)]
        return messages


def connected(**options: object) -> Wire:
    return Wire(**options).connect()


def over(profile: Profile = PERFECT, *, seed: int = 0, **options: object) -> Pair[Event]:
    """A pair on the virtual network, the left one connecting."""
    left = Association(Config(**options), random=seeded(seed, "left"), now=0.0, peer=RIGHT)  # type: ignore[arg-type]
    right = Association(Config(**options), random=seeded(seed, "right"), now=0.0, peer=LEFT)  # type: ignore[arg-type]
    left.connect(0.0)
    return Pair(left, right, profile=profile, seed=seed)
