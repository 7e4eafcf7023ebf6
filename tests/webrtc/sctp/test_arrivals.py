"""Packets that are odd but not hostile: chunks out of turn, malformed ones, requests at the wrong time."""

import struct

import pytest

from tests.webrtc.sctp.kit import Wire, association, chunks_of, connected, kinds_of
from zwerm.core.trace import Recorder
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.chunks import error
from zwerm.webrtc.sctp.chunks.init import Init
from zwerm.webrtc.sctp.codes import Cause, ChunkType
from zwerm.webrtc.sctp.config import DTLS
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import Closed, ConnectionFailed
from zwerm.webrtc.sctp.packet import Chunk, Header, serialize

INIT = Init(0x1234, 100_000, 10, 10, 77)


def from_stranger(kind: ChunkType, value: bytes, tag: int = 0, *more: bytes) -> bytes:
    return serialize(Header(5_000, 5_000, tag), [Chunk(kind, 0, value).serialize(), *more])


def give(wire: Wire, *chunks: bytes) -> None:
    """Give the left side a packet as its peer would."""
    wire.left.receive_datagram(wire.right._sender.finish_packet(list(chunks)), DTLS, wire.now)


def shutting_down() -> Wire:
    """The left side waits for SHUTDOWN COMPLETE."""
    wire = connected()
    wire.is_lost = lambda packet: ChunkType.SHUTDOWN_ACK in kinds_of([packet])
    wire.right.shutdown(0.0)
    wire.settle()
    assert wire.left.state is State.SHUTDOWN_ACK_SENT
    wire.is_lost = lambda packet: False
    return wire


@pytest.mark.parametrize("ports", [(5_000, 5_001), (5_001, 5_000)])
def test_packets_of_other_ports_are_not_ours(ports: tuple[int, int]) -> None:
    machine = association()
    packet = serialize(Header(*ports, 0), [INIT.serialize(ChunkType.INIT)])
    assert not machine.receive_datagram(packet, DTLS, 0.0)


@pytest.mark.parametrize("size", range(16))
def test_packets_shorter_than_any_are_not_ours(size: int) -> None:
    assert not association().receive_datagram(bytes(size), DTLS, 0.0)


def test_an_init_that_does_not_stand_alone_is_not_answered() -> None:
    machine = association()
    packet = serialize(Header(5_000, 5_000, 0), [INIT.serialize(ChunkType.INIT), Chunk(10, 0, b"").serialize()])
    assert machine.receive_datagram(packet, DTLS, 0.0)
    assert machine.next_transmits() == []


def test_a_malformed_init_is_not_answered_and_noted() -> None:
    recorder = Recorder()
    machine = Association(random=association()._random, now=0.0, trace=recorder.source("sctp"))
    machine.receive_datagram(from_stranger(ChunkType.INIT, bytes(16)), DTLS, 0.0)
    assert machine.next_transmits() == []
    assert len(recorder.named("malformed INIT")) == 1


def test_unknown_parameters_of_an_init_are_told_in_the_answer() -> None:
    machine = association()
    value = INIT.serialize(ChunkType.INIT)[4:] + bytes.fromhex("d999 0006 aabb 0000")
    machine.receive_datagram(from_stranger(ChunkType.INIT, value), DTLS, 0.0)
    [answer] = chunks_of(machine.next_transmits())
    assert bytes.fromhex("0008 000c d999 0006 aabb 0000")[:10] in answer.value


def test_unknown_parameters_of_an_init_ack_are_told_with_the_cookie() -> None:
    wire = Wire()
    wire.left.connect(0.0)
    wire.right.receive_datagrams(wire.left.next_transmits(), DTLS, 0.0)
    [packet] = wire.right.next_transmits()
    [answer] = chunks_of([packet])
    value = answer.value + bytes(-len(answer.value) % 4) + bytes.fromhex("d999 0004")
    wire.left.receive_datagram(
        serialize(Header.parse(packet), [Chunk(ChunkType.INIT_ACK, 0, value).serialize()]), DTLS, 0.0
    )
    assert kinds_of(wire.left.next_transmits()) == [ChunkType.COOKIE_ECHO, ChunkType.ERROR]


