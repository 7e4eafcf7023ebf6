"""The responder: who is answered and how often, who is believed, and what can grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.conformance.check_machine import Subject, check_machine
from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.core.machine import Transmit
from zwerm.net.mdns.message import AAAA, ANY, A, AddressRecord, MdnsMessage, Question, name_of
from zwerm.net.mdns.responder import GROUP, MdnsConfig, MdnsResponder, Resolved

NAME = "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local"
OTHER = "1f2e3d4c-0000-4000-8000-000000000000.local"
NEIGHBOUR = ("192.0.2.9", 5_353)
PROGRAM = ("192.0.2.9", 40_000)


def query(kind: int = A, name: str = NAME, *, unicast: bool = False, number: int = 0) -> bytes:
    return MdnsMessage(number, questions=(Question(name_of(name), kind, unicast),)).serialize()


def answer(name: str = OTHER, host: str = "192.0.2.9", ttl: int = 120) -> bytes:
    return MdnsMessage(is_response=True, records=(AddressRecord(name_of(name), host, ttl),)).serialize()


def sent(responder: MdnsResponder) -> list[tuple[MdnsMessage, Any]]:
    transmits = list(iter(responder.next_transmit, None))
    return [(MdnsMessage.parse(transmit.data), transmit.destination) for transmit in transmits]


@pytest.fixture
def responder() -> MdnsResponder:
    responder = MdnsResponder()
    responder.register(NAME, "192.0.2.7")
    return responder


@pytest.mark.parametrize("kind", [A, ANY])
def test_a_neighbour_who_asks_is_answered_by_multicast(responder: MdnsResponder, kind: int) -> None:
    assert responder.receive_datagram(query(kind), NEIGHBOUR, 0.0)
    ((message, destination),) = sent(responder)
    assert destination == GROUP
    assert message.records == (AddressRecord(name_of(NAME), "192.0.2.7", 120),)


def test_another_family_is_not_answered(responder: MdnsResponder) -> None:
    responder.receive_datagram(query(AAAA), NEIGHBOUR, 0.0)
    assert sent(responder) == []


def test_another_name_is_none_of_ours(responder: MdnsResponder) -> None:
    assert not responder.receive_datagram(query(name=OTHER), NEIGHBOUR, 0.0)
    assert sent(responder) == []


def test_an_answer_goes_out_once_a_second_however_many_ask(responder: MdnsResponder) -> None:
    """Section 6."""
    for now in (0.0, 0.1, 0.2):
        responder.receive_datagram(query(), NEIGHBOUR, now)
    assert len(sent(responder)) == 1
    assert responder.next_timeout() == 1.0
    responder.handle_timeout(1.0)
    assert len(sent(responder)) == 1
    assert responder.next_timeout() is None


def test_who_wants_it_alone_gets_it_alone(responder: MdnsResponder) -> None:
    responder.receive_datagram(query(unicast=True), NEIGHBOUR, 0.0)
    assert [destination for _, destination in sent(responder)] == [NEIGHBOUR]


def test_a_program_that_asks_as_it_would_ask_a_server_is_answered_so(responder: MdnsResponder) -> None:
    """Section 6.7: from another port, with its question and a short life."""
    responder.receive_datagram(query(number=77), PROGRAM, 0.0)
    ((message, destination),) = sent(responder)
    assert destination == PROGRAM
    assert (message.id, message.questions) == (77, (Question(name_of(NAME), A),))
    assert message.records == (AddressRecord(name_of(NAME), "192.0.2.7", 10, is_unique=False),)


def test_a_name_that_was_told_is_taken_back(responder: MdnsResponder) -> None:
    responder.receive_datagram(query(), NEIGHBOUR, 0.0)
    sent(responder)
    responder.unregister(NAME)
    assert [message.records[0].ttl for message, _ in sent(responder)] == [0]
    assert not responder.receive_datagram(query(), NEIGHBOUR, 5.0)


def test_a_name_that_nobody_asked_for_goes_without_a_word(responder: MdnsResponder) -> None:
    responder.unregister(NAME)
    responder.unregister(NAME)
    assert sent(responder) == []


def test_a_name_is_asked_for_with_waits_that_double_and_then_no_more() -> None:
    responder = MdnsResponder()
    responder.resolve(OTHER, 10.0)
    responder.resolve(OTHER, 10.0)
    times = []
    now: float | None = 10.0
    while now is not None:
        responder.handle_timeout(now)
        times += [now for _ in sent(responder)]
        now = responder.next_timeout()
    assert times == [10.0, 11.0, 13.0, 17.0]
    assert not responder.receive_datagram(answer(), NEIGHBOUR, 26.0)
    assert responder.next_event() is None


def test_the_first_answer_is_told_once_and_as_it_was_asked_for() -> None:
    responder = MdnsResponder()
    responder.resolve(OTHER.upper(), 0.0)
    assert responder.receive_datagram(answer(), NEIGHBOUR, 0.1)
    assert not responder.receive_datagram(answer(host="192.0.2.66"), NEIGHBOUR, 0.2)
    assert responder.next_event() == Resolved(OTHER.upper(), "192.0.2.9")
    assert responder.next_event() is None


@pytest.mark.parametrize(
    ("data", "source"),
    [(answer(), PROGRAM), (answer(ttl=0), NEIGHBOUR), (answer(NAME), NEIGHBOUR), (b"noise", NEIGHBOUR)],
    ids=["another port", "a goodbye", "another name", "noise"],
)
def test_what_does_not_answer_is_not_believed(data: bytes, source: tuple[str, int]) -> None:
    responder = MdnsResponder()
    responder.resolve(OTHER, 0.0)
    assert not responder.receive_datagram(data, source, 0.1)
    assert responder.next_event() is None


def test_a_name_nobody_waits_for_any_more_is_not_asked_for() -> None:
    responder = MdnsResponder()
    responder.resolve(OTHER, 0.0)
    sent(responder)
    responder.forget(OTHER)
    responder.handle_timeout(1.0)
    assert sent(responder) == []


def test_names_and_lookups_have_limits() -> None:
    responder = MdnsResponder(MdnsConfig(max_names=1, max_lookups=1))
    responder.register(NAME, "192.0.2.7")
    responder.resolve(NAME, 0.0)
    with pytest.raises(ResourceLimitError, match="1 names are registered"):
        responder.register(OTHER, "192.0.2.7")
    with pytest.raises(ResourceLimitError, match="1 names are being"):
        responder.resolve(OTHER, 0.0)


def test_what_nobody_takes_does_not_grow(responder: MdnsResponder) -> None:
    for _ in range(1_000):
        responder.receive_datagram(query(unicast=True), NEIGHBOUR, 0.0)
    assert len(sent(responder)) == 256


def test_text_that_is_no_name_is_the_callers_fault(responder: MdnsResponder) -> None:
    with pytest.raises(WireError):
        responder.resolve("a..local", 0.0)


def test_the_laws_of_machines_hold() -> None:
    def make(now: float, random: object) -> MdnsResponder:
        responder = MdnsResponder()
        responder.register(NAME, "192.0.2.7")
        responder.resolve(OTHER, now)
        return responder

    def answers(transmit: Transmit) -> Sequence[bytes]:
        return [answer()] if MdnsMessage.parse(transmit.data).questions else []

    check_machine(
        Subject(make=make, peer=NEIGHBOUR, valid=[query(), query(ANY), query(unicast=True), answer()], answers=answers)
    )
