"""What the two sides say to each other while nothing changes: consent, asked and given in the same words (RFC 7675).

A connection that idles does nothing else, so this is what thousands of them cost. Once a question and its answer went
the whole way, through parser and rules, on the pair that is selected, they are known by their bytes: the next of the
same words changes nothing but the time of consent, and is sealed and checked by `Prepared`. Whatever says anything
else goes the whole way again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from zwerm.core.machine import Address
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.pair import Pair, PairState
from zwerm.webrtc.stun.integrity import SHA1Key
from zwerm.webrtc.stun.prepared import Prepared, is_usual

_REQUEST: Final = b"\x00\x01"  # the type of a Binding request


class Steady:
    """The words on one pair, as long as it is selected and the roles stay."""

    __slots__ = (
        "_answer",
        "_answered",
        "_asked",
        "_local",
        "_ours",
        "_question",
        "_remote",
        "_role",
        "_said",
        "_theirs",
        "pair",
    )

    def __init__(self, pair: Pair, role: Role, ours: Credentials, theirs: Credentials) -> None:
        self.pair = pair
        self._role = role
        self._local = pair.local.base.address
        self._remote = pair.remote.address
        self._ours, self._theirs = SHA1Key(ours.key), SHA1Key(theirs.key)
        self._question: Prepared | None = None  # ours
        self._said: Hashable = None  # what it depends on, beside pair and role
        self._answered: Prepared | None = None  # by the other side
        self._asked: Prepared | None = None  # by the other side
        self._answer: Prepared | None = None  # ours

    def holds(self, role: Role, local: Address | None, source: Address) -> bool:
        """Whether what came this way is of the pair, and nothing is in doubt."""
        pair = self.pair
        return (
            source == self._remote
            and local == self._local
            and role is self._role
            and pair.state is PairState.SUCCEEDED
            and not pair.is_doubted
        )

    def question(self, transaction_id: bytes, said: Hashable) -> bytes | None:
        """Our question, if it was asked in these words before."""
        if self._question is None or said != self._said:
            return None
        return self._question.serialize(transaction_id)

    def asks(self, question: bytes, said: Hashable) -> None:
        """We ask in these words."""
        self._question, self._said = Prepared(question, self._theirs), said

    def answer(self, data: bytes) -> bytes | None:
        """Our answer, if `data` is their question in the words of the last one."""
        if self._asked is None or self._answer is None or not self._asked.matches(data):
            return None
        return self._answer.serialize(data[8:20])

    def answers(self, question: bytes, answer: bytes) -> None:
        """We answered `answer` to their question, and nothing came of it that asking again would change."""
        if is_usual(question):
            self._asked, self._answer = Prepared(question, self._ours), Prepared(answer, self._ours)

    def is_answer(self, data: bytes) -> bool:
        """Whether `data` is their answer in the words of the last one."""
        return self._answered is not None and self._answered.matches(data)

    def is_answered(self, answer: bytes) -> None:
        """They answered in these words, and nothing came of it that the same answer would change."""
        if is_usual(answer):
            self._answered = Prepared(answer, self._theirs)


def is_question(data: bytes) -> bool:
    return data[:2] == _REQUEST
