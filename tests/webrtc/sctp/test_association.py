"""Messages, shutdown, abort, heartbeats and back pressure of an association on a path that loses nothing."""

import pytest

from tests.webrtc.sctp.kit import association, chunks_of, connected, kinds_of
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import drain
from zwerm.webrtc.sctp.chunks.sack import Sack
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import (
    BufferedAmountLow,
    Closed,
    ConnectionFailed,
    MessageReceived,
    ShutdownReceived,
)

FORMS = pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])


@FORMS
@pytest.mark.parametrize("size", [1, 3, 1_128, 1_132, 1_133, 65_536, 300_001])
def test_a_message_arrives_as_it_was(size: int, *, interleaving: bool) -> None:
    wire, data = connected(interleaving=interleaving), bytes(index * 7 & 255 for index in range(size))
    wire.send(data)
    wire.pass_time(1.0)
    assert wire.received() == [data]


@FORMS
def test_no_packet_is_larger_than_configured(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving, packet_size=1_000)
    wire.send(bytes(50_000))
    wire.send(bytes(777), stream_id=2, is_unordered=True)
    wire.pass_time(1.0)
    assert max(map(len, wire.passed)) <= 1_000
    assert sorted(map(len, wire.received())) == [777, 50_000]


def test_small_messages_share_a_packet() -> None:
    wire = connected()
    for number in range(10):
        wire.send(b"%d" % number)
    wire.settle()
    assert wire.received() == [b"%d" % number for number in range(10)]
    assert kinds_of(wire.passed[:1]) == [ChunkType.I_DATA] * 10


def test_the_ppid_and_the_stream_are_told() -> None:
    wire = connected()
    wire.left.send(7, b"x", ppid=0xFFFFFFFF, now=0.0, is_unordered=True)
    wire.settle()
    assert wire.right_events == [MessageReceived(7, 0xFFFFFFFF, b"x", True)]  # noqa: FBT003


