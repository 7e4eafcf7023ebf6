"""Two machines agree, or learn that they cannot; and what a peer that keeps to no rules gets."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.multistream.message import HEADER, serialize
from zwerm.libp2p.multistream.negotiation import (
    MAX_PROPOSALS,
    Agreed,
    Dialer,
    Listener,
    NegotiationFailed,
    Refused,
)

HEADER_LINE = serialize(HEADER)


def talk(dialer: Dialer, listener: Listener) -> int:
    """Carry lines until both are silent; return how many times the dialer spoke."""
    turns = 0
    while data := dialer.data_to_send():
        turns += 1
        listener.receive_data(data, 0.0)
        dialer.receive_data(listener.data_to_send(), 0.0)
    return turns


def test_the_first_protocol_that_the_listener_speaks_is_taken() -> None:
    dialer, listener = Dialer(["/a", "/b", "/c"]), Listener({"/c", "/b"}.__contains__)
    assert talk(dialer, listener) == 2
    assert dialer.next_event() == listener.next_event() == Agreed("/b")


def test_a_protocol_that_is_spoken_costs_one_round_trip() -> None:
    dialer, listener = Dialer(["/a"]), Listener({"/a"}.__contains__)
    assert dialer.data_to_send() == HEADER_LINE + serialize("/a")
    listener.receive_data(HEADER_LINE + serialize("/a"), 0.0)
    assert listener.data_to_send() == HEADER_LINE + serialize("/a")


def test_the_dialer_learns_that_nothing_is_spoken() -> None:
    dialer = Dialer(["/a", "/b"])
    talk(dialer, Listener(lambda _: False))
    assert dialer.next_event() == Refused()


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_bytes_of_the_protocol_behind_the_agreement_are_left(size: int) -> None:
    wire, protocol = HEADER_LINE + serialize("/a"), b"\x00\xff first bytes"
    for machine in (Dialer(["/a"]), Listener({"/a"}.__contains__)):
        data, used = wire + protocol, 0
        while machine.next_event() is None:
            chunk = data[used : used + size]
            taken = machine.receive_data(chunk, 0.0)
            used += taken
        assert data[used:] == protocol
        assert machine.receive_data(protocol, 0.0) == 0


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["/http/1.1"], "first line '/http/1.1', expected '/multistream/1.0.0'"),
        ([HEADER, "/other"], "answer '/other', expected '/a' or 'na'"),
    ],
    ids=["no header", "another protocol than the one proposed"],
)
def test_a_dialer_gives_up_on_answers_that_are_none(lines: list[str], cause: str) -> None:
    dialer = Dialer(["/a"])
    dialer.receive_data(b"".join(map(serialize, lines)), 0.0)
    assert dialer.next_event() == NegotiationFailed(cause)


def test_a_listener_answers_so_many_proposals_and_no_more() -> None:
    listener = Listener(lambda _: False)
    listener.receive_data(HEADER_LINE + serialize("/x") * (MAX_PROPOSALS - 1), 0.0)
    assert listener.next_event() is None
    listener.receive_data(serialize("/x"), 0.0)
    assert listener.next_event() == NegotiationFailed("32 proposals, none of which is spoken here")
    assert listener.data_to_send() == HEADER_LINE + serialize("na") * (MAX_PROPOSALS - 1)


def test_a_listing_is_not_given() -> None:
    listener = Listener({"/a"}.__contains__)
    listener.receive_data(HEADER_LINE + serialize("ls"), 0.0)
    assert listener.data_to_send() == HEADER_LINE + serialize("na")


@pytest.mark.parametrize(
    "wire", [b"\xff" * 4_096, b"\x80\x09" + b"x" * 4_096], ids=["a length without end", "a giant line"]
)
def test_giants_are_refused_by_their_length(wire: bytes) -> None:
    for machine in (Dialer(["/a"]), Listener({"/a"}.__contains__)):
        machine.receive_data(wire[:3], 0.0)
        assert isinstance(machine.next_event(), NegotiationFailed)


def test_an_end_before_the_agreement_is_a_failure_and_after_it_is_not() -> None:
    dialer = Dialer(["/a"])
    dialer.receive_eof(0.0)
    assert isinstance(dialer.next_event(), NegotiationFailed)
    dialer = Dialer(["/a"])
    dialer.receive_data(HEADER_LINE + serialize("/a"), 0.0)
    dialer.receive_eof(0.0)
    assert dialer.next_event() == Agreed("/a")
    assert dialer.next_event() is None


def test_nothing_to_propose_is_the_callers_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        Dialer([])


VALID = [HEADER_LINE, serialize("/a"), serialize("/b"), serialize("na"), HEADER_LINE + serialize("/b")]


def test_the_dialer_keeps_the_laws_of_machines() -> None:
    check_stream_machine(Subject(lambda now, random: Dialer(["/a", "/b"]), valid=VALID))


def test_the_listener_keeps_the_laws_of_machines() -> None:
    check_stream_machine(Subject(lambda now, random: Listener({"/b"}.__contains__), valid=VALID))
