"""RFC 9260 section 5: how an association begins, and begins again."""

import pytest

from tests.webrtc.sctp.kit import BINARY, Wire, association, chunks_of, connected, kinds_of
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.sctp.chunks.init import Init
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.config import DTLS
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import Connected, ConnectionFailed, MessageReceived, Restarted
from zwerm.webrtc.sctp.packet import has_zero_checksum


def types(events: list[object]) -> list[type]:
    return [type(event) for event in events]


def test_four_packets_make_an_association() -> None:
    wire = Wire()
    wire.left.connect(0.0)
    wire.settle()
    assert kinds_of(wire.passed) == [ChunkType.INIT, ChunkType.INIT_ACK, ChunkType.COOKIE_ECHO, ChunkType.COOKIE_ACK]
    assert types(wire.left_events) == types(wire.right_events) == [Connected]


def test_what_both_have_is_agreed_on() -> None:
    wire = Wire(association("left", interleaving=False, outbound_streams=10), association("right", inbound_streams=5))
    wire.left.connect(0.0)
    wire.settle()
    [left], [right] = wire.left_events, wire.right_events
    assert isinstance(left, Connected)
    assert isinstance(right, Connected)
    assert (left.outbound_streams, left.inbound_streams) == (5, 65_535)
    assert (right.outbound_streams, right.inbound_streams) == (65_535, 5)
    assert left.has_partial_reliability
    assert not left.has_interleaving
    assert not right.has_interleaving


def test_both_may_begin_at_once() -> None:
    wire = Wire()
    wire.left.connect(0.0)
    wire.right.connect(0.0)
    wire.settle()
    assert types(wire.left_events) == types(wire.right_events) == [Connected]
    wire.send(b"hello")
    wire.settle()
    assert wire.received() == [b"hello"]


@pytest.mark.parametrize("lost", range(4), ids=["INIT", "INIT ACK", "COOKIE ECHO", "COOKIE ACK"])
def test_a_lost_packet_of_the_handshake_is_made_good(lost: int) -> None:
    kind = (ChunkType.INIT, ChunkType.INIT_ACK, ChunkType.COOKIE_ECHO, ChunkType.COOKIE_ACK)[lost]
    wire, gone = Wire(), list[bytes]()
    wire.is_lost = lambda packet: packet[12] == kind and not gone and gone.append(packet) is None
    wire.left.connect(0.0)
    wire.pass_time(1.5)
    assert len(gone) == 1
    assert wire.left.state is wire.right.state is State.ESTABLISHED


@pytest.mark.parametrize("interleaving", [True, False], ids=["I-DATA", "DATA"])
def test_data_that_overtakes_the_cookie_ack_is_taken_when_it_comes_again(*, interleaving: bool) -> None:
    """RFC 9260 section 6: DATA is taken once established, and before that neither acknowledged nor a violation."""
    wire, gone = Wire(interleaving=interleaving), list[bytes]()
    wire.is_lost = lambda packet: packet[12] == ChunkType.COOKIE_ACK and not gone and gone.append(packet) is None
    wire.left.connect(0.0)
    wire.settle()
    assert (wire.left.state, wire.right.state) == (State.COOKIE_ECHOED, State.ESTABLISHED)
    wire.right.send(1, b"early", ppid=BINARY, now=0.0)
    wire.settle()
    assert wire.left.state is State.COOKIE_ECHOED
    wire.pass_time(3.0)
    assert types(wire.right_events) == [Connected]
    assert [event.data for event in wire.left_events if isinstance(event, MessageReceived)] == [b"early"]


@pytest.mark.parametrize("kind", [ChunkType.INIT, ChunkType.COOKIE_ECHO])
def test_a_peer_that_never_answers_is_given_up(kind: ChunkType) -> None:
    wire = Wire()
    wire.is_lost = lambda packet: packet[12] == kind
    wire.left.connect(0.0)
    wire.pass_time(120.0)
    assert types(wire.left_events) == [ConnectionFailed]
    assert wire.left.next_timeout() is None


def test_an_init_floods_no_memory() -> None:
    """The answer is stateless, and those that nobody carries away are limited."""
    left, right = association("left"), association("right")
    left.connect(0.0)
    [init] = left.next_transmits()
    for _ in range(1_000):
        right.receive_datagram(init, DTLS, 0.0)
    assert right.state is State.CLOSED
    assert right.next_timeout() is None
    assert len(right.next_transmits(2_000)) == right.config.max_control_chunks


def test_init_and_cookie_echo_keep_their_checksum_and_the_rest_does_without() -> None:
    wire = Wire()
    wire.left.connect(0.0)
    wire.settle()
    wire.send(b"hello")
    wire.settle()
    zero = {packet[12] for packet in wire.passed if has_zero_checksum(packet)}
    assert {ChunkType.COOKIE_ACK, ChunkType.I_DATA} <= zero
    assert not zero & {ChunkType.INIT, ChunkType.COOKIE_ECHO}


def test_toward_a_peer_that_did_not_offer_it_no_checksum_is_zero() -> None:
    wire = Wire(association("left"), association("right", zero_checksum=False))
    wire.left.connect(0.0)
    wire.settle()
    wire.send(b"hello")
    wire.settle()
    assert wire.received() == [b"hello"]
    assert not any(has_zero_checksum(packet) for packet in wire.passed)


