"""Small real machines: a request that is resent until it is answered, its server, and an echo of lines.

They are the smallest things that use every part of the contract, for the tests of the simulator and of `check_machine`,
and a first read for whoever writes a machine.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from random import Random
from typing import Final, TypeAlias

from zwerm.core.bounded import LruCache
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable

RTO: Final = 0.5  # seconds before the first resend (RFC 8489 section 6.2.1)
RC: Final = 7  # requests sent in all
RM: Final = 16  # the last wait, in units of RTO

ID_SIZE: Final = 8  # bytes that tie an answer to its request
REQUEST: Final = b"?"
ANSWER: Final = b"!"


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """The server's answer."""

    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class TimedOut:
    """All `RC` requests were sent and the last wait ran out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A request came from a client that was not heard of for a while."""

    client: Address


class RequestTimer(enum.Enum):
    RESEND = "no answer yet: send the request again, or give up"


class Request:
    """One request in flight."""

    def __init__(self, text: bytes, server: Address, *, now: Instant, random: Random) -> None:
        self._server = server
        self._id = random.randbytes(ID_SIZE)
        self._request = REQUEST + self._id + text
        self._sent = 0
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Answered | TimedOut] = deque()
        self._timers = TimerTable(RequestTimer)
        self._timers.arm(RequestTimer.RESEND, now)
        self.handle_timeout(now)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if self._timers.next_timeout() is None or source != self._server:
            return False
        if data[:1] != ANSWER or data[1 : 1 + ID_SIZE] != self._id:
            return False
        self._finish(Answered(data[1 + ID_SIZE :]))
        return True

    def cancel(self) -> None:
        """Give up now, without an event; a LocalProtocolError when it is over already."""
        if self._timers.next_timeout() is None:
            raise LocalProtocolError("the request is over")
        self._timers.cancel_all()
        self._transmits.clear()

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            if self._sent == RC:
                self._finish(TimedOut())
                return
            self._sent += 1
            wait = RM if self._sent == RC else 2 ** (self._sent - 1)
            self._transmits.append(Transmit(self._request, self._server))
            self._timers.arm(RequestTimer.RESEND, fired.due + wait * RTO)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Answered | TimedOut | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _finish(self, event: Answered | TimedOut) -> None:
        self._timers.cancel_all()
        self._transmits.clear()
        self._events.append(event)


class Server:
    """Answers every request with its text; tells of clients it does not remember."""

    def __init__(self, *, clients: int = 64, backlog: int = 256) -> None:
        """`clients` are remembered at most; answers beyond `backlog` that nobody sends are not made."""
        self._clients: LruCache[Address, bool] = LruCache(clients)
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Asked] = deque()
        self._backlog = backlog

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if data[:1] != REQUEST or len(data) < 1 + ID_SIZE:
            return False
        if len(self._transmits) < self._backlog and len(self._events) < self._backlog:
            if not self._clients.find(source):
                self._events.append(Asked(source))
            self._clients.put(source, True)  # noqa: FBT003  the value says only that it is there
            self._transmits.append(Transmit(ANSWER + data[1:], source))
        return True

    def receive_datagrams(self, datagrams: list[bytes], source: Address, now: Instant) -> int:
        return sum(self.receive_datagram(data, source, now) for data in datagrams)

    def handle_timeout(self, now: Instant) -> None:
        pass

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Asked | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A whole line came."""

    text: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """The peer broke the protocol, or went silent."""

    cause: str


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """The peer will send no more."""


LineEvent: TypeAlias = Line | Failed | Ended


class LineTimer(enum.Enum):
    IDLE = "no line for too long: the peer is gone"


class Lines:
    """Lines over a stream, each sent back when `echo` is on."""

    def __init__(
        self, *, now: Instant, echo: bool = True, longest: int = 32, idle: float = 30.0, pending: int = 64
    ) -> None:
        """A line is at most `longest` bytes; after `idle` seconds without one, or `pending` unread ones, it is over."""
        self._echo, self._longest, self._idle, self._pending = echo, longest, idle, pending
        self._partial = b""
        self._to_send = b""
        self._events: deque[LineEvent] = deque()
        self._timers = TimerTable(LineTimer)
        self._timers.arm(LineTimer.IDLE, now + idle)
        self._is_over = False

    def send_line(self, text: bytes) -> None:
        if b"\n" in text or len(text) > self._longest:
            raise LocalProtocolError(f"line of {len(text)} bytes, expected at most {self._longest} and no newline")
        self._to_send += text + b"\n"

    def receive_data(self, data: bytes, now: Instant) -> None:
        if self._is_over:
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        for text in lines:
            if len(text) > self._longest or len(self._events) >= self._pending:
                self._end(Failed("line too long" if len(text) > self._longest else "too many lines"))
                return
            self._timers.arm(LineTimer.IDLE, now + self._idle)
            self._events.append(Line(text))
            if self._echo:
                self._to_send += text + b"\n"
        if len(self._partial) > self._longest:
            self._end(Failed("line too long"))

    def receive_eof(self, now: Instant) -> None:
        if not self._is_over:
            self._end(Failed("half a line") if self._partial else Ended())

    def handle_timeout(self, now: Instant) -> None:
        while self._timers.pop_expired(now) is not None:
            self._end(Failed("idle"))

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def next_event(self) -> LineEvent | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _end(self, event: LineEvent) -> None:
        self._is_over, self._partial = True, b""
        self._timers.cancel_all()
        self._events.append(event)
