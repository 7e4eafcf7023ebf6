"""Fragments to messages, and messages into their order."""

from __future__ import annotations

import itertools
from collections import deque

import pytest

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError
from zwerm.webrtc.sctp.codes import BEGIN, END, UNORDERED
from zwerm.webrtc.sctp.events import Event, MessageReceived
from zwerm.webrtc.sctp.reassembly import Reassembly

MIDDLE = 0


class Bench:
    """A reassembly, and what it told."""

    def __init__(self, *, interleaving: bool = False, max_size: int = 1_000, partial: int = 4, fragments: int = 8):
        self.events: deque[Event] = deque()
        self.reassembly = Reassembly(self.events, max_size, partial, fragments, has_interleaving=interleaving)

    def data(self, tsn: int, flags: int, payload: bytes, *, stream: int = 1, ssn: int = 0) -> None:
        self.reassembly.data(tsn, flags, stream, ssn, 53, payload)

    def piece(self, mid: int, fsn: int, flags: int, payload: bytes, *, stream: int = 1) -> None:
        self.reassembly.interleaved(flags, stream, mid, 53 if flags & BEGIN else fsn, payload)

    def told(self) -> list[bytes]:
        taken = [event.data for event in self.events if isinstance(event, MessageReceived)]
        self.reassembly.taken(sum(map(len, taken)))
        self.events.clear()
        return taken


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_fragments_make_their_message_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    bench = Bench()
    flags = (BEGIN, MIDDLE, MIDDLE, END)
    for index in order:
        bench.data(10 + index, flags[index], b"abcd"[index : index + 1])
    assert bench.told() == [b"abcd"]
    assert bench.reassembly.buffered == 0
    assert bench.reassembly.has_room(is_next=False)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_interleaved_fragments_do_so_too(order: tuple[int, ...]) -> None:
    bench = Bench(interleaving=True)
    flags = (BEGIN, MIDDLE, MIDDLE, END)
    for index in order:
        bench.piece(0, index, flags[index], b"abcd"[index : index + 1])
    assert bench.told() == [b"abcd"]
    assert bench.reassembly.buffered == 0


def test_messages_of_two_streams_interleave() -> None:
    bench = Bench(interleaving=True)
    bench.piece(0, 0, BEGIN, b"a", stream=1)
    bench.piece(0, 0, BEGIN, b"x", stream=2)
    bench.piece(0, 1, END, b"b", stream=1)
    bench.piece(0, 1, END, b"y", stream=2)
    assert bench.told() == [b"ab", b"xy"]


def test_a_message_waits_for_the_one_before_it_and_an_unordered_one_does_not() -> None:
    bench = Bench()
    bench.data(11, BEGIN | END, b"second", ssn=1)
    assert bench.told() == []
    bench.data(12, BEGIN | END | UNORDERED, b"unordered", ssn=0)
    assert bench.told() == [b"unordered"]
    bench.data(10, BEGIN | END, b"first", ssn=0)
    assert bench.told() == [b"first", b"second"]


def test_numbers_of_messages_go_round() -> None:
    bench = Bench()
    bench.reassembly.skip_messages({(1, False): 0x7FFE})
    bench.reassembly.skip_messages({(1, False): 0xFFFD})
    bench.reassembly.skip_messages({(1, False): 0xFFFE})
    bench.data(10, BEGIN | END, b"last", ssn=0xFFFF)
    bench.data(11, BEGIN | END, b"first", ssn=0)
    assert bench.told() == [b"last", b"first"]


def test_a_fragment_of_another_stream_inside_a_message_is_a_breach() -> None:
    bench = Bench()
    bench.data(10, BEGIN, b"a", stream=1)
    with pytest.raises(RemoteProtocolError):
        bench.data(11, END, b"b", stream=2)


def test_a_message_longer_than_we_take_is_a_breach() -> None:
    bench = Bench(max_size=10)
    bench.data(10, BEGIN, bytes(6))
    with pytest.raises(RemoteProtocolError):
        bench.data(11, MIDDLE, bytes(6))


def test_two_messages_of_one_number_are_a_breach() -> None:
    bench = Bench()
    bench.data(10, BEGIN | END, b"a", ssn=3)
    with pytest.raises(RemoteProtocolError):
        bench.data(11, BEGIN | END, b"b", ssn=3)


def test_an_interleaved_fragment_twice_is_a_breach() -> None:
    bench = Bench(interleaving=True)
    bench.piece(0, 2, MIDDLE, b"c")
    with pytest.raises(RemoteProtocolError):
        bench.piece(0, 2, MIDDLE, b"c")


def test_more_messages_begun_than_we_hold_exceed_a_limit() -> None:
    bench = Bench(interleaving=True, partial=4)
    for stream in range(4):
        bench.piece(0, 0, BEGIN, b"x", stream=stream)
    with pytest.raises(ResourceLimitError):
        bench.piece(0, 0, BEGIN, b"x", stream=4)


def test_fragments_out_of_turn_fill_the_room() -> None:
    bench = Bench(fragments=3)
    for tsn in (20, 22, 24):
        assert bench.reassembly.has_room(is_next=False)
        bench.data(tsn, MIDDLE, b"x")
    assert not bench.reassembly.has_room(is_next=False)
    assert bench.reassembly.has_room(is_next=True)


def test_what_was_given_up_is_dropped_with_its_fragments() -> None:
    bench = Bench()
    bench.data(10, BEGIN, b"a")
    bench.data(12, MIDDLE, b"c")
    bench.reassembly.skip_tsns(10, 13)
    bench.reassembly.skip_messages({(1, False): 0})
    assert bench.reassembly.buffered == 0
    bench.data(14, BEGIN | END, b"next", ssn=1)
    assert bench.told() == [b"next"]


def test_whole_messages_before_the_skipped_one_are_delivered() -> None:
    bench = Bench()
    bench.data(12, BEGIN | END, b"two", ssn=2)
    bench.data(14, BEGIN | END, b"four", ssn=4)
    bench.reassembly.skip_messages({(1, False): 3})
    assert bench.told() == [b"two", b"four"]


def test_interleaved_messages_that_were_skipped_take_no_late_fragment() -> None:
    bench = Bench(interleaving=True)
    bench.piece(0, 0, BEGIN, b"a")
    bench.reassembly.skip_messages({(1, False): 0})
    bench.piece(0, 1, END, b"b")
    assert bench.told() == []
    assert bench.reassembly.buffered == 0


def test_a_reset_stream_counts_from_zero() -> None:
    bench = Bench()
    bench.data(10, BEGIN | END, b"a", ssn=0)
    bench.data(12, BEGIN | END, b"waits", ssn=2)
    bench.told()
    bench.reassembly.reset((1,))
    bench.data(13, BEGIN | END, b"anew", ssn=0)
    assert bench.told() == [b"anew"]
    assert bench.reassembly.buffered == 0


def test_what_grows_is_counted_by_itself() -> None:
    bench = Bench()
    bench.data(10, BEGIN, bytes(100))
    bench.data(11, MIDDLE, bytes(50))
    assert (bench.reassembly.growing, bench.reassembly.buffered) == (150, 150)
