"""Names below .local made and looked up by multicast DNS (RFC 6762), for ICE candidates that hide an address.

    names.register("8d4d4f0e-....local", "192.0.2.7", now)
    names.resolve("1f2e3d4c-....local", now)           # Resolved(name, host), if somebody knows

It answers queries for the names it was given, and asks for others: at once, after a second, and with waits that double
(section 5.2). The names are random UUIDs, so nobody is asked whether they are taken, and nobody is told of them who did
not ask (draft-ietf-mmusic-mdns-ice-candidates section 3.1.1). Nothing is remembered: a name is looked up once, for one
connection. Multicasts go to `GROUP` here; the shell sends them on each interface and family it has.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.net.mdns.message import AAAA, ANY, GROUP, PORT, A, AddressRecord, MdnsMessage, Name, Question, name_of

QUERIES: Final = 4  # sent for a name: after 0, 1, 3 and 7 seconds
INTERVAL: Final = 1.0  # seconds between the first two, and between multicast answers with one name (sections 5.2, 6)
TTL: Final = 120  # seconds, of records with an address (section 10)
LEGACY_TTL: Final = 10  # seconds, in answers to programs that do not speak multicast DNS (section 6.7)

_QUESTION_TYPES: Final = (A, AAAA)


@dataclasses.dataclass(frozen=True, slots=True)
class MdnsConfig:
    """What can grow."""

    max_names: int = 1_024  # of ours
    max_lookups: int = 1_024  # at once
    max_waiting: int = 256  # datagrams and events that nobody took; more is dropped


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody says that `name` is `host`."""

    name: str
    host: str


class Timer(enum.Enum):
    """The deadlines of a responder."""

    NEXT = "a query is to be repeated, or an answer was asked for too soon after the last"


@dataclasses.dataclass(slots=True)
class _Lookup:
    text: str  # the name as it was asked for
    due: Instant  # of the next query, or the end
    sent: int = 0


@dataclasses.dataclass(slots=True)
class _OwnName:
    host: str
    answered_at: Instant | None = None  # by multicast
    answer_at: Instant | None = None  # asked for too soon


class MdnsResponder:
    """Everybody's names on one machine. Law 1 of `zwerm.core.machine` holds after each call."""

    def __init__(self, config: MdnsConfig | None = None) -> None:
        self._config = config or MdnsConfig()
        self._own: dict[Name, _OwnName] = {}
        self._lookups: dict[Name, _Lookup] = {}
        self._transmits: deque[Transmit] = deque(maxlen=self._config.max_waiting)
        self._events: deque[Resolved] = deque(maxlen=self._config.max_waiting)
        self._timers = TimerTable(Timer)

    # Commands.

    def register(self, name: str, host: str) -> None:
        """Answer for `name` from now on.

        Raises:
            WireError: it is no name.
            ResourceLimitError: there are too many.
        """
        if len(self._own) >= self._config.max_names:
            raise ResourceLimitError(f"{len(self._own)} names are registered, the limit is {self._config.max_names}")
        self._own[name_of(name)] = _OwnName(host)

    def unregister(self, name: str) -> None:
        """Say that `name` is no more (section 10.1). One that is not known is no error."""
        key = name_of(name)
        own = self._own.pop(key, None)
        if own is not None and own.answered_at is not None:
            self._multicast(MdnsMessage(is_response=True, records=(AddressRecord(key, own.host, 0),)))

    def resolve(self, name: str, now: Instant) -> None:
        """Look `name` up; when nobody knows it, nothing is told.

        Raises:
            WireError: it is no name.
            ResourceLimitError: there are too many under way.
        """
        key = name_of(name)
        if key in self._lookups:
            return
        if len(self._lookups) >= self._config.max_lookups:
            raise ResourceLimitError(f"{len(self._lookups)} names are being looked up, that is the limit")
        self._lookups[key] = _Lookup(name, now)
        self._work(now)

    def forget(self, name: str) -> None:
        """Nobody waits for `name` any more."""
        self._lookups.pop(name_of(name), None)

    # The machine.

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Offer an untrusted datagram from a host of the same link."""
        try:
            message = MdnsMessage.parse(data)
        except WireError:
            return False
        if message.is_response:
            return self._take_response(message, source)
        is_ours = self._take_query(message, source, now)
        self._work(now)
        return is_ours

    def handle_timeout(self, now: Instant) -> None:
        if self._timers.pop_expired(now) is not None:
            self._work(now)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Resolved | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    # Inside.

    def _take_response(self, message: MdnsMessage, source: Address) -> bool:
        if source[1] != PORT:  # section 6: such a response MUST be ignored
            return False
        found = False
        for record in message.records:
            lookup = self._lookups.get(record.name)
            if lookup is not None and record.ttl > 0:
                del self._lookups[record.name]
                self._events.append(Resolved(lookup.text, record.host))
                found = True
        return found

    def _take_query(self, message: MdnsMessage, source: Address, now: Instant) -> bool:
        asked = {question.name: question for question in message.questions if question.name in self._own}
        for question in asked.values():
            own = self._own[question.name]
            if question.type not in (AAAA if ":" in own.host else A, ANY):
                kinds = {other.type for other in message.questions if other.name == question.name}
                if not kinds & {AAAA if ":" in own.host else A, ANY}:
                    continue
            if source[1] != PORT:
                record = AddressRecord(question.name, own.host, LEGACY_TTL, is_unique=False)
                plain = Question(question.name, question.type)
                answer = MdnsMessage(message.id, is_response=True, questions=(plain,), records=(record,))
                self._transmits.append(Transmit(answer.serialize(), source))
            elif question.wants_unicast:
                self._transmits.append(Transmit(_answer(question.name, own.host), source))
            elif own.answer_at is None:
                own.answer_at = now if own.answered_at is None else max(now, own.answered_at + INTERVAL)
        return bool(asked)

    def _work(self, now: Instant) -> None:
        """Send what is due, and come back for the rest."""
        questions: list[Question] = []
        for key, lookup in list(self._lookups.items()):
            if lookup.due > now:
                continue
            if lookup.sent == QUERIES:
                del self._lookups[key]
                continue
            lookup.due = now + INTERVAL * 2**lookup.sent
            lookup.sent += 1
            questions += [Question(key, kind) for kind in _QUESTION_TYPES]
        for start in range(0, len(questions), 8):
            self._multicast(MdnsMessage(questions=tuple(questions[start : start + 8])))
        for key, own in self._own.items():
            if own.answer_at is not None and own.answer_at <= now:
                own.answer_at, own.answered_at = None, now
                self._transmits.append(Transmit(_answer(key, own.host), GROUP))
        waits = [lookup.due for lookup in self._lookups.values()]
        waits += [own.answer_at for own in self._own.values() if own.answer_at is not None]
        if waits:
            self._timers.arm(Timer.NEXT, min(waits))
        else:
            self._timers.cancel(Timer.NEXT)

    def _multicast(self, message: MdnsMessage) -> None:
        self._transmits.append(Transmit(message.serialize(), GROUP))


def _answer(name: Name, host: str) -> bytes:
    return MdnsMessage(is_response=True, records=(AddressRecord(name, host, TTL),)).serialize()
