"""libp2p specs, "yamux/README.md": streams open, flow, half close and are reset; windows grow and are kept."""

from random import Random

import pytest

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from tests.libp2p.yamux.two import Two, data, events, frame, server, syn, update
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Instant
from zwerm.libp2p.yamux.event import (
    GoneAway,
    SessionEnded,
    StreamAborted,
    StreamDrained,
    StreamEnded,
    StreamOpened,
    StreamReadable,
)
from zwerm.libp2p.yamux.frame import INITIAL_WINDOW, Flag, FrameType, Reason
from zwerm.libp2p.yamux.session import Session


def test_a_stream_carries_bytes_both_ways_and_closes_one_way_at_a_time() -> None:
    two = Two()
    one = two.client.open_stream(0.0)
    two.client.send(one, b"question")
    two.client.close_write(one)
    two.settle()
    assert events(two.server) == [StreamOpened(1), StreamReadable(1), StreamEnded(1)]
    assert two.read(two.server, 1) == b"question"
    two.server.send(1, b"answer")
    two.server.close_write(1)
    two.settle()
    assert two.server.stream_ids == ()
    assert events(two.client) == [StreamDrained(1), StreamReadable(1), StreamEnded(1)]
    assert two.client.stream_ids == (1,)  # until it is read
    assert two.read(two.client, 1) == b"answer"
    assert two.client.stream_ids == ()


def test_the_dialler_has_the_odd_numbers() -> None:
    two = Two()
    assert [two.client.open_stream(0.0) for _ in range(3)] == [1, 3, 5]
    assert [two.server.open_stream(0.0) for _ in range(3)] == [2, 4, 6]
    two.settle()
    assert sorted(two.client.stream_ids) == sorted(two.server.stream_ids) == [1, 2, 3, 4, 5, 6]


def test_data_goes_along_with_the_opening() -> None:
    client = Two().client
    client.send(client.open_stream(0.0), b"at once")
    assert client.data_to_send() == syn(1) + data(1, b"at once")


def test_a_stream_is_taken_before_anything_else_is_said_on_it() -> None:
    session = server()
    session.receive_data(syn(1), 0.0)
    session.send(1, b"hello")
    assert session.data_to_send() == update(1, Flag.ACK) + data(1, b"hello")


def test_flags_may_come_with_data() -> None:
    session = server()
    session.receive_data(data(1, b"all in one", Flag.SYN | Flag.FIN), 0.0)
    assert events(session) == [StreamOpened(1), StreamReadable(1), StreamEnded(1)]
    assert session.read(1, 100, 0.0) == b"all in one"


def test_readable_is_said_once_until_all_was_read() -> None:
    session = server()
    session.receive_data(syn(1) + data(1, b"one") + data(1, b"two"), 0.0)
    assert events(session) == [StreamOpened(1), StreamReadable(1)]
    assert session.read(1, 4, 0.0) == b"onet"
    session.receive_data(data(1, b"x"), 0.0)
    assert events(session) == []
    assert session.read(1, 100, 0.0) == b"wox"
    session.receive_data(data(1, b"more"), 0.0)
    assert events(session) == [StreamReadable(1)]


