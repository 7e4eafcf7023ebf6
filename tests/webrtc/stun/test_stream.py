"""Messages on a stream, however it is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.stun.vectors import ALL, REQUEST
from zwerm.webrtc.stun.stream import MessageStream

CHANNEL_DATA = bytes.fromhex("4001 0005 68656c6c6f")
MESSAGES = [*ALL.values(), CHANNEL_DATA, REQUEST]
STREAM = b"".join(message + bytes(-len(message) % 4) for message in MESSAGES)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_messages_come_out_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream, found = MessageStream(), []
    places = [0, *sorted(cuts), len(STREAM)]
    for start, end in itertools.pairwise(places):
        found += stream.receive_untrusted(STREAM[start:end])
    assert found == MESSAGES
    assert stream.waiting == 0


def test_messages_come_out_byte_by_byte() -> None:
    stream = MessageStream()
    assert [message for byte in STREAM for message in stream.receive_untrusted(bytes((byte,)))] == MESSAGES


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02", b"\x00\x01\x00\x03", b"\x00\x01\x00\x00\x21\x12\xa4\x43", b"\x80" * 4],
    ids=["TLS", "length", "cookie", "version bits"],
)
def test_what_is_no_message_ends_the_stream(data: bytes) -> None:
    stream = MessageStream()
    assert stream.receive_untrusted(REQUEST + data) == [REQUEST]
    assert stream.failure is not None
    assert stream.receive_untrusted(REQUEST) == []
    assert stream.waiting == 0


def test_a_message_over_the_limit_is_refused_before_it_is_collected() -> None:
    stream = MessageStream(limit=len(REQUEST))
    assert stream.receive_untrusted(REQUEST) == [REQUEST]
    assert stream.receive_untrusted(b"\x40\x01\xff\xff") == []
    assert stream.failure == "message of 65540 bytes on a stream, the limit is 108"