@FORMS
def test_a_message_may_be_sent_in_parts(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    message = wire.left.begin_message(1, ppid=53, now=0.0)
    for number in range(20):
        wire.left.append_to(message, bytes([number]) * 3_000, is_last=number == 19, now=wire.now)
        wire.settle()
        assert wire.left.buffered_amount() == 0
    assert wire.received() == [b"".join(bytes([number]) * 3_000 for number in range(20))]


def test_with_interleaving_other_streams_do_not_wait_for_a_message_that_is_not_ended() -> None:
    wire = connected()
    message = wire.left.begin_message(1, ppid=53, now=0.0)
    wire.left.append_to(message, b"begin ", now=0.0)
    wire.send(b"other", stream_id=2)
    wire.settle()
    assert wire.received() == [b"other"]
    wire.left.append_to(message, b"end", is_last=True, now=0.0)
    wire.settle()
    assert wire.received() == [b"begin end"]


def test_a_message_that_was_ended_takes_no_more() -> None:
    wire = connected()
    message = wire.left.begin_message(1, ppid=53, now=0.0)
    with pytest.raises(LocalProtocolError, match="last part"):
        wire.left.append_to(message, b"", is_last=True, now=0.0)
    wire.left.append_to(message, b"x", is_last=True, now=0.0)
    with pytest.raises(LocalProtocolError, match="ended"):
        wire.left.append_to(message, b"y", now=0.0)


def test_a_message_larger_than_the_window_comes_through() -> None:
    wire = connected(receive_window=100_000)
    wire.send(bytes(1_000_000))
    wire.pass_time(5.0)
    assert [len(data) for data in wire.received()] == [1_000_000]


def test_what_is_not_taken_closes_the_window_and_taking_it_opens_it() -> None:
    wire = connected(receive_window=20_000, heartbeat_interval=0.0)
    for _ in range(100):
        wire.send(bytes(1_000))
    for _ in range(50):
        wire.right.receive_datagrams(wire.left.next_transmits(), DTLS, 0.0)
        packets = wire.right.next_transmits()
        wire.left.receive_datagrams(packets, DTLS, 0.0)
    assert wire.left.buffered_amount() > 70_000
    assert wire.right._receiver.window < 2_000
    wire.pass_time(3.0)  # events are taken from here on
    assert wire.received() == [bytes(1_000)] * 100


def test_a_window_closed_for_long_kills_nothing() -> None:
    wire = connected(receive_window=20_000, max_retransmissions=3)
    wire.right.set_unread(20_000, 0.0)
    for _ in range(40):
        wire.send(bytes(1_000))
    wire.pass_time(100.0)
    assert wire.left.state is State.ESTABLISHED
    wire.right.set_unread(0, wire.now)
    wire.pass_time(15.0)
    assert wire.received() == [bytes(1_000)] * 40


def test_the_send_buffer_refuses_what_it_cannot_hold() -> None:
    wire = connected(send_buffer=10_000, max_send_messages=5)
    wire.left.send(1, bytes(9_000), ppid=53, now=0.0)
    with pytest.raises(ResourceLimitError, match="limit is 10000"):
        wire.left.send(1, bytes(2_000), ppid=53, now=0.0)
    for _ in range(4):
        wire.left.send(1, b"x", ppid=53, now=0.0)
    with pytest.raises(ResourceLimitError, match="messages"):
        wire.left.send(1, b"x", ppid=53, now=0.0)
    wire.pass_time(1.0)
    assert len(wire.received()) == 5


def test_falling_to_the_threshold_is_told_once() -> None:
    wire = connected()
    wire.left.set_low_threshold(1, 5_000)
    wire.send(bytes(8_000))
    assert wire.left.buffered_amount(1) == 8_000
    wire.pass_time(1.0)
    assert wire.left_events == [BufferedAmountLow(1)]
    assert wire.left.buffered_amount(1) == 0


def test_streams_share_by_their_weight() -> None:
    wire = connected()
    wire.left.set_weight(2, 1_024)
    for stream_id in (1, 2):
        wire.send(bytes(1_000_000), stream_id)
    sent = {1: 0, 2: 0}
    wire.is_lost = lambda packet: False
    while wire.left.buffered_amount() > 1_000_000:
        packets = wire.left.next_transmits(16)
        for chunk in chunks_of(packets):
            if chunk.type == ChunkType.I_DATA:
                sent[int.from_bytes(chunk.value[4:6], "big")] += len(chunk.value)
        wire.right.receive_datagrams(packets, DTLS, 0.0)
        wire.left.receive_datagrams(wire.right.next_transmits(), DTLS, 0.0)
    assert 3.5 < sent[2] / sent[1] < 4.5


def test_data_is_acknowledged_after_a_short_while_and_two_packets_at_once() -> None:
    wire = connected()
    wire.send(b"one")
    wire.right.receive_datagrams(wire.left.next_transmits(), DTLS, 0.0)
    assert wire.right.next_transmits() == []
    assert wire.right.next_timeout() == pytest.approx(Config().sack_delay)
    wire.right.handle_timeout(Config().sack_delay)
    [chunk] = chunks_of(wire.right.next_transmits())
    assert chunk.type == ChunkType.SACK
    wire.send(bytes(2_000))
    wire.right.receive_datagrams(wire.left.next_transmits(), DTLS, 0.1)
    [chunk] = chunks_of(wire.right.next_transmits())
    assert Sack.parse(chunk.value).gaps == ()


def test_shutdown_lets_everything_arrive_first() -> None:
    wire = connected()
    wire.send(bytes(100_000))
    wire.left.shutdown(0.0)
    with pytest.raises(LocalProtocolError, match="shuts down"):
        wire.send(b"late")
    wire.pass_time(2.0)
    assert [len(data) for data in wire.received()] == [100_000]
    assert wire.left_events == [Closed()]
    assert wire.right_events == [ShutdownReceived(), Closed()]
    assert wire.left.next_timeout() is wire.right.next_timeout() is None


def test_both_may_shut_down_at_once() -> None:
    wire = connected()
    wire.left.shutdown(0.0)
    wire.right.shutdown(0.0)
    wire.pass_time(2.0)
    assert wire.left_events == wire.right_events == [Closed()]


@pytest.mark.parametrize("kind", [ChunkType.SHUTDOWN, ChunkType.SHUTDOWN_ACK, ChunkType.SHUTDOWN_COMPLETE])
def test_a_lost_packet_of_the_shutdown_is_made_good(kind: ChunkType) -> None:
    wire, gone = connected(), list[bytes]()
    wire.is_lost = lambda packet: kind in kinds_of([packet]) and not gone and gone.append(packet) is None
    wire.left.shutdown(0.0)
    wire.pass_time(60.0)
    assert len(gone) == 1
    assert wire.left_events == [Closed()]
    assert isinstance(wire.right_events[-1], Closed | ConnectionFailed)


def test_a_shutdown_that_takes_too_long_is_cut_short() -> None:
    wire = connected(max_retransmissions=100, rto_max=1.0)
    wire.left.shutdown(0.0)
    wire.is_lost = lambda packet: True
    wire.pass_time(60.0)
    assert wire.left_events == [ConnectionFailed("the shutdown takes too long")]


def test_an_abort_tells_the_peer_why() -> None:
    wire = connected()
    wire.left.abort(0.0, "enough")
    wire.settle()
    assert wire.left_events == [ConnectionFailed("enough")]
    assert wire.right_events == [ConnectionFailed("user initiated: enough", is_from_peer=True)]
    wire.left.abort(0.0)
    assert drain(wire.left) == ([], [], None)
    with pytest.raises(LocalProtocolError):
        wire.send(b"late")


def test_an_idle_association_is_probed_and_lives() -> None:
    wire = connected(heartbeat_interval=5.0)
    wire.pass_time(60.0)
    assert kinds_of(wire.passed).count(ChunkType.HEARTBEAT) >= 8
    assert wire.left_events == wire.right_events == []


def test_a_peer_that_answers_no_heartbeat_is_given_up() -> None:
    wire = connected(heartbeat_interval=5.0, max_retransmissions=3)
    wire.is_lost = lambda packet: True
    wire.pass_time(60.0)
    assert wire.left_events == [ConnectionFailed("the peer answers no heartbeat")]


def test_a_peer_that_acknowledges_nothing_is_given_up() -> None:
    wire = connected(max_retransmissions=4, heartbeat_interval=0.0)
    wire.is_lost = lambda packet: True
    wire.send(b"anyone?")
    wire.pass_time(100.0)
    assert wire.left_events == [ConnectionFailed("4 timeouts without an acknowledgement")]


def test_tsns_and_numbers_of_messages_wrap() -> None:
    for interleaving in (False, True):
        wire = connected(interleaving=interleaving)
        wire.left._handshake.local_tsn = 0xFFFFFFF0
        wire = type(wire)(wire.left, wire.right)
        wire.left = association("wrap", interleaving=interleaving)
        wire.right = association("right", interleaving=interleaving)
        wire.left._handshake.local_tsn = 0xFFFFFFF0
        wire.connect()
        wire.left._queue.stream(1).next_ssn = wire.left._queue.stream(1).next_mid = 0
        for number in range(64):
            wire.send(b"%d" % number + bytes(1_500))
        wire.pass_time(2.0)
        assert [data.rstrip(b"\0") for data in wire.received()] == [b"%d" % number for number in range(64)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"packet_size": 100}, "packets of 100"),
        ({"packet_size": 1_162}, "multiple of 4"),
        ({"outbound_streams": 0}, "streams"),
        ({"port": 0}, "ports"),
        ({"receive_window": 1}, "window"),
    ],
    ids=["small", "odd", "no streams", "no port", "no window"],
)
def test_a_configuration_that_cannot_work_is_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        Config(**options)


def test_misuse_is_refused_at_once() -> None:
    wire = connected(outbound_streams=4)
    with pytest.raises(LocalProtocolError, match="empty"):
        wire.send(b"")
    with pytest.raises(LocalProtocolError, match="stream 4"):
        wire.send(b"x", stream_id=4)
    with pytest.raises(LocalProtocolError, match="weight"):
        wire.left.set_weight(1, 0)
    with pytest.raises(LocalProtocolError, match="shutdown wants"):
        association().shutdown(0.0)
