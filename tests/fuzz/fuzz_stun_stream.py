"""A stream gives the same messages, and the same end, however it is cut."""

from tests.webrtc.stun.test_stream import MESSAGES, STREAM
from zwerm.webrtc.stun.stream import MessageStream

SEEDS = [STREAM, *MESSAGES]


def fuzz(data: bytes) -> None:
    whole, stream = MessageStream(), MessageStream()
    messages, found = whole.receive_untrusted(data), []
    for position in range(0, len(data), 7):
        found += stream.receive_untrusted(data[position : position + 7])
    assert found == messages
    assert stream.failure == whole.failure
    assert sum(map(len, found)) + stream.waiting <= len(data)