@pytest.mark.parametrize("kind", [ChunkType.INIT, ChunkType.COOKIE_ECHO])
def test_init_and_cookie_echo_without_checksum_are_dropped(kind: ChunkType) -> None:
    wire = Wire()
    wire.left.connect(0.0)
    while True:
        [packet] = wire.left.next_transmits()
        if packet[12] == kind:
            break
        wire.right.receive_datagram(packet, DTLS, 0.0)
        wire.left.receive_datagrams(wire.right.next_transmits(), DTLS, 0.0)
    assert not wire.right.receive_datagram(packet[:8] + bytes(4) + packet[12:], DTLS, 0.0)
    assert wire.right.receive_datagram(packet, DTLS, 0.0)


def cookie_echo(wire: Wire) -> bytes:
    """Take the COOKIE ECHO before it arrives."""
    wire.left.connect(wire.now)
    wire.is_lost = lambda packet: packet[12] == ChunkType.COOKIE_ECHO
    sent: list[bytes] = []
    for _ in range(2):
        packets = wire.left.next_transmits()
        sent += packets
        wire.right.receive_datagrams([one for one in packets if one[12] != ChunkType.COOKIE_ECHO], DTLS, wire.now)
        wire.left.receive_datagrams(wire.right.next_transmits(), DTLS, wire.now)
    sent += wire.left.next_transmits()
    return next(packet for packet in sent if packet[12] == ChunkType.COOKIE_ECHO)


def test_a_cookie_that_is_too_old_is_answered_with_an_error() -> None:
    wire = Wire()
    packet = cookie_echo(wire)
    assert wire.right.receive_datagram(packet, DTLS, 61.0)
    assert wire.right.state is State.CLOSED
    assert kinds_of(wire.right.next_transmits()) == [ChunkType.ERROR]


def test_a_stale_cookie_makes_us_begin_again() -> None:
    wire = Wire()
    packet = cookie_echo(wire)
    wire.right.receive_datagram(packet, DTLS, 61.0)
    wire.left.receive_datagrams(wire.right.next_transmits(), DTLS, 61.0)
    assert kinds_of(wire.left.next_transmits()) == [ChunkType.INIT]


def test_a_cookie_stolen_for_another_association_is_dropped() -> None:
    wire, other = Wire(), association("other")
    packet = cookie_echo(wire)
    assert not other.receive_datagram(packet, DTLS, 0.0)
    assert other.state is State.CLOSED


def test_a_cookie_under_another_tag_is_dropped() -> None:
    from zwerm.webrtc.sctp.packet import with_checksum

    wire = Wire()
    packet = cookie_echo(wire)
    forged = with_checksum(packet[:4] + b"\x12\x34\x56\x78" + bytes(4) + packet[12:])
    assert not wire.right.receive_datagram(forged, DTLS, 0.0)
    assert wire.right.state is State.CLOSED


def test_a_cookie_replayed_changes_nothing() -> None:
    wire = Wire()
    packet = cookie_echo(wire)
    wire.is_lost = lambda packet: False
    wire.right.receive_datagram(packet, DTLS, 0.0)
    wire.settle()
    wire.send(b"one")
    wire.settle()
    wire.right.receive_datagram(packet, DTLS, 0.0)
    wire.send(b"two")
    wire.settle()
    assert [type(event) for event in wire.right_events] == [Connected, MessageReceived, MessageReceived]


def test_a_peer_that_lost_its_state_begins_anew() -> None:
    wire = connected()
    wire.send(b"old")
    wire.settle()
    wire.left = association("left again")
    wire.left.connect(wire.now)
    wire.settle()
    assert Restarted() in wire.right_events
    wire.received()
    wire.send(b"new")
    wire.settle()
    assert wire.received() == [b"new"]
    wire.right.send(9, b"back", ppid=53, now=wire.now)
    wire.settle()
    assert [event.data for event in wire.left_events if isinstance(event, MessageReceived)] == [b"back"]


def test_an_init_alone_does_not_disturb_an_association() -> None:
    wire = connected()
    stranger = association("stranger")
    stranger.connect(0.0)
    wire.right.receive_datagrams(stranger.next_transmits(), DTLS, 0.0)
    [answer] = wire.right.next_transmits()
    [init_ack] = chunks_of([answer])
    assert init_ack.type == ChunkType.INIT_ACK
    assert Init.parse(init_ack.value).initiate_tag != wire.right._handshake.local_tag
    wire.send(b"still here")
    wire.settle()
    assert wire.received() == [b"still here"]


def test_data_given_before_the_handshake_waits_for_its_end() -> None:
    wire = Wire()
    wire.left.send(1, b"early", ppid=53, now=0.0)
    wire.left.connect(0.0)
    wire.settle()
    assert wire.received() == [b"early"]
    [echo] = [packet for packet in wire.passed if packet[12] == ChunkType.COOKIE_ECHO]
    assert kinds_of([echo]) == [ChunkType.COOKIE_ECHO, ChunkType.I_DATA]


@pytest.mark.parametrize("is_both", [False, True], ids=["one begins", "both begin"])
def test_data_that_went_with_a_lost_cookie_is_sent_again(*, is_both: bool) -> None:
    wire, gone = Wire(), list[bytes]()
    wire.is_lost = lambda packet: packet[12] == ChunkType.COOKIE_ECHO and len(gone) < 2 and gone.append(packet) is None
    for side, data in ((wire.left, b"left"), (wire.right, b"right")):
        side.send(1, data * 1_000, ppid=53, now=0.0)
    wire.left.connect(0.0)
    if is_both:
        wire.right.connect(0.0)
    wire.pass_time(20.0)
    assert wire.received() == [b"left" * 1_000]
    assert MessageReceived(1, 53, b"right" * 1_000, False) in wire.left_events  # noqa: FBT003


def test_connecting_twice_is_a_mistake() -> None:
    wire = connected()
    with pytest.raises(LocalProtocolError, match="established"):
        wire.left.connect(0.0)