def test_a_sender_stops_at_the_window_and_goes_on_as_the_reader_reads() -> None:
    two = Two()
    one = two.open()
    two.client.send(one, bytes(INITIAL_WINDOW + 100_000))
    two.settle()
    assert two.client.pending(one) == 100_000
    assert StreamDrained(one) not in events(two.client)
    two.read(two.server, one, INITIAL_WINDOW // 4)
    two.settle()
    assert two.client.pending(one) == 100_000  # credit comes by the half window
    while two.read(two.server, one):
        pass
    two.settle()
    assert two.client.pending(one) == 0
    assert StreamDrained(one) in events(two.client)


def test_reading_pieces_gives_the_credit_of_all_of_them() -> None:
    session = server()
    session.receive_data(syn(1) + data(1, b"a" * 100_000) + data(1, b"b" * 100_000), 0.0)
    session.data_to_send()
    assert session.read_pieces(1, 300_000, 0.0) == [b"a" * 100_000, b"b" * 100_000]
    assert session.data_to_send().endswith(update(1, credit=200_000))
    assert session.read_pieces(1, 300_000, 0.0) == []
    assert session.read_pieces(3, 300_000, 0.0) == []


def test_close_write_waits_for_what_is_pending() -> None:
    two = Two()
    one = two.open()
    two.client.send(one, bytes(INITIAL_WINDOW + 1))
    two.client.close_write(one)
    two.client.close_write(one)
    two.settle()
    assert StreamEnded(one) not in events(two.server)
    with pytest.raises(LocalProtocolError, match="stream 1 is closed for writing"):
        two.client.send(one, b"more")
    size = 0
    while part := two.read(two.server, one):
        size += len(part)
        two.settle()
    assert size == INITIAL_WINDOW + 1
    assert StreamEnded(one) in events(two.server)


def test_a_reset_ends_both_directions_and_forgets_what_waited() -> None:
    two = Two()
    one = two.open()
    two.client.send(one, bytes(INITIAL_WINDOW + 1))
    two.settle()
    events(two.server)
    two.client.reset(one)
    two.client.reset(one)
    two.settle()
    assert events(two.server) == [StreamAborted(one, "the peer reset the stream")]
    assert two.read(two.server, one) == b""
    assert two.client.stream_ids == two.server.stream_ids == ()
    with pytest.raises(LocalProtocolError, match="stream 1 is not open"):
        two.client.send(one, b"late")


def test_a_stream_refused_by_the_peer_says_so() -> None:
    client = Two().client
    client.open_stream(0.0)
    client.receive_data(update(1, Flag.RST), 0.0)
    assert events(client) == [StreamAborted(1, "the peer refused the stream")]


def test_frames_under_way_to_a_stream_that_was_reset_are_passed_over() -> None:
    two = Two()
    one = two.open()
    two.client.reset(one)
    two.client.data_to_send()
    two.client.receive_data(data(one, b"late") + update(one, 0, 7) + update(one, Flag.FIN) + update(one, Flag.RST), 0.0)
    assert events(two.client) == []
    assert not two.client.is_over


def test_a_reset_in_the_middle_of_a_frame_drops_the_rest() -> None:
    session = server()
    whole = syn(1) + data(1, b"0123456789") + syn(3)
    session.receive_data(whole[:-18], 0.0)
    session.reset(1)
    session.receive_data(whole[-18:], 0.0)
    assert events(session) == [StreamOpened(1), StreamReadable(1), StreamOpened(3)]


def test_closing_throws_away_what_still_comes() -> None:
    session = server(linger=60.0)
    session.receive_data(syn(1) + data(1, b"unread"), 0.0)
    session.close(1, 0.0)
    session.close(1, 0.0)
    events(session)
    session.receive_data(data(1, b"more"), 0.0)
    assert events(session) == []
    session.receive_data(update(1, Flag.FIN), 0.0)
    assert session.stream_ids == ()
    assert session.data_to_send() == update(1, Flag.ACK) + update(1, Flag.FIN)


def test_a_stream_that_the_peer_does_not_close_is_reset_in_the_end() -> None:
    session = server(linger=5.0, keep_alive=1_000.0)
    for stream_id, now in ((1, 0.0), (3, 1.0), (5, 2.0)):
        session.receive_data(syn(stream_id), now)
        session.close(stream_id, now)
    session.data_to_send()
    session.receive_data(update(1, Flag.FIN), 2.0)
    session.handle_timeout(5.0)
    assert session.data_to_send() == b""
    assert session.next_timeout() == 6.0
    session.handle_timeout(6.0)
    assert session.data_to_send() == update(3, Flag.RST)
    session.handle_timeout(7.0)
    assert session.data_to_send() == update(5, Flag.RST)
    assert session.stream_ids == ()


def test_a_peer_that_fills_a_window_nobody_reads_is_told() -> None:
    session = server()
    session.receive_data(syn(1), 0.0)
    session.close(1, 0.0)
    session.data_to_send()
    events(session)
    session.receive_data(data(1, bytes(INITIAL_WINDOW - 1)), 0.0)
    assert session.data_to_send() == b""
    session.receive_data(data(1, b"x"), 0.0)
    assert session.data_to_send() == update(1, Flag.RST)
    assert events(session) == [StreamAborted(1, "the peer went on sending on a closed stream")]


def test_leaving_ends_every_stream() -> None:
    two = Two()
    two.open()
    events(two.server)
    two.client.end()
    two.client.end()
    assert two.client.stream_ids == ()
    assert two.client.data_to_send() == frame(FrameType.GO_AWAY, 0, 0, Reason.NORMAL)
    with pytest.raises(LocalProtocolError, match="over"):
        two.client.open_stream(0.0)


def test_a_peer_that_leaves_finishes_its_streams() -> None:
    two = Two()
    one = two.open()
    events(two.client)
    two.client.receive_data(frame(FrameType.GO_AWAY, 0, 0, 0) * 2 + data(one, b"still here"), 0.0)
    assert events(two.client) == [GoneAway(0), StreamReadable(one)]
    assert two.read(two.client, one) == b"still here"
    with pytest.raises(LocalProtocolError, match="takes no more streams"):
        two.client.open_stream(0.0)


def test_the_end_of_the_connection_ends_the_session() -> None:
    session = server()
    session.receive_data(syn(1) + data(1, b"x")[:-1], 0.0)
    events(session)
    session.receive_eof(0.0)
    session.receive_eof(0.0)
    assert events(session) == [SessionEnded("the peer closed the connection within a yamux frame")]
    assert session.stream_ids == ()


def test_what_came_whole_can_be_read_after_the_end_of_the_connection() -> None:
    session = server()
    session.receive_data(data(1, b"whole", Flag.SYN | Flag.FIN) + data(3, b"not whole", Flag.SYN), 0.0)
    session.receive_eof(0.0)
    assert session.stream_ids == (1,)
    assert session.read(1, 3, 0.0) + session.read(1, 100, 0.0) == b"whole"
    assert session.read(3, 100, 0.0) == b""
    assert session.stream_ids == ()


@pytest.mark.parametrize(
    ("delay", "rate", "window"),
    [(0.05, 2_500_000, 1_000_000), (0.0005, 125_000_000, 262_144), (0.3, 125_000, 262_144)],
    ids=["100 ms, 20 Mbit/s", "1 ms, 1 Gbit/s", "600 ms, 1 Mbit/s"],
)
def test_one_stream_fills_a_link_after_a_few_round_trips(delay: float, rate: int, window: int) -> None:
    two, size = Two(), 40 * max(int(rate * 2 * delay), 262_144)
    one = two.open()
    two.client.send(one, bytes(size))
    now, link, got = 0.0, [], 0
    back: list[tuple[float, bytes]] = []
    free = 0.0  # when the link has sent what it was given
    while got < size:
        while free <= now and (out := b"".join(two.client.chunks_to_send(1))):
            free = max(now, free) + len(out) / rate
            link.append((free + delay, out))
        times = [at for at, _ in link[:1] + back[:1]] + ([free] if free > now else [])
        now = min(times)
        while link and link[0][0] <= now:
            two.server.receive_data(link.pop(0)[1], now)
        while back and back[0][0] <= now:
            two.client.receive_data(back.pop(0)[1], now)
        while part := two.server.read(one, 65_536, now):
            got += len(part)
        if answer := two.server.data_to_send():
            back.append((now + delay, answer))
    assert size / now > 0.9 * rate
    assert two.server._streams[one].window >= window


def test_windows_grow_no_further_than_all_of_them_may() -> None:
    two = Two(max_window_growth=INITIAL_WINDOW * 3)
    streams = [two.open() for _ in range(4)]
    for one in streams:
        two.client.send(one, bytes(4_000_000))
    while any(two.client.pending(one) for one in streams):
        two.settle(0.05)
        for one in streams:
            while two.read(two.server, one):
                pass
    windows = [two.server._streams[one].window for one in streams]
    assert sum(windows) == INITIAL_WINDOW * (4 + 3)
    for one in streams:
        two.client.reset(one)
    two.settle()
    assert two.server._growth == 0


@pytest.mark.parametrize("is_client", [True, False], ids=["client", "server"])
def test_the_machine_keeps_the_laws(is_client: bool) -> None:
    def make(now: Instant, random: Random) -> Session:
        return Session(is_client=is_client, now=now)

    peers = 2 if is_client else 1
    valid = [
        syn(peers),
        syn(peers + 2) + data(peers + 2, b"hello"),
        data(peers, bytes(2_000)),
        update(peers, 0, 1_000),
        update(peers, Flag.FIN),
        update(peers, Flag.RST),
        frame(FrameType.PING, Flag.SYN, 0, 5),
        frame(FrameType.PING, Flag.ACK, 0, 1),
        frame(FrameType.GO_AWAY, 0, 0, 0),
    ]
    commands = [
        lambda session: session.send(peers, b"data"),
        lambda session: session.close_write(peers),
        lambda session: session.close(peers + 2, 0.0),
        lambda session: session.reset(peers + 2),
        lambda session: session.read(peers, 100, 0.0),
    ]
    check_stream_machine(Subject(make=make, valid=valid, commands=commands, seeds=range(10), outputs_after_flood=4_096))
