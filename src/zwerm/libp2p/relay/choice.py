"""Which relays a node that nobody can dial holds places at: a few at a time, others when one goes (circuit-v2.md).

A machine without bytes: peers that relay are offered and withdrawn, what became of each request is told, and out come
requests. A relay that refused or went away is left alone for a while, longer each time.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final, Generic, TypeAlias, TypeVar

from zwerm.core.machine import Instant

PeerT = TypeVar("PeerT")

WANTED: Final = 2  # places at once, as go-libp2p holds


@dataclasses.dataclass(frozen=True, slots=True)
class ChoiceConfig:
    """What a choice may grow to, and its patience."""

    wanted: int = WANTED
    candidates: int = 64  # that are remembered; of more, those offered longest ago are forgotten
    backoff: float = 60.0  # seconds that a relay which refused is left alone; doubles each time
    backoff_most: float = 3_600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Reserve(Generic[PeerT]):
    """Ask this relay for a place, and tell what became of it."""

    relay: PeerT


@dataclasses.dataclass(frozen=True, slots=True)
class Release(Generic[PeerT]):
    """Give up the place at this relay."""

    relay: PeerT


class State(enum.Enum):
    """How it stands with one relay."""

    FREE = "could be asked"
    ASKED = "was asked"
    HELD = "gave a place"


@dataclasses.dataclass(slots=True)
class _Candidate:
    state: State = State.FREE
    not_before: Instant = float("-inf")  # when it may be asked
    failures: int = 0


class RelayChoice(Generic[PeerT]):
    """The places of one node."""

    def __init__(self, config: ChoiceConfig | None = None) -> None:
        """Begin with no wish for a place."""
        self._config = config or ChoiceConfig()
        self._is_wanted = False
        self._candidates: dict[PeerT, _Candidate] = {}  # offered longest ago first
        self._events: deque[Event[PeerT]] = deque()

    @property
    def held(self) -> tuple[PeerT, ...]:
        return tuple(relay for relay, known in self._candidates.items() if known.state is State.HELD)

    @property
    def is_short(self) -> bool:
        """Whether more candidates are wanted: places lack, and nobody is left to ask who has not failed."""
        fresh = any(known.state is State.FREE and not known.failures for known in self._candidates.values())
        return self._is_wanted and self._lacking > 0 and not fresh

    def want(self, now: Instant, *, is_wanted: bool) -> None:
        """Begin to hold places, or give them up."""
        self._is_wanted = is_wanted
        if not is_wanted:
            for relay, known in self._candidates.items():
                if known.state is not State.FREE:
                    known.state = State.FREE
                    self._events.append(Release(relay))
        self._choose(now)

    def offer(self, relay: PeerT, now: Instant) -> None:
        """A peer relays. One that is known already counts as offered lately; nothing else of it changes."""
        known = self._candidates.pop(relay, None)
        if known is None:
            if len(self._candidates) >= self._config.candidates and not self._make_room():
                return
            known = _Candidate()
        self._candidates[relay] = known
        self._choose(now)

    def withdraw(self, relay: PeerT, now: Instant) -> None:
        """A peer relays no more."""
        known = self._candidates.pop(relay, None)
        if known is None:
            return
        if known.state is not State.FREE:
            self._events.append(Release(relay))
        self._choose(now)

    def reserved(self, relay: PeerT, now: Instant) -> None:
        """A relay that was asked gave a place."""
        known = self._candidates.get(relay)
        if known is None or known.state is not State.ASKED:
            self._events.append(Release(relay))  # it is not wanted any more
            return
        known.state, known.failures = State.HELD, 0
        self._choose(now)

    def failed(self, relay: PeerT, now: Instant) -> None:
        """A relay refused, did not answer, or took back its place."""
        known = self._candidates.get(relay)
        if known is None or known.state is State.FREE:
            return
        if known.state is State.HELD:
            self._events.append(Release(relay))
        config = self._config
        known.state = State.FREE
        known.not_before = now + min(config.backoff * 2**known.failures, config.backoff_most)
        known.failures = min(known.failures + 1, 16)
        self._choose(now)

    def handle_timeout(self, now: Instant) -> None:
        self._choose(now)

    def next_event(self) -> Event[PeerT] | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        """When a relay that failed may be asked again; None while that is of no use."""
        if not self._is_wanted or self._lacking <= 0:
            return None
        return min((known.not_before for known in self._candidates.values() if known.state is State.FREE), default=None)

    @property
    def _lacking(self) -> int:
        return self._config.wanted - sum(known.state is not State.FREE for known in self._candidates.values())

    def _make_room(self) -> bool:
        """Forget the candidate that was offered longest ago, of those that hold nothing."""
        oldest = next((relay for relay, known in self._candidates.items() if known.state is State.FREE), None)
        if oldest is not None:
            del self._candidates[oldest]
        return oldest is not None

    def _choose(self, now: Instant) -> None:
        """Ask as many as are lacking: those that failed least first, then those offered first."""
        if not self._is_wanted or self._lacking <= 0:
            return
        free = [
            (known.failures, relay, known) for relay, known in self._candidates.items() if known.state is State.FREE
        ]
        ready = [each for each in free if each[2].not_before <= now]
        for _, relay, known in sorted(ready, key=lambda each: each[0])[: self._lacking]:
            known.state = State.ASKED
            self._events.append(Reserve(relay))


Event: TypeAlias = Reserve[PeerT] | Release[PeerT]
