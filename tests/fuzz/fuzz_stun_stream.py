"""A stream is refused with WireError, or gives the same messages however it is cut."""

from tests.webrtc.stun.test_stream import MESSAGES, STREAM
from zwerm.core.errors import WireError
from zwerm.webrtc.stun.stream import MessageStream

SEEDS = [STREAM, *MESSAGES]


def fuzz(data: bytes) -> None:
    try:
        whole = MessageStream().receive_untrusted(data)
    except WireError:
        return
    stream, found = MessageStream(), []
    for position in range(0, len(data), 7):
        found += stream.receive_untrusted(data[position : position + 7])
    assert found == whole
    assert sum(map(len, found)) + stream.waiting <= len(data)
