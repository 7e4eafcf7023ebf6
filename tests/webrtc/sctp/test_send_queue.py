"""Messages by stream: which goes next, in which pieces, and what of it is given up."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.sctp.codes import BEGIN, END, UNORDERED
from zwerm.webrtc.sctp.events import BufferedAmountLow
from zwerm.webrtc.sctp.message import NOT_STARTED, OutgoingMessage, SentChunk
from zwerm.webrtc.sctp.send_queue import SendQueue

NEVER = float("inf")


def message(
    stream_id: int, data: bytes, *, unordered: bool = False, expires: float = NEVER, ended: bool = True
) -> OutgoingMessage:
    return OutgoingMessage(stream_id, 53, data, unordered, -1, expires, ended)


def queue_of(*messages: OutgoingMessage, interleaving: bool = False) -> SendQueue:
    queue = SendQueue()
    queue.has_interleaving = interleaving
    for one in messages:
        queue.put(one)
    return queue


def pieces(queue: SendQueue, room: int = 1_000, now: float = 0.0) -> list[SentChunk]:
    taken = []
    while (chunk := queue.produce(room, now, is_fresh=True)) is not None:
        taken.append(chunk)
    return taken


def test_a_message_is_cut_into_pieces_with_its_ends_marked() -> None:
    queue = queue_of(message(1, bytes(2_500)))
    chunks = pieces(queue)
    assert [(chunk.start, chunk.size, chunk.flags, chunk.fsn) for chunk in chunks] == [
        (0, 1_000, BEGIN, 0),
        (1_000, 1_000, 0, 1),
        (2_000, 500, END, 2),
    ]
    assert (queue.buffered, queue.messages) == (0, 0)


def test_a_message_is_not_cut_to_fill_a_small_rest_of_a_packet() -> None:
    queue = queue_of(message(1, bytes(600)))
    assert queue.produce(500, 0.0, is_fresh=False) is None
    chunk = queue.produce(600, 0.0, is_fresh=False)
    assert chunk is not None
    assert chunk.size == 600


def test_messages_of_a_stream_are_numbered_and_unordered_ones_are_not_counted_with_them() -> None:
    chunks = pieces(queue_of(message(1, b"a"), message(1, b"u", unordered=True), message(1, b"b")))
    assert [chunk.message.number for chunk in chunks] == [0, 1, 1]
    assert [chunk.flags & UNORDERED != 0 for chunk in chunks] == [False, True, False]


def test_without_interleaving_a_message_that_has_begun_goes_on_to_its_end() -> None:
    chunks = pieces(queue_of(message(1, bytes(2_000)), message(2, bytes(2_000))))
    assert [chunk.message.stream_id for chunk in chunks] == [1, 1, 2, 2]


def test_with_interleaving_streams_take_turns() -> None:
    chunks = pieces(queue_of(message(1, bytes(2_000)), message(2, bytes(2_000)), interleaving=True))
    assert [chunk.message.stream_id for chunk in chunks] == [1, 2, 1, 2]


def test_a_stream_of_twice_the_weight_sends_twice_as_much() -> None:
    queue = queue_of(interleaving=True)
    queue.stream(1).weight, queue.stream(2).weight = 512.0, 256.0
    for stream_id in (1, 2):
        queue.put(message(stream_id, bytes(30_000)))
    first = [queue.produce(1_000, 0.0, is_fresh=True) for _ in range(30)]
    heavy = sum(chunk is not None and chunk.message.stream_id == 1 for chunk in first)
    assert 19 <= heavy <= 21


def test_what_expired_before_it_began_is_dropped_without_a_trace() -> None:
    stale = message(1, bytes(100), expires=1.0)
    queue = queue_of(stale, message(1, b"fresh"))
    assert [chunk.message.data for chunk in pieces(queue, now=2.0)] == [b""]  # given whole to its chunk
    assert stale.is_abandoned
    assert stale.number == NOT_STARTED
    assert queue.expired == []


def test_what_expires_after_it_began_is_cut_short_where_the_peer_can_be_told() -> None:
    late = message(1, bytes(3_000), expires=1.0)
    queue = queue_of(late)
    queue.may_abandon = True
    assert queue.produce(1_000, 0.0, is_fresh=True) is not None
    assert queue.produce(1_000, 2.0, is_fresh=True) is None
    assert queue.expired == [late]
    assert (queue.buffered, queue.messages) == (0, 0)


def test_falling_to_the_threshold_is_told_once() -> None:
    queue = queue_of()
    queue.stream(1).threshold = 1_000
    queue.put(message(1, bytes(3_000)))
    pieces(queue)
    assert queue.take_low() == [BufferedAmountLow(1)]
    assert queue.take_low() == []


def test_parts_follow_until_the_last() -> None:
    growing = message(1, b"", ended=False)
    queue = queue_of(growing)
    assert pieces(queue) == []
    queue.append(growing, b"one", is_last=False)
    queue.append(growing, b"two", is_last=True)
    chunks = pieces(queue)
    assert [chunk.data[chunk.start : chunk.start + chunk.size] for chunk in chunks] == [b"one", b"two"]
    assert [chunk.flags for chunk in chunks] == [BEGIN, END]
    with pytest.raises(LocalProtocolError):
        queue.append(growing, b"more", is_last=True)


def test_an_end_needs_a_byte_to_travel_with() -> None:
    growing = message(1, b"", ended=False)
    queue = queue_of(growing)
    with pytest.raises(LocalProtocolError):
        queue.append(growing, b"", is_last=True)


def test_a_stream_is_forgotten_only_when_it_is_empty() -> None:
    queue = queue_of(message(1, b"x"))
    queue.forget(1)
    assert queue.find(1) is not None
    pieces(queue)
    assert queue.is_drained(1)
    queue.forget(1)
    assert queue.find(1) is None