def test_an_init_ack_without_cookie_ends_it() -> None:
    machine = association()
    machine.connect(0.0)
    tag = machine._handshake.local_tag
    machine.next_transmits()
    machine.receive_datagram(serialize(Header(5_000, 5_000, tag), [INIT.serialize(ChunkType.INIT_ACK)]), DTLS, 0.0)
    assert machine.next_event() == ConnectionFailed("INIT ACK without a cookie")


def test_cookies_that_are_always_stale_are_given_up() -> None:
    wire = Wire(association("left", max_init_retransmissions=2), association("right", cookie_life=0.0))
    wire.left.connect(0.0)
    for _ in range(20):
        wire.right.receive_datagrams(wire.left.next_transmits(), DTLS, wire.now)
        wire.left.receive_datagrams(wire.right.next_transmits(), DTLS, wire.now)
        wire.now += 0.01
    assert isinstance(wire.left.next_event(), ConnectionFailed)


def test_an_init_while_the_shutdown_ends_gets_the_shutdown_again() -> None:
    wire = shutting_down()
    wire.left.next_transmits()
    wire.left.receive_datagram(from_stranger(ChunkType.INIT, INIT.serialize(ChunkType.INIT)[4:]), DTLS, 0.0)
    assert kinds_of(wire.left.next_transmits()) == [ChunkType.SHUTDOWN_ACK]


def test_a_shutdown_again_while_ours_is_under_way_changes_nothing() -> None:
    wire = shutting_down()
    wire.pass_time(5.0)
    assert wire.left_events[-1] == wire.right_events[-1] == Closed()


def test_a_shutdown_of_another_length_is_malformed() -> None:
    wire = connected()
    give(wire, Chunk(ChunkType.SHUTDOWN, 0, b"").serialize())
    assert wire.left.state is State.ESTABLISHED


def test_a_malformed_chunk_ends_its_packet_and_nothing_else() -> None:
    wire = connected()
    ping = Chunk(ChunkType.HEARTBEAT, 0, b"ping").serialize()
    give(wire, ping, Chunk(ChunkType.SACK, 0, b"short").serialize(), ping)
    assert kinds_of(wire.left.next_transmits()) == [ChunkType.HEARTBEAT_ACK]
    give(wire, ping, struct.pack("!BBH", ChunkType.HEARTBEAT, 0, 999))
    assert kinds_of(wire.left.next_transmits()) == [ChunkType.HEARTBEAT_ACK]
    assert wire.left.state is State.ESTABLISHED


@pytest.mark.parametrize("value", [b"", bytes(12), b"\0\1\0\x0c12345678"], ids=["empty", "zeros", "another nonce"])
def test_an_answer_to_no_heartbeat_of_ours_is_ignored(value: bytes) -> None:
    wire = connected()
    give(wire, Chunk(ChunkType.HEARTBEAT_ACK, 0, value).serialize())
    assert wire.left._sender.round_trip.latest < 0.001


def test_an_error_from_the_peer_is_noted() -> None:
    recorder = Recorder()
    left = Association(random=association("left")._random, now=0.0, trace=recorder.source("sctp"))
    wire = Wire(left).connect()
    give(wire, error.error(Cause.INVALID_STREAM, bytes(4)))
    [record] = recorder.named("error from the peer")
    assert record.fields == {"text": "invalid stream"}


def test_a_heartbeat_too_large_to_answer_is_not_answered() -> None:
    wire = connected()
    give(wire, Chunk(ChunkType.HEARTBEAT, 0, bytes(5_000)).serialize())
    assert wire.left.next_transmits() == []


def test_data_in_a_state_that_takes_none_is_dropped() -> None:
    wire = shutting_down()
    before = wire.left._receiver.queue.cumulative
    wire.right._queue.stream(1)
    give(
        wire, Chunk(ChunkType.I_DATA, 3, struct.pack("!IHHII", before + 1 & 0xFFFFFFFF, 1, 0, 0, 53) + b"x").serialize()
    )
    assert wire.left._receiver.queue.cumulative == before
