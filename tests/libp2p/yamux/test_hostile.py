"""What a peer can do to a session, and where it stops. Each test fails when its limit is taken away."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.yamux.two import Two, data, events, frame, server, syn, update
from zwerm.core.errors import ResourceLimitError
from zwerm.libp2p.yamux.event import OpenPossible, SessionEnded, StreamAborted, StreamOpened
from zwerm.libp2p.yamux.frame import INITIAL_WINDOW, MAX_STREAM_ID, Flag, FrameType, Reason

GO_AWAY = frame(FrameType.GO_AWAY, 0, 0, Reason.PROTOCOL_ERROR)
OPEN = syn(1)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"\1" + bytes(11), "yamux version 1, expected 0"),
        (syn(0), "yamux stream frame for stream 0"),
        (data(0, b"x"), "yamux stream frame for stream 0"),
        (syn(2), "yamux stream 2 opened by the peer, which has the other numbers"),
        (OPEN + OPEN, "yamux stream 1 opened twice"),
        (frame(FrameType.PING, Flag.SYN, 1, 0), "yamux PING for stream 1, expected 0"),
        (frame(FrameType.GO_AWAY, 0, 3, 0), "yamux GO_AWAY for stream 3, expected 0"),
        (
            OPEN + frame(FrameType.DATA, 0, 1, INITIAL_WINDOW + 1),
            "yamux frame of 262145 bytes for stream 1, its window is 262144",
        ),
        (
            OPEN + data(1, bytes(INITIAL_WINDOW)) + data(1, b"x"),
            "yamux frame of 1 bytes for stream 1, its window is 0",
        ),
        (OPEN + frame(FrameType.DATA, 0, 1, 2**32 - 1), "yamux frame of 4294967295 bytes for stream 1"),
        (frame(FrameType.DATA, 0, 7, 2**32 - 1), "yamux frame of 4294967295 bytes for a stream that is not open"),
        (OPEN + update(1, 0, 2**32 - 1), "yamux window of 4295229439 bytes for stream 1"),
        (OPEN + update(1, Flag.FIN) + data(1, b"x"), "yamux data for stream 1 behind its end"),
    ],
    ids=[
        "version",
        "stream 0",
        "data for stream 0",
        "our numbers",
        "opened twice",
        "ping on a stream",
        "leaving a stream",
        "over the window",
        "over what is left of it",
        "giant",
        "giant for nobody",
        "window without end",
        "behind the end",
    ],
)
def test_a_peer_that_breaks_the_protocol_ends_the_session(wire: bytes, reason: str) -> None:
    session = server()
    session.receive_data(wire, 0.0)
    assert session.is_over
    ended = events(session)[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.cause.startswith(reason)
    assert session.data_to_send().endswith(GO_AWAY)
    assert session.stream_ids == ()
    session.receive_data(OPEN, 0.0)
    session.handle_timeout(1e6)
    assert events(session) == []
    assert session.data_to_send() == b""
    assert session.next_timeout() is None


def test_streams_over_the_limit_are_refused_and_the_others_live() -> None:
    session = server(max_inbound_streams=3)
    opening = b"".join(syn(1 + 2 * number) + data(1 + 2 * number, b"x") for number in range(5))
    session.receive_data(opening, 0.0)
    assert session.stream_ids == (1, 3, 5)
    said = session.data_to_send()
    assert said == b"".join(update(i, Flag.ACK) for i in (1, 3, 5)) + update(7, Flag.RST) + update(9, Flag.RST)
    events(session)
    session.reset(3)
    session.receive_data(syn(11), 0.0)
    assert events(session) == [StreamOpened(11)]


def test_streams_that_are_opened_and_reset_at_once_count_until_somebody_looked() -> None:
    session = server(max_inbound_streams=10)
    session.receive_data(b"".join(syn(i) + update(i, Flag.RST) for i in range(1, 2_001, 2)), 0.0)
    assert len(events(session)) <= 42
    session.receive_data(syn(3_001), 0.0)
    assert events(session) == [StreamOpened(3_001)]


@pytest.mark.parametrize(
    "asked",
    [frame(FrameType.PING, Flag.SYN, 0, 1), syn(1) + update(1, Flag.RST)],
    ids=["pings", "streams"],
)
def test_a_peer_that_asks_and_does_not_read_is_left(asked: bytes) -> None:
    session = server(max_control=1_200)
    for _ in range(200):
        session.receive_data(asked, 0.0)
        while session.next_event():
            if session.is_over:
                break
    assert session.is_over
    assert len(session.data_to_send()) <= 1_200 + 24


def test_a_peer_that_reads_may_ask_as_often_as_it_likes() -> None:
    session = server(max_control=1_200)
    for _ in range(1_000):
        session.receive_data(frame(FrameType.PING, Flag.SYN, 0, 1), 0.0)
        session.data_to_send()
    assert not session.is_over


def test_what_is_unread_in_all_streams_together_has_a_limit() -> None:
    session = server(max_unread=1_000_000)
    session.receive_data(b"".join(syn(i) + data(i, bytes(200_000)) for i in (1, 3, 5, 7, 9)), 0.0)
    events(session)
    session.receive_data(data(1, b"x" * 10) + data(3, b"y"), 0.0)
    assert events(session) == [
        StreamAborted(1, "1000010 bytes received and not read, the limit is 1000000", is_excess=True),
    ]
    assert not session.is_over
    assert session.stream_ids == (3, 5, 7, 9)
    assert session._unread == 800_001


def test_memory_stays_within_what_the_windows_allow() -> None:
    session = server(max_unread=100_000)
    frames = data(1, b"xx") * 1_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        session.receive_data(OPEN, 0.0)
        for _ in range(50):
            session.receive_data(frames, 0.0)
        session.data_to_send()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert session._unread == 100_000
    assert after - before < 150_000


def test_a_window_update_flood_costs_nothing() -> None:
    session = server()
    session.receive_data(OPEN + update(1, 0, 1) * 10_000, 0.0)
    session.data_to_send()
    assert not session.is_over
    assert session._streams[1].send_window == INITIAL_WINDOW + 10_000


def test_we_open_no_more_streams_than_the_peer_takes() -> None:
    two = Two(max_unacknowledged=4)
    for _ in range(4):
        two.client.open_stream(0.0)
    with pytest.raises(ResourceLimitError, match="5 streams that the peer has not taken, the limit is 4"):
        two.client.open_stream(0.0)
    two.settle()
    assert events(two.client) == [OpenPossible()]
    two.client.open_stream(0.0)


def test_streams_of_ours_that_the_peer_refuses_count_no_more() -> None:
    two = Two(max_unacknowledged=2)
    two.client.open_stream(0.0)
    two.client.open_stream(0.0)
    two.client.receive_data(update(1, Flag.RST), 0.0)
    two.client.reset(3)
    assert two.client._unacknowledged == 0
    two.client.open_stream(0.0)


def test_we_open_no_more_streams_than_our_limit() -> None:
    two = Two(max_outbound_streams=2)
    one = two.open()
    two.open()
    with pytest.raises(ResourceLimitError, match="3 open streams, the limit is 2"):
        two.client.open_stream(0.0)
    two.client.reset(one)
    two.open()


def test_numbers_of_streams_end_before_they_repeat() -> None:
    client = Two().client
    client._next_id = MAX_STREAM_ID
    assert client.open_stream(0.0) == MAX_STREAM_ID
    with pytest.raises(ResourceLimitError):
        client.open_stream(0.0)


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([OPEN, data(1, b"x"), update(1, Flag.FIN)]))))
def test_nothing_that_comes_raises(pieces: list[bytes]) -> None:
    session = server()
    for piece in pieces:
        session.receive_data(piece, 0.0)
        session.read(1, 10, 0.0)
        session.data_to_send()
    session.receive_eof(0.0)
    assert session.is_over
