"""The two sides of multistream-select: `Dialer` proposes protocols in its order, `Listener` takes one or says "na".

Both are stream machines. They stop taking bytes where the agreed protocol begins: `receive_data` returns how many bytes
were theirs. The dialer sends header and first proposal together, so that a stream costs one round trip; a caller that
knows what the peer speaks sends its own bytes right behind them and reads the answer when it comes to it ("lazy").
There is no timer: how long a negotiation may take is the shell's, as for every step of opening something.
"""

from __future__ import annotations

import abc
import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Instant
from zwerm.libp2p.multistream.message import HEADER, NOT_AVAILABLE, parse_prefix, serialize

MAX_PROPOSALS: Final = 32  # that a listener answers; who asks for more looks for something else than a protocol

_HEADER: Final = serialize(HEADER)
_NOT_AVAILABLE: Final = serialize(NOT_AVAILABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Agreed:
    """Both sides speak this from here on."""

    protocol: str


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """The other side speaks none of the protocols that were proposed."""


@dataclasses.dataclass(frozen=True, slots=True)
class NegotiationFailed:
    """The other side does not keep to multistream-select, or went away."""

    cause: str


Event: TypeAlias = Agreed | Refused | NegotiationFailed


class _Side(abc.ABC):
    """What both sides do: take lines until there is an outcome, of which there is one."""

    def __init__(self) -> None:
        self._received = bytearray()  # the line that is not whole yet
        self._to_send = bytearray()
        self._events: deque[Event] = deque()
        self._has_header = False
        self.is_over = False

    def receive_data(self, data: bytes, now: Instant) -> int:  # noqa: ARG002 -- the contract's form
        """Take untrusted bytes; return how many of them belonged to the negotiation."""
        if self.is_over:
            return 0
        received = self._received
        received += data
        position = 0
        while not self._events:
            try:
                message = parse_prefix(received, position)
            except WireError as error:
                self._finish(NegotiationFailed(str(error)))
                position = len(received)
                break
            if message is None:
                del received[:position]
                return len(data)
            line, position = message
            self._receive_line(line)
        beyond = len(received) - position
        received.clear()
        return len(data) - beyond

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        """The peer sends no more, which ends what is not agreed on."""
        if not self.is_over:
            self._finish(NegotiationFailed("the peer closed the stream before a protocol was agreed on"))

    def handle_timeout(self, now: Instant) -> None:  # noqa: B027 -- nothing here waits for time
        """Advance to `now`, which changes nothing."""

    def data_to_send(self) -> bytes:
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return None

    def _receive_line(self, line: str) -> None:
        if self._has_header:
            self._receive_choice(line)
        elif line == HEADER:
            self._has_header = True
            self._receive_header()
        else:
            self._finish(NegotiationFailed(f"first line {line[:64]!r}, expected {HEADER!r}"))

    @abc.abstractmethod
    def _receive_header(self) -> None:
        """Take the other side's first line."""

    @abc.abstractmethod
    def _receive_choice(self, line: str) -> None:
        """Take what the other side proposes or answers."""

    def _finish(self, event: Event) -> None:
        self.is_over = True
        self._events.append(event)


class Dialer(_Side):
    """Proposes protocols until one is taken."""

    def __init__(self, protocols: Sequence[str]) -> None:
        """`protocols` in order of preference, at least one."""
        super().__init__()
        if not protocols:
            raise LocalProtocolError("no protocol to propose")
        self._proposals = deque(protocols)
        self._to_send += _HEADER + serialize(self._proposals[0])

    def _receive_header(self) -> None:
        """Ours is sent already."""

    def _receive_choice(self, line: str) -> None:
        proposed = self._proposals.popleft()
        if line == proposed:
            self._finish(Agreed(proposed))
        elif line != NOT_AVAILABLE:
            self._finish(NegotiationFailed(f"answer {line[:64]!r}, expected {proposed!r} or {NOT_AVAILABLE!r}"))
        elif self._proposals:
            self._to_send += serialize(self._proposals[0])
        else:
            self._finish(Refused())


class Listener(_Side):
    """Takes the first proposal that it speaks. Its header goes out with the first answer."""

    def __init__(self, speaks: Callable[[str], bool]) -> None:
        super().__init__()
        self._speaks = speaks
        self._proposals = 0

    def _receive_header(self) -> None:
        self._to_send += _HEADER

    def _receive_choice(self, line: str) -> None:
        self._proposals += 1
        if self._speaks(line):
            self._to_send += serialize(line)
            self._finish(Agreed(line))
        elif self._proposals < MAX_PROPOSALS:
            self._to_send += _NOT_AVAILABLE  # to "ls" too, which listed protocols once
        else:
            self._finish(NegotiationFailed(f"{self._proposals} proposals, none of which is spoken here"))
