"""Two peers agree, through their relay, on the moment at which both dial (libp2p specs, relay/DCUtR.md).

        B (the relayed connection came in)        A (who dialled through the relay)
        `Opener`                                  `Answerer`
          CONNECT, own addresses   ------------->
                                   <------------- CONNECT, own addresses
          SYNC                     ------------->
          dial after half the round trip          dial at once

Both are stream machines for one attempt. What becomes of the dials is not theirs: `zwerm.libp2p.dcutr.aio` sees to
that, and begins another attempt, with a round trip that is measured again.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.machine import Instant
from zwerm.core.timers import TimerTable
from zwerm.libp2p.dcutr.message import HolePunch, MessageType, parse_prefix
from zwerm.multiformats.multiaddr import Multiaddr

ANSWER_TIME: Final = 10.0  # seconds that the other side has for its next message
MOST_DELAY: Final = 5.0  # seconds of half a round trip; whoever answers later is dialled then


class Timer(enum.Enum):
    """The deadlines of an attempt."""

    ANSWER = "the other side did not say the next thing: give up"
    DIAL = "half a round trip is over, the other side dials now: so do we"


@dataclasses.dataclass(frozen=True, slots=True)
class DialNow:
    """The other side dials at this moment too."""

    addresses: tuple[Multiaddr, ...]  # untrusted: where it says that it may be reached


@dataclasses.dataclass(frozen=True, slots=True)
class CoordinationFailed:
    """There will be no common moment."""

    cause: str


Event: TypeAlias = DialNow | CoordinationFailed


class _Side(abc.ABC):
    """What both sides do: take messages until there is an outcome, of which there is one."""

    def __init__(self, addresses: Sequence[Multiaddr], *, now: Instant) -> None:
        """Begin. `addresses`: where we may be reached, told to the other side."""
        self.is_over = False
        self._connect = HolePunch(MessageType.CONNECT, tuple(addresses)).frame()
        self._received = bytearray()  # at most one message that is not whole
        self._to_send = bytearray()
        self._events: deque[Event] = deque()
        self._timers = TimerTable(Timer)
        self._timers.arm(Timer.ANSWER, now + ANSWER_TIME)
        self._theirs: tuple[Multiaddr, ...] | None = None  # None: not told yet
        self._has_ended = False

    def receive_data(self, data: bytes, now: Instant) -> None:
        """Take untrusted bytes, cut anywhere. Never raises."""
        if self.is_over or self._has_ended:
            return
        self._received += data
        try:
            self._receive_messages(now)
        except WireError as error:
            self._finish(CoordinationFailed(str(error)))

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        """The other side sends no more, which ends what waits for it."""
        if not self.is_over and not self._has_ended and self._timers.deadline(Timer.DIAL) is None:
            self._finish(CoordinationFailed("the other side ended the stream before it was agreed when to dial"))
        self._has_ended = True

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            if fired.timer is Timer.DIAL:
                self._finish(DialNow(self._theirs or ()))
            else:
                self._finish(CoordinationFailed(f"the other side said nothing for {ANSWER_TIME:g} s"))

    def data_to_send(self) -> bytes:
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _receive_messages(self, now: Instant) -> None:
        while (message := parse_prefix(self._received)) is not None:
            found, size = message
            del self._received[:size]
            self._receive_message(found, now)
            if self.is_over:
                return

    @abc.abstractmethod
    def _receive_message(self, message: HolePunch, now: Instant) -> None:
        """Take one message."""

    def _finish(self, event: Event) -> None:
        self.is_over = True
        self._received.clear()
        self._timers.cancel_all()
        self._events.append(event)


class Opener(_Side):
    """Asks for the moment; the server of connections that both sides open at once."""

    def __init__(self, addresses: Sequence[Multiaddr], *, now: Instant) -> None:
        super().__init__(addresses, now=now)
        self._asked = now
        self._to_send += self._connect

    def _receive_message(self, message: HolePunch, now: Instant) -> None:
        if message.type is not MessageType.CONNECT or self._timers.deadline(Timer.DIAL) is not None:
            self._finish(CoordinationFailed(f"the other side sent {message.type.name}, expected one CONNECT"))
            return
        self._theirs = message.addresses
        self._to_send += HolePunch(MessageType.SYNC).frame()
        self._timers.cancel(Timer.ANSWER)
        self._timers.arm(Timer.DIAL, now + min((now - self._asked) / 2, MOST_DELAY))


class Answerer(_Side):
    """Answers who asks; the client of connections that both sides open at once."""

    def _receive_message(self, message: HolePunch, now: Instant) -> None:
        expected = MessageType.CONNECT if self._theirs is None else MessageType.SYNC
        if message.type is not expected:
            self._finish(CoordinationFailed(f"the other side sent {message.type.name}, expected {expected.name}"))
        elif self._theirs is None:
            self._theirs = message.addresses
            self._to_send += self._connect
            self._timers.arm(Timer.ANSWER, now + ANSWER_TIME)
        else:
            self._finish(DialNow(self._theirs))
