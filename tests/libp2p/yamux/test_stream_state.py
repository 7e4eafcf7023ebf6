"""What waits on a stream: pieces kept and joined, credit, and windows that grow."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.libp2p.yamux.frame import INITIAL_WINDOW
from zwerm.libp2p.yamux.stream_state import StreamState

HALF = INITIAL_WINDOW // 2


def stream() -> StreamState:
    return StreamState(1, 0.0, is_acknowledged=True)


@given(st.lists(st.integers(1, 5_000), max_size=30), st.lists(st.integers(1, 9_000), min_size=1, max_size=30))
def test_what_came_is_read_in_order_whatever_the_sizes(pieces: list[int], limits: list[int]) -> None:
    one, written, read = stream(), b"", b""
    for index, size in enumerate(pieces):
        piece = bytes([index % 256]) * size
        one.deliver(memoryview(piece))
        written += piece
        taken = one.take(limits[index % len(limits)])
        assert type(taken) is bytes
        assert 0 < len(taken) <= limits[index % len(limits)]
        read += taken
    while taken := one.take(limits[0]):
        read += taken
    assert read == written
    assert one.unread_size == 0
    assert not one.unread


@given(st.lists(st.integers(1, 5_000), max_size=30), st.integers(1, 20_000))
def test_pieces_are_what_reading_until_the_limit_would_give(sizes: list[int], limit: int) -> None:
    one, other = stream(), stream()
    for index, size in enumerate(sizes):
        one.deliver(memoryview(bytes([index]) * size))
        other.deliver(memoryview(bytes([index]) * size))
    read, left = [], limit
    while left and (data := other.take(left)):
        read.append(data)
        left -= len(data)
    assert one.take_pieces(limit) == read
    assert one.unread_size == other.unread_size == sum(sizes) - (limit - left)


def test_a_whole_piece_is_handed_out_as_it_is_kept() -> None:
    one = stream()
    one.deliver(memoryview(b"x" * 60_000))
    kept = one.unread[0]
    assert one.take(65_536) is kept


def test_most_of_an_immutable_object_is_kept_uncopied_and_a_small_part_of_one_is_copied() -> None:
    one, record = stream(), b"h" * 12 + b"x" * 60_000
    one.deliver(memoryview(record)[12:])
    one.deliver(memoryview(record)[:2_000])
    whole, part = one.take_pieces(100_000)
    assert isinstance(whole, memoryview)
    assert whole.obj is record
    assert (whole, part) == (record[12:], record[:2_000])
    assert isinstance(part, bytes)
    assert one.unread_size == 0


def test_what_may_change_is_copied() -> None:
    one, buffer = stream(), bytearray(b"x" * 60_000)
    one.deliver(memoryview(buffer))
    buffer[:] = bytes(60_000)
    assert one.take_pieces(100_000) == [b"x" * 60_000]


def test_a_window_of_single_bytes_takes_little_more_than_a_window() -> None:
    one = stream()
    for _ in range(INITIAL_WINDOW):
        one.deliver(memoryview(b"x"))
    assert sum(map(sys.getsizeof, one.unread)) < 1.3 * INITIAL_WINDOW
    assert one.take(4) == b"xxxx"
    assert len(one.unread) < 20


def test_single_bytes_are_read_off_a_large_piece_without_copying_it() -> None:
    one = stream()
    one.deliver(memoryview(bytes(range(256)) * 256))
    assert b"".join(one.take(1) for _ in range(3)) == b"\0\1\2"
    assert isinstance(one.unread[0], memoryview)
    one.deliver(memoryview(b"end"))
    assert one.take(1 << 20) == bytes(range(256))[3:] + bytes(range(256)) * 255
    assert one.take(1 << 20) == b"end"


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=10), st.lists(st.integers(1, 60)))
def test_what_is_to_be_sent_is_cut_as_frames_need_it(written: list[bytes], sizes: list[int]) -> None:
    one, out = stream(), b""
    one.outgoing.extend(written)
    one.pending = sum(map(len, written))
    for size in sizes:
        part = min(size, one.pending)
        if part:
            taken = b"".join(one.take_outgoing(part))
            assert len(taken) == part
            out += taken
    while one.pending:
        out += b"".join(one.take_outgoing(one.pending))
    assert out == b"".join(written)


@pytest.mark.parametrize(
    ("left", "unread", "due"),
    [(INITIAL_WINDOW, 0, 0), (HALF + 1, 0, 0), (HALF, 0, HALF), (HALF, 1, 0), (0, 0, INITIAL_WINDOW), (0, HALF, HALF)],
    ids=["fresh", "a byte early", "half used", "half used, a byte unread", "used up", "used up, half unread"],
)
def test_credit_is_due_once_half_a_window_was_read(left: int, unread: int, due: int) -> None:
    one = stream()
    one.receive_window, one.unread_size = left, unread
    assert one.credit_due() == due
    one.has_ended = True
    assert one.credit_due() == 0


@pytest.mark.parametrize(
    ("now", "rtt", "limit", "room", "growth"),
    [
        (0.39, 0.1, 1 << 24, 1 << 24, INITIAL_WINDOW),
        (0.40, 0.1, 1 << 24, 1 << 24, 0),
        (0.0039, 0.000_05, 1 << 24, 1 << 24, INITIAL_WINDOW),
        (0.004, 0.000_05, 1 << 24, 1 << 24, 0),
        (0.0, None, 1 << 24, 1 << 24, 0),
        (0.0, 0.1, INITIAL_WINDOW + 5, 1 << 24, 5),
        (0.0, 0.1, 1 << 24, 7, 7),
        (0.0, 0.1, INITIAL_WINDOW, 1 << 24, 0),
    ],
    ids=[
        "faster than four round trips",
        "slower",
        "faster than processes take turns",
        "slower than they do",
        "no round trip",
        "its limit",
        "the limit of all",
        "full grown",
    ],
)
def test_a_window_doubles_while_half_of_it_does_not_last(
    now: float, rtt: float | None, limit: int, room: int, growth: int
) -> None:
    assert stream().growth(now, rtt, limit, room) == growth
