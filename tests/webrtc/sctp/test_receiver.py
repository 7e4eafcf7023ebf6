"""DATA in, messages and SACKs out: what is taken, what comes again, what the window says."""

from __future__ import annotations

import struct
from collections import deque

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn, Skipped
from zwerm.webrtc.sctp.codes import BEGIN, END, IMMEDIATE
from zwerm.webrtc.sctp.config import Config
from zwerm.webrtc.sctp.events import Event, MessageReceived
from zwerm.webrtc.sctp.receiver import Receiver

FIRST = 1_000
WINDOW = 10_000
WHOLE = BEGIN | END


class Bench:
    """A receiver, and what it told."""

    def __init__(self, **options: int) -> None:
        self.events: deque[Event] = deque()
        config = Config(receive_window=WINDOW, **options)  # type: ignore[arg-type]
        self.receiver = Receiver(config, FIRST, 16, self.events, has_interleaving=False)

    def take(self, tsn: int, payload: bytes, flags: int = WHOLE, *, stream: int = 0, ssn: int = 0) -> bool:
        """One packet of one chunk; return whether it held data."""
        chunk = struct.pack("!BBHIHHI", 0, flags, 16 + len(payload), FIRST + tsn, stream, ssn, 53) + payload
        self.receiver.data(chunk, 0, len(chunk), flags)
        return self.receiver.packet_ended(1.0)

    def told(self) -> list[bytes]:
        return [event.data for event in self.events if isinstance(event, MessageReceived)]


def test_a_message_is_told_and_its_bytes_shut_the_window_until_they_are_taken() -> None:
    bench = Bench()
    assert bench.take(0, bytes(4_000))
    assert bench.told() == [bytes(4_000)]
    assert bench.receiver.window == WINDOW - 4_000
    bench.receiver.taken(4_000, 1.0)
    assert bench.receiver.window == WINDOW


def test_a_chunk_without_payload_is_malformed() -> None:
    with pytest.raises(WireError):
        Bench().take(0, b"")


def test_a_duplicate_is_told_once_and_reported() -> None:
    bench = Bench()
    bench.take(0, b"x")
    bench.take(0, b"x")
    assert bench.told() == [b"x"]
    assert bench.receiver.queue.is_due


def test_a_number_beyond_what_a_sack_can_name_is_dropped() -> None:
    bench = Bench()
    bench.take(70_000, b"x")
    assert not bench.receiver.queue.has_holes


def test_beyond_the_window_only_what_is_next_is_taken() -> None:
    bench = Bench()
    bench.take(1, bytes(9_000), ssn=1)
    bench.take(2, bytes(2_000), ssn=2)
    assert bench.receiver.queue.is_new(FIRST + 2)  # it will come again
    bench.take(0, bytes(2_000))
    assert len(bench.told()) == 2


def test_a_reader_who_is_behind_is_offered_for_less_and_told_of_when_he_has_read() -> None:
    bench = Bench()
    bench.receiver.read(9_000, 1.0)
    assert bench.receiver.window == 1_000
    bench.receiver.read(0, 2.0)
    assert bench.receiver.window == WINDOW
    assert bench.receiver.queue.due_at == 2.0


def test_events_that_nobody_takes_hold_the_peer_back() -> None:
    bench = Bench(max_events=2)
    for number in range(4):
        bench.take(number, b"x", ssn=number)
    assert len(bench.told()) == 2
    assert bench.receiver.queue.cumulative == FIRST + 1


def test_a_stream_that_is_not_ours_is_noted_and_its_number_counts() -> None:
    bench = Bench()
    bench.take(0, b"x", stream=99)
    assert bench.receiver.invalid_streams == [99]
    assert bench.told() == []
    assert bench.receiver.queue.cumulative == FIRST


def test_the_immediate_flag_makes_a_sack_due() -> None:
    bench = Bench()
    bench.take(0, b"x", WHOLE | IMMEDIATE)
    assert bench.receiver.queue.is_due


def test_what_the_peer_gave_up_is_passed_over() -> None:
    bench = Bench()
    bench.take(0, b"begun", BEGIN)
    bench.take(3, b"next", ssn=1)
    bench.receiver.forward(ForwardTsn(FIRST + 2, (Skipped(0, 0, False),)))  # noqa: FBT003
    assert bench.told() == [b"next"]
    assert bench.receiver.queue.cumulative == FIRST + 3
    assert bench.receiver.window == WINDOW - 4


def test_an_old_forward_tsn_only_asks_for_a_sack() -> None:
    bench = Bench()
    bench.take(0, b"x")
    bench.receiver.forward(ForwardTsn(FIRST - 5, ()))
    assert bench.receiver.queue.cumulative == FIRST
    assert bench.receiver.queue.is_due


def test_a_packet_without_data_owes_no_sack() -> None:
    bench = Bench()
    assert not bench.receiver.packet_ended(1.0)
    assert not bench.receiver.queue.is_owed
