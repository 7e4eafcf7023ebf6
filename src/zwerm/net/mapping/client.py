"""One mapping at one gateway, kept: asked for, renewed at half of its life, removed at the end (RFC 6887, RFC 6886).

PCP is tried first; a box that answers in version 0, or not at all, is asked by NAT-PMP. One that refuses, or from which
no answer comes, is asked again after a while. Only the gateway is listened to, and an answer of PCP has our nonce.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.net.mapping.message import (
    NONCE_SIZE,
    PORT,
    Answer,
    Transport,
    is_only_nat_pmp,
    nat_pmp_address,
    nat_pmp_map,
    parse_nat_pmp,
    parse_nat_pmp_address,
    parse_pcp,
    pcp_map,
)

LIFETIME: Final = 7_200  # seconds, which RFC 6886 section 3.3 recommends
LEAST_LIFETIME: Final = 120  # seconds that are believed at least, whatever a box says (RFC 6887 section 11.2.1)
FIRST_WAIT: Final = 0.25  # seconds until a request is sent again, doubled each time (RFC 6886 section 3.1)
TRIES: Final = 5  # requests of one protocol, 7.75 s in all
AGAIN: Final = 900.0  # seconds until a box that refused, or is none, is asked again


class Timer(enum.Enum):
    """The deadlines of a mapping."""

    RESEND = "no answer came: ask again, or by the other protocol"
    RENEW = "half of the life of the mapping is over, or it is time to ask anew"


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """The port is reached from outside, there; said again when it changes."""

    external: str
    port: int


@dataclasses.dataclass(frozen=True, slots=True)
class Unmapped:
    """The port is not, or not any more, mapped."""

    reason: str


Event: TypeAlias = Mapped | Unmapped


class Protocol(enum.Enum):
    """How the gateway is asked."""

    PCP = "PCP"
    NAT_PMP = "NAT-PMP"


_FIRST: Final = Protocol.PCP


class PortMapping:
    """One port. A datagram machine whose peer is the gateway."""

    def __init__(
        self, transport: Transport, port: int, *, gateway: str, client: str, now: Instant, random: Random
    ) -> None:
        """Ask `gateway` to map `port` of `client`, which is the address of this machine towards it."""
        self._transport = transport
        self._port = port
        self._gateway: Address = (gateway, PORT)
        self._client = client
        self._nonce = random.randbytes(NONCE_SIZE)
        self._protocol = _FIRST
        self._tries = 0
        self._external = ""  # of NAT-PMP, which is told apart from the mapping
        self._answer: Answer | None = None  # of NAT-PMP, while the address is not known
        self._mapped: Mapped | None = None
        self._is_closed = False
        self._timers = TimerTable(Timer)
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Event] = deque()
        self._ask(now)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Offer an untrusted datagram; return whether it was an answer of the gateway. Never raises."""
        if source[:2] != self._gateway or self._is_closed:
            return False
        try:
            return self._receive_untrusted(data, now)
        except WireError:
            return False

    def _receive_untrusted(self, data: bytes, now: Instant) -> bool:
        if self._protocol is Protocol.PCP:
            if is_only_nat_pmp(data):
                if self._timers.deadline(Timer.RESEND) is not None:
                    self._begin(Protocol.NAT_PMP, now)
                return True
            answer = parse_pcp(data, self._transport, self._port, self._nonce)
        else:
            if (external := parse_nat_pmp_address(data)) is not None:
                self._external = external
                answer, self._answer = self._answer, None
            else:
                answer = parse_nat_pmp(data, self._transport, self._port)
                if answer is not None and not answer.result and not self._external:
                    self._answer = answer
                    return True
            answer = None if answer is None else answer._replace(external=self._external)
        if answer is None or self._timers.deadline(Timer.RESEND) is None:
            return answer is not None
        self._take(answer, now)
        return True

    def _take(self, answer: Answer, now: Instant) -> None:
        self._timers.cancel(Timer.RESEND)
        if answer.result or not answer.port:
            self._timers.arm(Timer.RENEW, now + AGAIN)
            self._lose(f"the gateway refuses by {self._protocol.value}, code {answer.result}")
            return
        life = min(max(answer.lifetime, LEAST_LIFETIME), LIFETIME)
        self._timers.arm(Timer.RENEW, now + life / 2)
        mapped = Mapped(answer.external, answer.port)
        if mapped != self._mapped:
            self._mapped = mapped
            self._events.append(mapped)

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            if fired.timer is Timer.RENEW:
                self._begin(self._protocol if self._mapped else Protocol.PCP, now)
            elif self._tries < TRIES:
                self._ask(now)
            elif self._protocol is Protocol.PCP and self._mapped is None:
                self._begin(Protocol.NAT_PMP, now)
            else:
                self._timers.arm(Timer.RENEW, now + AGAIN)
                self._lose("no gateway answers")

    def close(self) -> None:
        """Remove the mapping. Idempotent; what is left to send goes out once."""
        if self._is_closed:
            return
        self._is_closed = True
        self._timers.cancel_all()
        self._transmits.clear()
        if self._mapped is not None:
            self._mapped = None
            self._send(lifetime=0)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _begin(self, protocol: Protocol, now: Instant) -> None:
        self._protocol, self._tries, self._external, self._answer = protocol, 0, "", None
        self._ask(now)

    def _ask(self, now: Instant) -> None:
        self._timers.arm(Timer.RESEND, now + FIRST_WAIT * 2**self._tries)
        self._tries += 1
        if self._protocol is Protocol.NAT_PMP and not self._external:
            self._transmits.append(Transmit(nat_pmp_address(), self._gateway))
        self._send(lifetime=LIFETIME)

    def _send(self, *, lifetime: int) -> None:
        wanted = 0 if not lifetime else (self._port if self._mapped is None else self._mapped.port)
        if self._protocol is Protocol.PCP:
            data = pcp_map(
                self._transport, self._port, client=self._client, nonce=self._nonce, lifetime=lifetime, suggested=wanted
            )
        else:
            data = nat_pmp_map(self._transport, self._port, lifetime=lifetime, suggested=wanted)
        self._transmits.append(Transmit(data, self._gateway))

    def _lose(self, reason: str) -> None:
        self._mapped = None
        self._events.append(Unmapped(reason))
