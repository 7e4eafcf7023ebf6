"""Two sides agree when to dial: half a round trip apart, so that both dial at the same moment."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from zwerm.libp2p.dcutr.coordination import (
    ANSWER_TIME,
    MOST_DELAY,
    Answerer,
    CoordinationFailed,
    DialNow,
    Opener,
)
from zwerm.libp2p.dcutr.message import HolePunch, MessageType
from zwerm.multiformats.multiaddr import Multiaddr

HERE = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
THERE = Multiaddr.from_text("/ip4/192.0.2.2/tcp/4001")
CONNECT = HolePunch(MessageType.CONNECT, (THERE,)).frame()
SYNC = HolePunch(MessageType.SYNC).frame()


@pytest.mark.parametrize("one_way", [0.0, 0.02, 0.3], ids=str)
def test_both_dial_at_the_same_moment_whatever_the_way_takes(one_way: float) -> None:
    opener = Opener([HERE], now=0.0)
    asked = opener.data_to_send()
    answerer = Answerer([THERE], now=one_way)
    answerer.receive_data(asked, one_way)
    opener.receive_data(answerer.data_to_send(), 2 * one_way)
    answerer.receive_data(opener.data_to_send(), 3 * one_way)
    assert answerer.next_event() == DialNow((HERE,))  # at three ways
    assert opener.next_timeout() == pytest.approx(3 * one_way)
    opener.handle_timeout(3 * one_way)
    assert opener.next_event() == DialNow((THERE,))
    assert opener.next_timeout() is None
    assert answerer.next_timeout() is None


def test_a_peer_that_answers_late_on_purpose_does_not_put_the_dial_off_for_long() -> None:
    opener = Opener([HERE], now=0.0)
    opener.receive_data(CONNECT, 9.9)
    assert opener.next_timeout() == 9.9 + 4.95 < 9.9 + MOST_DELAY


@pytest.mark.parametrize("side", [Opener, Answerer], ids=["opener", "answerer"])
def test_a_silent_peer_is_waited_for_no_longer_than_said(side: type[Opener | Answerer]) -> None:
    machine = side([HERE], now=5.0)
    assert machine.next_timeout() == 5.0 + ANSWER_TIME
    machine.handle_timeout(5.0 + ANSWER_TIME)
    assert isinstance(machine.next_event(), CoordinationFailed)
    machine.receive_data(CONNECT, 20.0)
    assert machine.next_event() is None


def test_an_answerer_waits_anew_for_the_second_message() -> None:
    machine = Answerer([HERE], now=0.0)
    machine.receive_data(CONNECT, 8.0)
    assert machine.next_timeout() == 8.0 + ANSWER_TIME
    assert machine.data_to_send() == HolePunch(MessageType.CONNECT, (HERE,)).frame()


@pytest.mark.parametrize(
    ("side", "said", "words"),
    [
        (Opener, SYNC, "SYNC, expected one CONNECT"),
        (Opener, CONNECT + CONNECT, "CONNECT, expected one CONNECT"),
        (Answerer, SYNC, "SYNC, expected CONNECT"),
        (Answerer, CONNECT + CONNECT, "CONNECT, expected SYNC"),
        (Answerer, b"\x02\x08\x01", "type 1"),
        (Opener, b"\xff\xff\xff", "at most 4096"),
    ],
    ids=["sync first", "two connects", "answerer: sync first", "answerer: two connects", "no type", "a giant"],
)
def test_a_peer_that_does_not_keep_to_the_order_ends_the_attempt(
    side: type[Opener | Answerer], said: bytes, words: str
) -> None:
    machine = side([HERE], now=0.0)
    machine.receive_data(said, 0.1)
    event = machine.next_event()
    assert isinstance(event, CoordinationFailed)
    assert words in event.cause
    assert machine.next_timeout() is None


def test_an_end_of_the_stream_ends_what_waits_and_not_what_is_agreed_on() -> None:
    waiting, agreed = Opener([HERE], now=0.0), Opener([HERE], now=0.0)
    waiting.receive_eof(0.1)
    assert isinstance(waiting.next_event(), CoordinationFailed)
    agreed.receive_data(CONNECT, 0.2)
    agreed.receive_eof(0.25)
    agreed.handle_timeout(0.31)
    assert agreed.next_event() == DialNow((THERE,))


@pytest.mark.parametrize("side", [Opener, Answerer], ids=["opener", "answerer"])
def test_both_sides_keep_the_laws_of_machines(side: type[Opener | Answerer]) -> None:
    check_stream_machine(Subject(lambda now, random: side([HERE], now=now), valid=[CONNECT, SYNC]))
