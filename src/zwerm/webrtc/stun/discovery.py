"""What the NAT in front of a socket does, found out with the help of a server (RFC 5780 section 4).

The server has two IP addresses and two ports. Four steps, on one socket:

    REACH     ask the primary address: which address does it see, and what is its other one?
    FILTER    ask it to answer from its other address and port, and at the same time only from its other port.
              Which of the answers comes through says what the NAT filters.
    MAP       ask the other address at the first port and at the second: do they see what the first saw?
    HAIRPIN   send to the address the first one saw: does it come back?

FILTER is before MAP, as RFC 5780 section 4.4 warns: once something was sent to the other address, the NAT lets its
answers in for that reason alone. Silence counts as "filtered", so each question is asked several times.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.stun.attributes import (
    CHANGE_REQUEST,
    MAPPED_ADDRESS,
    OTHER_ADDRESS,
    XOR_MAPPED_ADDRESS,
    Attribute,
    Change,
)
from zwerm.webrtc.stun.behaviour import Behaviour, NatBehaviour
from zwerm.webrtc.stun.message import Message, MessageClass, Method, is_stun, request
from zwerm.webrtc.stun.transaction import ClientTransaction, Schedule

REACHING: Final = Schedule(rto=0.5, rc=5, rm=4)  # 9.5 s until nobody is said to be there
LISTENING: Final = Schedule(rto=0.3, rc=4, rm=6)  # 3.9 s: a question whose answer may well be silence


class Question(enum.Enum):
    """What is asked, and so which transaction it is."""

    REACH = "the primary address: what do you see?"
    FROM_OTHER_HOST = "answer from your other address and port"
    FROM_OTHER_PORT = "answer from your other port"
    OTHER_HOST = "the other address, first port: what do you see?"
    OTHER_HOST_AND_PORT = "the other address, other port: what do you see?"
    HAIRPIN = "ourselves, by our outside address"


_FILTER: Final = (Question.FROM_OTHER_HOST, Question.FROM_OTHER_PORT)
_MAP: Final = (Question.OTHER_HOST, Question.OTHER_HOST_AND_PORT)


@dataclasses.dataclass(frozen=True, slots=True)
class Discovered:
    """All was asked, and this was found."""

    behaviour: NatBehaviour


@dataclasses.dataclass(slots=True)
class _Asked:
    transaction: ClientTransaction
    transaction_id: bytes
    destination: Address
    answered_by: Address  # from where the answer must come
    mapped: Address | None = None  # what the answer told
    was_answered: bool = False


class NatDiscovery:
    """Finds out what is between one socket and a server, and says so in one `Discovered`."""

    def __init__(self, server: Address, local: Address, *, now: Instant, random: Random) -> None:
        """`local` is the socket's address as its host knows it, never a wildcard."""
        self._server = server
        self._local = local
        self._random = random
        self._asked: dict[Question, _Asked] = {}
        self._transmits: deque[Transmit] = deque()
        self._event: Discovered | None = None
        self._is_over = False
        self._mapped: Address | None = None
        self._other: Address | None = None
        self._ignores_changes = False
        self._ask(Question.REACH, server, now, REACHING)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if self._is_over or not is_stun(data):
            return False
        try:
            message = Message.parse(data)
        except WireError:
            return False
        for question, asked in self._asked.items():
            if message.transaction_id == asked.transaction_id:
                is_taken = self._receive(question, asked, message, source)
                self._advance(now)
                return is_taken
        return False

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Calling early, or again, changes nothing."""
        for asked in self._asked.values():
            asked.transaction.handle_timeout(now)
        self._advance(now)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Discovered | None:
        event, self._event = self._event, None
        return event

    def next_timeout(self) -> Instant | None:
        deadlines = [asked.transaction.next_timeout() for asked in self._asked.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _ask(
        self,
        question: Question,
        destination: Address,
        now: Instant,
        schedule: Schedule,
        *attributes: Attribute,
        answered_by: Address | None = None,
    ) -> None:
        transaction_id = self._random.randbytes(12)
        data = request(Method.BINDING, transaction_id, *attributes).serialize()
        transaction = ClientTransaction(data, destination, now=now, schedule=schedule)
        self._asked[question] = _Asked(transaction, transaction_id, destination, answered_by or destination)
        self._collect(transaction)

    def _receive(self, question: Question, asked: _Asked, message: Message, source: Address) -> bool:
        if question is Question.HAIRPIN:
            if message.message_class is not MessageClass.REQUEST:
                return False
            asked.was_answered = True
            asked.transaction.abandon()
            return True
        if source != asked.answered_by:
            self._ignores_changes |= source == asked.destination
            return False
        if not asked.transaction.receive_message(message, asked.destination):
            return False
        if message.message_class is MessageClass.SUCCESS:
            asked.was_answered = True
            asked.mapped = message.find(XOR_MAPPED_ADDRESS) or message.find(MAPPED_ADDRESS)
            if question is Question.REACH:
                self._mapped, self._other = asked.mapped, message.find(OTHER_ADDRESS)
        else:
            self._ignores_changes |= question in _FILTER
        return True

    def _advance(self, now: Instant) -> None:
        """Go from step to step as the questions of one are settled, and collect what they send."""
        for asked in self._asked.values():
            self._collect(asked.transaction)
        if self._is_over:
            return
        if Question.FROM_OTHER_HOST not in self._asked:
            if self._is_settled(Question.REACH):
                self._go_on_from_reach(now)
        elif Question.HAIRPIN not in self._asked:
            if self._other and self._mapped and self._filtering_is_settled():
                self._ask_map(now, self._other, self._mapped)
        elif all(map(self._is_settled, (*_MAP, Question.HAIRPIN))):
            self._finish()

    def _go_on_from_reach(self, now: Instant) -> None:
        other, mapped, server = self._other, self._mapped, self._server
        if other is None or mapped is None or other[0] == server[0] or other[1] in (server[1], 0) or mapped[1] == 0:
            self._finish()  # the server has no second address
        elif not family_of(other[0]) == family_of(mapped[0]) == family_of(server[0]):
            self._finish()
        else:
            self._ask_filter(now, other)

    def _ask_filter(self, now: Instant, other: Address) -> None:
        changed = Change(address=True, port=True), Change(address=False, port=True)
        sources = other, (self._server[0], other[1])
        for question, change, source in zip(_FILTER, changed, sources, strict=True):
            self._ask(question, self._server, now, LISTENING, CHANGE_REQUEST(change), answered_by=source)

    def _ask_map(self, now: Instant, other: Address, mapped: Address) -> None:
        destinations = (other[0], self._server[1]), other, mapped
        for question, destination in zip((*_MAP, Question.HAIRPIN), destinations, strict=True):
            self._ask(question, destination, now, LISTENING)

    def _is_settled(self, question: Question) -> bool:
        return self._asked[question].transaction.next_timeout() is None

    def _filtering_is_settled(self) -> bool:
        if self._asked[Question.FROM_OTHER_HOST].was_answered:
            self._asked[Question.FROM_OTHER_PORT].transaction.abandon()
            return True
        return all(map(self._is_settled, _FILTER))

    def _collect(self, transaction: ClientTransaction) -> None:
        if (transmit := transaction.next_transmit()) is not None:
            self._transmits.append(transmit)
        transaction.next_event()  # that it is over shows in its deadline, and what it found in `_Asked`

    def _finish(self) -> None:
        self._is_over = True
        self._event = Discovered(self._behaviour())
        for asked in self._asked.values():
            asked.transaction.abandon()

    def _behaviour(self) -> NatBehaviour:
        behaviour = NatBehaviour(self._local, self._mapped)
        if Question.HAIRPIN not in self._asked:
            return behaviour
        seen = [self._asked[question].mapped for question in _MAP]
        hosts = {mapped[0] for mapped in (self._mapped, *seen) if mapped is not None}
        return dataclasses.replace(
            behaviour,
            mapping=self._mapping(*seen),
            filtering=self._filtering(),
            has_hairpinning=self._asked[Question.HAIRPIN].was_answered if behaviour.is_translated else None,
            pools_addresses=len(hosts) > 1,
        )

    def _mapping(self, by_other_host: Address | None, by_other_port: Address | None) -> Behaviour | None:
        if by_other_host is None:
            return None
        if by_other_host == self._mapped:
            return Behaviour.ENDPOINT_INDEPENDENT
        if by_other_port is None:
            return None
        return Behaviour.ADDRESS_DEPENDENT if by_other_host == by_other_port else Behaviour.ADDRESS_AND_PORT_DEPENDENT

    def _filtering(self) -> Behaviour | None:
        if self._asked[Question.FROM_OTHER_HOST].was_answered:
            return Behaviour.ENDPOINT_INDEPENDENT
        if self._ignores_changes:
            return None
        if self._asked[Question.FROM_OTHER_PORT].was_answered:
            return Behaviour.ADDRESS_DEPENDENT
        return Behaviour.ADDRESS_AND_PORT_DEPENDENT
