"""Consent in the same words goes a short way; what is new, forged or in doubt goes the whole way."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import PEER
from tests.webrtc.ice.test_session import CANDIDATE, CONTROLLING, HOST, LOCAL, REMOTE, Alone, answer, check
from tests.webrtc.ice.two import Two
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.events import ConnectionState
from zwerm.webrtc.stun.attributes import ICE_CONTROLLED, PRIORITY, SOFTWARE, USE_CANDIDATE, USERNAME, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Message, MessageClass, Method, request


def steady() -> Alone:
    """An agent whose selected pair was asked, and has asked, once already."""
    alone = Alone(Role.CONTROLLED)
    alone.agent.add_remote_candidate(CANDIDATE, 0.0)
    for number in (1, 2):
        for message in alone.send(check(CONTROLLING, USE_CANDIDATE(), number=number)) + alone.wait(0.1):
            if message.message_class is MessageClass.REQUEST:
                alone.send(answer(message))
    for _ in range(2):
        alone.send(answer(asked(alone)))
    return alone


def asked(alone: Alone) -> Message:
    """Let time pass until the agent asks for consent, once."""
    while True:
        due = alone.agent.next_timeout()
        assert due is not None
        questions = alone.wait(max(due - alone.now, 0.0))
        if questions:
            (question,) = questions
            return question


def test_a_question_in_the_same_words_is_answered_as_ever() -> None:
    alone = steady()
    data = check(CONTROLLING, USE_CANDIDATE(), number=77)
    assert alone.agent.receive_repeated(data, PEER, alone.now, local=HOST)
    (told,) = alone.sent()
    assert told == Message.parse(data).success(XOR_MAPPED_ADDRESS(PEER))
    assert told.has_integrity(LOCAL.key)
    assert told.has_fingerprint


OTHERS = {
    "another attribute": check(CONTROLLING, USE_CANDIDATE(), SOFTWARE("new"), number=78),
    "without nomination": check(CONTROLLING, number=78),
    "another role": check(ICE_CONTROLLED(7), number=78),
    "another key": check(CONTROLLING, USE_CANDIDATE(), number=78, key=REMOTE.key),
    "no STUN": b"\x16" + bytes(40),
    "an indication": request(Method.BINDING, bytes(12)).serialize(),
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=list(OTHERS))
def test_other_words_are_not_for_the_short_way(data: bytes) -> None:
    alone = steady()
    assert not alone.agent.receive_repeated(data, PEER, alone.now, local=HOST)
    assert not alone.sent()


def test_other_ways_are_not_for_the_short_way() -> None:
    alone = steady()
    data = check(CONTROLLING, USE_CANDIDATE(), number=79)
    for source, local in (((PEER[0], 1), HOST), (PEER, (HOST[0], 1)), (PEER, None)):
        assert not alone.agent.receive_repeated(data, source, alone.now, local=local)


def test_an_answer_renews_consent_and_counts_once() -> None:
    alone = steady()
    question = asked(alone)
    data = answer(question)
    assert alone.agent.receive_repeated(data, PEER, alone.now, local=HOST)
    assert not alone.agent.receive_repeated(data, PEER, alone.now, local=HOST)
    assert not alone.agent.receive_datagram(data, PEER, alone.now, local=HOST)
    due = alone.agent.next_timeout()
    assert due is not None
    assert alone.now + 4.0 <= due <= alone.now + 6.0


def test_an_answer_that_names_another_address_is_not_for_the_short_way() -> None:
    alone = steady()
    question = asked(alone)
    assert not alone.agent.receive_repeated(answer(question, ("192.0.2.99", 1)), PEER, alone.now, local=HOST)
    assert alone.agent.receive_datagram(answer(question, ("192.0.2.99", 1)), PEER, alone.now, local=HOST)


def test_questions_are_those_of_the_serializer_with_a_transaction_id_of_their_own() -> None:
    alone = steady()
    questions = []
    for _ in range(3):
        questions.append(asked(alone))
        alone.send(answer(questions[-1]))
    assert len({question.transaction_id for question in questions}) == 3
    for question in questions:
        assert question.has_integrity(REMOTE.key)
        assert question.has_fingerprint
        assert question.find(USERNAME) == "them:ours"
        assert question.find(PRIORITY)


def test_silence_is_noticed_as_before() -> None:
    alone = steady()
    alone.wait(6.0 + 3.5)
    assert alone.agent.state is ConnectionState.DISCONNECTED
    data = check(CONTROLLING, USE_CANDIDATE(), number=80)
    assert not alone.agent.receive_repeated(data, PEER, alone.now, local=HOST)  # the pair is in doubt
    assert alone.send(data)
    alone.wait(30.0)
    assert alone.agent.state is ConnectionState.FAILED


def test_what_was_said_before_a_restart_counts_no_more() -> None:
    alone = steady()
    alone.agent.restart(alone.now)
    assert not alone.agent.receive_repeated(check(CONTROLLING, USE_CANDIDATE()), PEER, alone.now, local=HOST)
    assert not alone.agent.ask_again(alone.now + 7.0)


def test_nothing_goes_the_short_way_once_the_agent_is_closed() -> None:
    alone = steady()
    alone.agent.close(alone.now)
    assert not alone.agent.receive_repeated(check(CONTROLLING, USE_CANDIDATE()), PEER, alone.now, local=HOST)
    assert not alone.agent.ask_again(alone.now + 7.0)


def test_both_sides_stay_connected_for_hours_and_ask_every_five_seconds() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(3_600.0)
    assert two.are_connected
    assert two.exchange()
    for peer in (two.left, two.right):
        (pair,) = [pair for pair in peer.agent.statistics().pairs if pair.counters.consent_requests_sent]
        assert 3_600 / 6 <= pair.counters.consent_requests_sent <= 3_600 / 4
        assert pair.counters.responses_received >= pair.counters.consent_requests_sent
