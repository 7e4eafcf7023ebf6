"""What drives one session on a UDP socket that it shares with others: its turns, its timer, its last words.

QUIC and webrtc-direct have each a port that says who a datagram is for, and a driver made of this one.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

from zwerm.core.machine import DRAIN_LIMIT, Instant, Transmit
from zwerm.net.alarm import Alarm

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn

EventT = TypeVar("EventT")
EventT_co = TypeVar("EventT_co", covariant=True)


class Session(Protocol[EventT_co]):
    """The machine that is driven."""

    @property
    def has_events(self) -> bool: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_transmit(self) -> Transmit | None: ...

    def next_event(self) -> EventT_co | None: ...

    def next_timeout(self) -> Instant | None: ...


SessionT = TypeVar("SessionT", bound=Session[Any])


class SessionDriver(ABC, Generic[SessionT, EventT]):
    """One session on a port (law 1 of `zwerm.core.machine`)."""

    def __init__(self, session: SessionT, on_event: Callable[[EventT], None]) -> None:
        self.session = session
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop, self._wake, time.monotonic)
        self._soon: asyncio.Handle | None = None
        self._is_draining = False
        self._is_over = False

    # What a port adds

    @abstractmethod
    def _has_room(self) -> bool:
        """Whether the socket takes something now; if not, `pump` is called when it does."""

    @abstractmethod
    def _send(self, transmit: Transmit) -> bool:
        """Send; False when the socket is full now: `pump` is called when there is room."""

    @abstractmethod
    def _let_go(self) -> None:
        """Leave the port."""

    def _tell(self, event: EventT) -> None:
        """Hand on an event, or keep what is the port's."""
        self._on_event(event)

    # What is the same

    @property
    def now(self) -> Instant:
        """The instant to call commands with: not the loop's, which in uvloop counts in milliseconds."""
        return time.monotonic()

    def pump_soon(self) -> None:
        """Pump when the loop comes round: what is written until then goes out together."""
        if self._soon is None and not self._is_draining and not self._is_over:
            self._soon = self._loop.call_soon(self._pump_now)

    def pump(self) -> None:
        """Carry out what the session has to say, and set the timer anew."""
        if self._is_draining or self._is_over:
            return
        self._is_draining = True
        try:
            for _ in range(ROUNDS):
                if self._drain():
                    break
            else:
                self._again()
        finally:
            self._is_draining = False
        if not self._is_over:
            self._alarm.set(self.session.next_timeout())

    def finish(self) -> None:
        """The session has ended: say its last words and let go."""
        if self._is_over:
            return
        self._is_over = True
        while (transmit := self.session.next_transmit()) is not None:
            self._send(transmit)
        self._alarm.set(None)
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._let_go()

    def _again(self) -> None:
        if self._soon is None:
            self._soon = self._loop.call_soon(self._pump_now)

    def _pump_now(self) -> None:
        self._soon = None
        self.pump()

    def _drain(self) -> bool:
        """Take one round of outputs; return whether that was all.

        Events go first: what they make their owner send goes out with the acknowledgement of what brought them.
        """
        session = self.session
        for _ in range(DRAIN_LIMIT):
            event = session.next_event()
            if event is None:
                break
            self._tell(event)
            if self._is_over:
                return True
        if not self._has_room():
            return True
        for _ in range(DRAIN_LIMIT):
            transmit = session.next_transmit()
            if transmit is None:
                return not session.has_events
            if not self._send(transmit):
                return True
        return False

    def _wake(self) -> None:
        if not self._is_over:
            self.session.handle_timeout(self.now)
            self.pump()
