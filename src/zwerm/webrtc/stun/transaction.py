"""STUN client transactions over UDP and over streams (RFC 8489 sections 6.2.1 and 6.2.2).

A transaction resends one request on a doubling timer until a matching response arrives or the server is given up. Over
a stream, which resends by itself, the request goes out once. What no `Verdict` accepts is as if it had never come, so a
forger who guesses right about the transaction ID but has no key gains nothing; if only such answers came, the end is
called `IntegrityViolated` and not `TimedOut` (section 9.2.5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.stun.message import HEADER_SIZE, Message, MessageClass

_TRANSACTION_ID: Final = slice(8, HEADER_SIZE)


@dataclasses.dataclass(frozen=True, slots=True)
class Schedule:
    """When a request is sent again, and when its sender gives up."""

    rto: float = 0.5  # seconds before the first resend; the RFC's floor
    rc: int = 7  # requests sent in all
    rm: float = 16.0  # the last wait, in units of `rto`
    is_reliable: bool = False  # the transport resends by itself, and what it brings is not forged by strangers


UNRELIABLE: Final = Schedule()
RELIABLE: Final = Schedule(rto=39.5, rc=1, rm=1.0, is_reliable=True)  # Ti of section 6.2.2


@dataclasses.dataclass(frozen=True, slots=True)
class Responded:
    """A success or error response to our request came, from the server, and was accepted."""

    message: Message


@dataclasses.dataclass(frozen=True, slots=True)
class TimedOut:
    """Every request was sent, the last wait ran out, and nothing came."""


@dataclasses.dataclass(frozen=True, slots=True)
class IntegrityViolated:
    """Responses came, and none of them was made by somebody who has the key."""


Event: TypeAlias = Responded | TimedOut | IntegrityViolated
Verdict: TypeAlias = Callable[[Message], bool]


def accept_all(_message: Message) -> bool:
    return True


class ClientTransaction:
    """One STUN request in flight."""

    def __init__(
        self,
        request: bytes,
        destination: Address,
        *,
        now: Instant,
        schedule: Schedule = UNRELIABLE,
        verdict: Verdict = accept_all,
    ) -> None:
        """`verdict` tells whether a response is authentic; only those that are not can be told apart by it."""
        self.sent = 0  # requests so far; a round trip can be measured only while this is 1 (Karn's rule)
        self._request = request
        self._transaction_id = request[_TRANSACTION_ID]
        self.destination = destination
        self._schedule = schedule
        self._verdict = verdict
        self._deadline: Instant | None = now
        self._end = now + schedule.rto * (2 ** (schedule.rc - 1) - 1 + schedule.rm)
        self._is_violated = False
        self._transmit: Transmit | None = None
        self._event: Event | None = None
        self.handle_timeout(now)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:  # noqa: ARG002 - the verb of machines
        """Offer an incoming datagram; return whether it belonged to this transaction."""
        if data[_TRANSACTION_ID] != self._transaction_id:
            return False
        try:
            message = Message.parse(data)
        except WireError:
            return False
        return self.receive_message(message, source)

    def receive_message(self, message: Message, source: Address) -> bool:
        """Offer a message that somebody has parsed already; return whether it belonged to this transaction."""
        if self._deadline is None or source != self.destination or message.transaction_id != self._transaction_id:
            return False
        if message.message_class not in (MessageClass.SUCCESS, MessageClass.ERROR):
            return False
        if self._verdict(message):
            self._finish(Responded(message))
        elif self._schedule.is_reliable:
            self._finish(IntegrityViolated())
        else:
            self._is_violated = True
        return True

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Calling early, or again, changes nothing."""
        if self._deadline is None or now < self._deadline:
            return
        schedule = self._schedule
        if self.sent == schedule.rc or self._deadline >= self._end:
            self._finish(IntegrityViolated() if self._is_violated else TimedOut())
            return
        self.sent += 1
        wait = schedule.rm if self.sent == schedule.rc else 2 ** (self.sent - 1)
        self._deadline += wait * schedule.rto  # from the deadline, not from `now`: lateness must not add up
        self._transmit = Transmit(self._request, self.destination)

    def stop_resending(self) -> None:
        """Send no more, but take a response until the time at which the transaction would have failed anyhow.

        That is what "cancel" means in RFC 8445 section 7.2.5.3.3 and elsewhere.
        """
        if self._deadline is not None:
            self._deadline, self._transmit = self._end, None

    def abandon(self) -> None:
        """Forget it: nothing is sent any more, and no event follows."""
        self._deadline = self._transmit = None

    def next_transmit(self) -> Transmit | None:
        transmit, self._transmit = self._transmit, None
        return transmit

    def next_event(self) -> Event | None:
        event, self._event = self._event, None
        return event

    def next_timeout(self) -> Instant | None:
        """When to call `handle_timeout`; None once the transaction is over."""
        return self._deadline

    def _finish(self, event: Event) -> None:
        self._deadline = None
        self._transmit = None
        self._event = event
