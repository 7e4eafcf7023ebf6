"""The order in which frames go out: answers, credit, and data in turns."""

from tests.libp2p.yamux.two import data, update
from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.frame import INITIAL_WINDOW, Flag, FrameType
from zwerm.libp2p.yamux.send_queue import SendQueue
from zwerm.libp2p.yamux.stream_state import StreamState


def stream(stream_id: int, *chunks: bytes) -> StreamState:
    one = StreamState(stream_id, 0.0, is_acknowledged=True)
    one.outgoing.extend(chunks)
    one.pending = sum(map(len, chunks))
    return one


def taken(queue: SendQueue, limit: int = 1 << 30) -> bytes:
    return b"".join(queue.take(limit))


def test_answers_and_credit_go_before_data() -> None:
    queue = SendQueue(Config())
    queue.wake(stream(1, b"data"))
    queue.add_credit(3, 10)
    queue.add_credit(3, 5)
    queue.put(FrameType.WINDOW_UPDATE, Flag.ACK, 2)
    assert taken(queue) == update(2, Flag.ACK) + update(3, 0, 15) + data(1, b"data")
    assert taken(queue) == b""


def test_streams_take_turns_of_one_frame() -> None:
    queue = SendQueue(Config(max_payload=10))
    for stream_id in (1, 3, 5):
        queue.wake(stream(stream_id, bytes([stream_id]) * 15))
    frames = [data(i, bytes([i]) * 10) for i in (1, 3, 5)] + [data(i, bytes([i]) * 5) for i in (1, 3, 5)]
    assert taken(queue) == b"".join(frames)


def test_a_small_stream_waits_for_one_frame_of_a_large_one() -> None:
    queue = SendQueue(Config(max_payload=10))
    queue.wake(stream(1, bytes(1_000)))
    assert taken(queue, 1) == data(1, bytes(10))
    queue.wake(stream(3, b"small"))
    assert taken(queue, 30) == data(1, bytes(10)) + data(3, b"small")


def test_chunks_of_one_stream_share_frames() -> None:
    queue = SendQueue(Config(max_payload=8))
    queue.wake(stream(1, b"abc", b"defgh", b"ij"))
    assert taken(queue) == data(1, b"abcdefgh") + data(1, b"ij")


def test_payload_is_not_copied() -> None:
    queue, payload = SendQueue(Config()), bytearray(100_000)
    queue.wake(stream(1, payload))
    views = [chunk for chunk in queue.take(1 << 30) if isinstance(chunk, memoryview)]
    assert sum(map(len, views)) == 100_000
    assert all(view.obj is payload for view in views)


def test_no_more_goes_out_than_the_window_lets_through() -> None:
    queue = SendQueue(Config(max_payload=1 << 20))
    one = stream(1, bytes(INITIAL_WINDOW + 1))
    queue.wake(one)
    assert len(taken(queue)) == 12 + INITIAL_WINDOW
    assert taken(queue) == b""
    assert queue.drained == []
    queue.wake(one)
    assert taken(queue) == b""
    one.send_window += 10
    queue.wake(one)
    assert taken(queue) == data(1, b"\0")
    assert queue.drained == [one]


def test_fin_follows_the_last_byte() -> None:
    queue = SendQueue(Config())
    one = stream(1, b"last")
    queue.wake(one)
    queue.close(one)
    assert not one.is_fin_sent
    assert taken(queue) == data(1, b"last") + update(1, Flag.FIN)
    assert one.is_fin_sent


def test_fin_of_a_stream_with_nothing_pending_goes_at_once() -> None:
    queue = SendQueue(Config())
    queue.close(stream(1))
    assert taken(queue) == update(1, Flag.FIN)


def test_what_is_dropped_is_not_sent() -> None:
    queue = SendQueue(Config())
    one, other = stream(1, b"dropped"), stream(3, b"kept")
    queue.wake(one)
    queue.wake(other)
    queue.add_credit(1, 10)
    queue.drop(one)
    assert taken(queue) == data(3, b"kept")


def test_too_many_answers_are_a_flood() -> None:
    queue = SendQueue(Config(max_control=24))
    for _ in range(2):
        queue.put(FrameType.PING, Flag.ACK, 0)
        assert not queue.is_flooded
    queue.put(FrameType.PING, Flag.ACK, 0)
    assert queue.is_flooded
    assert queue.waiting_control == 36
    taken(queue)
    assert not queue.is_flooded
