"""RFC 8489 section 6.2: when a request is resent, what ends the transaction, and when the client gives up."""

import pytest

from tests.conformance.check_machine import Subject, check_machine
from zwerm.core.machine import Transmit
from zwerm.webrtc.stun.message import Message, Method, indication, request
from zwerm.webrtc.stun.transaction import (
    RELIABLE,
    ClientTransaction,
    IntegrityViolated,
    Responded,
    Schedule,
    TimedOut,
)

SERVER = ("192.0.2.1", 3478)
STRANGER = ("203.0.113.66", 666)
BINDING = request(Method.BINDING, bytes(range(12)))
REQUEST = BINDING.serialize()
RESPONSE = BINDING.success().serialize(b"key")
FORGED = BINDING.success().serialize(b"another key")


def has_key(message: Message) -> bool:
    return message.has_integrity(b"key")


def run_out(transaction: ClientTransaction) -> tuple[list[float], float]:
    """Let time pass; when requests were sent, and when all was over."""
    sent_at, now = [], 0.0
    while (deadline := transaction.next_timeout()) is not None:
        if transaction.next_transmit():
            sent_at.append(now)
        now = deadline
        transaction.handle_timeout(now)
    return sent_at, now


def test_a_silent_server_sees_the_schedule_printed_in_the_rfc() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0)
    assert run_out(transaction) == ([0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5], 39.5)
    assert transaction.next_event() == TimedOut()
    assert transaction.next_event() is None


def test_over_a_stream_the_request_goes_out_once_and_is_given_as_much_time() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0, schedule=RELIABLE)
    assert run_out(transaction) == ([0.0], 39.5)
    assert transaction.next_event() == TimedOut()


def test_another_schedule_is_kept() -> None:
    schedule = Schedule(rto=0.1, rc=3, rm=4)
    sent_at, end = run_out(ClientTransaction(REQUEST, SERVER, now=0.0, schedule=schedule))
    assert sent_at == pytest.approx([0.0, 0.1, 0.3])
    assert end == pytest.approx(0.7)


def test_lateness_does_not_add_up() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0)
    transaction.handle_timeout(0.9)
    assert transaction.next_timeout() == 1.5


@pytest.mark.parametrize(
    "response", [RESPONSE, BINDING.error(400, "Bad Request").serialize()], ids=["success", "error"]
)
def test_an_answer_ends_it(response: bytes) -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0)
    assert transaction.next_transmit() == Transmit(REQUEST, SERVER)
    assert transaction.receive_datagram(response, SERVER, 0.2)
    assert transaction.next_event() == Responded(Message.parse(response))
    assert transaction.next_timeout() is None
    transaction.handle_timeout(0.5)
    assert transaction.next_transmit() is None
    assert not transaction.receive_datagram(response, SERVER, 0.6)
    assert transaction.sent == 1


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (RESPONSE, STRANGER),
        (RESPONSE, ("192.0.2.1", 3479)),
        (request(Method.BINDING, bytes(12)).success().serialize(), SERVER),
        (RESPONSE[:-1] + b"?", SERVER),
        (RESPONSE[:25], SERVER),
        (b"", SERVER),
        (REQUEST, SERVER),
        (indication(Method.BINDING, bytes(range(12))).serialize(), SERVER),
    ],
    ids=[
        "stranger",
        "other port",
        "other transaction",
        "damaged",
        "cut",
        "nothing",
        "the request itself",
        "indication",
    ],
)
def test_what_is_no_answer_is_left_to_others(data: bytes, source: tuple[str, int]) -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0)
    assert not transaction.receive_datagram(data, source, 0.2)
    assert transaction.next_event() is None
    assert transaction.next_timeout() == 0.5


def test_a_forged_answer_changes_nothing_and_the_right_one_is_still_taken() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0, verdict=has_key)
    assert transaction.receive_datagram(FORGED, SERVER, 0.2)
    assert transaction.next_event() is None
    assert transaction.next_timeout() == 0.5
    assert transaction.receive_datagram(RESPONSE, SERVER, 0.3)
    assert transaction.next_event() == Responded(Message.parse(RESPONSE))


def test_when_only_forged_answers_came_the_end_says_so() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0, verdict=has_key)
    transaction.receive_datagram(FORGED, SERVER, 0.2)
    run_out(transaction)
    assert transaction.next_event() == IntegrityViolated()


def test_over_a_stream_a_forged_answer_is_the_end_at_once() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0, schedule=RELIABLE, verdict=has_key)
    transaction.receive_datagram(FORGED, SERVER, 0.2)
    assert transaction.next_event() == IntegrityViolated()


def test_one_that_stopped_resending_still_takes_an_answer_or_ends_when_it_would_have() -> None:
    answered, silent = (ClientTransaction(REQUEST, SERVER, now=0.0) for _ in range(2))
    for transaction in (answered, silent):
        transaction.stop_resending()
        assert transaction.next_transmit() is None
    answered.receive_datagram(RESPONSE, SERVER, 20.0)
    assert isinstance(answered.next_event(), Responded)
    assert run_out(silent) == ([], 39.5)
    assert silent.next_event() == TimedOut()


def test_one_that_was_abandoned_says_nothing_more() -> None:
    transaction = ClientTransaction(REQUEST, SERVER, now=0.0)
    transaction.abandon()
    assert not transaction.receive_datagram(RESPONSE, SERVER, 0.1)
    assert (transaction.next_transmit(), transaction.next_event(), transaction.next_timeout()) == (None, None, None)


def test_it_obeys_the_laws_of_machines() -> None:
    check_machine(
        Subject(
            make=lambda now, random: ClientTransaction(REQUEST, SERVER, now=now, verdict=has_key),
            peer=SERVER,
            valid=[RESPONSE, FORGED],
            commands=[ClientTransaction.stop_resending, ClientTransaction.abandon],
        )
    )
