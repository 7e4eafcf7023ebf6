"""A QUIC connection as a machine: streams, credit, ends and limits, on a virtual path and clock."""

from __future__ import annotations

import logging
import random

import pytest

from tests.libp2p.transports.quic.sides import DIALER, PEERS, Sides
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.libp2p.transports.quic.config import MAX_STREAMS, Config
from zwerm.libp2p.transports.quic.events import SessionEnded, StreamArrived, StreamChanged
from zwerm.libp2p.transports.quic.session import Session
from zwerm.libp2p.transports.quic.stream_state import Side, StreamState

SMALL = Config(receive_window=100_000, max_data=200_000, max_stream_data=100_000, high_water=50_000, low_water=25_000)


def connected(config: Config | None = None) -> Sides:
    sides = Sides(config)
    sides.connect()
    return sides


def pour(sides: Sides, stream: StreamState, size: int) -> int:
    """Write until no more is taken, while time passes; return how much was."""
    taken = 0
    for _ in range(300):
        taken += (
            sides.near.write(stream, memoryview(bytes(min(size - taken, 65_536))), sides.now) if taken < size else 0
        )
        sides.step()
    return taken


def read_all(session: Session, stream: StreamState, sides: Sides) -> bytes:
    return b"".join(session.read(stream, 1_000_000, sides.now))


def test_both_know_who_the_other_is() -> None:
    sides = connected()
    assert (sides.near.peer, sides.far.peer) == (PEERS[1], PEERS[0])
    assert sides.near.rtt is not None


def test_somebody_else_is_refused_by_name() -> None:
    sides = Sides(expected=PEERS[2])
    sides.run(lambda: sides.near.is_over and sides.far.is_over)
    assert sides.near.reason == f"the peer is {PEERS[1]}, expected {PEERS[2]}"
    assert sides.near.is_peer_wrong
    assert sides.far.peer is None
    assert "TLS alert 42" in sides.far.reason  # bad_certificate


def test_bytes_arrive_in_order_over_a_path_that_loses_and_the_end_after_them() -> None:
    sides = connected()
    ours, theirs = sides.open()
    draw = random.Random(1)
    sides.lose = lambda data: draw.random() < 0.05
    data = bytes(range(256)) * 2_000
    left, got = memoryview(data), b""
    while left:
        left = left[sides.near.write(ours, left, sides.now) :]
        sides.step()
    sides.near.finish(ours, sides.now)
    while theirs.read is Side.OPEN or theirs.unread:
        sides.step()
        got += read_all(sides.far, theirs, sides)
    assert got == data


def test_a_peer_that_does_not_read_makes_the_writer_wait_and_costs_bounded_memory() -> None:
    sides = connected(SMALL)
    ours, theirs = sides.open()
    taken = pour(sides, ours, 1_000_000)
    assert theirs.unread <= SMALL.receive_window + 65_536
    assert taken <= SMALL.receive_window + SMALL.max_data + SMALL.high_water + 65_536 * 2
    assert sides.near.write(ours, memoryview(b"more"), sides.now) == 0
    before = len(sides.told(sides.near, StreamChanged))
    got = 0
    while got < taken:
        got += len(read_all(sides.far, theirs, sides))
        sides.step()
    assert got == taken
    assert len(sides.told(sides.near, StreamChanged)) > before
    assert sides.near.write(ours, memoryview(b"more"), sides.now) == 4


def test_what_waits_in_all_streams_together_is_bounded() -> None:
    sides = connected(Config(high_water=50_000, low_water=25_000, send_buffer=120_000))
    streams = [sides.near.open_stream(sides.now) for _ in range(4)]
    assert [sides.near.write(each, memoryview(bytes(90_000)), sides.now) for each in streams] == [
        50_000,
        50_000,
        20_000,
        0,
    ]


def test_a_stream_that_nobody_reads_is_reset_before_it_holds_up_the_others_for_ever() -> None:
    sides = connected(SMALL)
    lazy, unread = sides.open()
    busy, read = sides.open()
    pour(sides, lazy, 1_000_000)
    sides.near.write(busy, memoryview(b"others"), sides.now)
    sides.run(lambda: unread.is_released)
    sides.run(lambda: lazy.write is Side.RESET)
    sides.run(lambda: read.unread == 6)
    assert not sides.far.is_over


def test_streams_that_nobody_reads_are_one_line_of_the_log_that_names_the_peer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    sides = connected(SMALL)
    for _ in range(3):
        lazy, unread = sides.open()
        pour(sides, lazy, 1_000_000)
        sides.run(lambda unread=unread: unread.is_released)
    [line] = [record.getMessage() for record in caplog.records if "were not read for too long" in record.getMessage()]
    assert str(sides.far.peer) in line


def test_a_reset_reaches_the_other_side_and_gives_its_unread_bytes_back() -> None:
    sides = connected()
    ours, theirs = sides.open()
    sides.near.write(ours, memoryview(b"never read"), sides.now)
    sides.run(lambda: theirs.unread)
    sides.near.reset(ours, sides.now)
    sides.near.reset(ours, sides.now)
    sides.run(lambda: theirs.read is Side.RESET)
    assert theirs.unread == 0
    with pytest.raises(LocalProtocolError, match="takes no more"):
        sides.near.write(ours, memoryview(b"x"), sides.now)


def test_one_side_closes_and_the_other_goes_on() -> None:
    sides = connected()
    ours, theirs = sides.open()
    sides.near.finish(ours, sides.now)
    sides.near.finish(ours, sides.now)
    sides.run(lambda: theirs.read is Side.FINISHED)
    sides.far.write(theirs, memoryview(b"still here"), sides.now)
    sides.far.finish(theirs, sides.now)
    sides.run(lambda: ours.read is Side.FINISHED)
    assert read_all(sides.near, ours, sides) == b"still here"
    assert (ours.is_over, theirs.is_over) == (True, True)


def test_a_peer_that_releases_a_stream_stops_the_writer() -> None:
    sides = connected()
    ours, theirs = sides.open()
    sides.far.release(theirs, sides.now)
    sides.run(lambda: ours.write is Side.RESET)


def test_a_peer_that_says_all_at_once_and_reads_nothing_is_heard_to_the_end() -> None:
    sides = connected()
    ours = sides.near.open_stream(sides.now)
    sides.near.write(ours, memoryview(bytes(50_000)), sides.now)
    sides.near.release(ours, sides.now)  # STOP_SENDING goes ahead of the data
    sides.run(lambda: sides.told(sides.far, StreamArrived))
    (arrived,) = sides.told(sides.far, StreamArrived)
    assert isinstance(arrived, StreamArrived)
    sides.run(lambda: arrived.stream.read is Side.FINISHED)
    assert arrived.stream.write is Side.RESET
    assert read_all(sides.far, arrived.stream, sides) == bytes(50_000)


def test_streams_that_come_out_of_order_arrive_once_each_and_none_that_is_over_comes_again() -> None:
    sides = connected()
    first, second, third = (sides.near.open_stream(sides.now) for _ in range(3))
    for stream in (third, first, second):
        sides.near.write(stream, memoryview(b"x"), sides.now)
        sides.near.finish(stream, sides.now)
        sides.step()
    sides.run(lambda: len(sides.told(sides.far, StreamArrived)) == 3)
    for event in sides.told(sides.far, StreamArrived):
        assert isinstance(event, StreamArrived)
        sides.far.finish(event.stream, sides.now)
        sides.near._library.core.stop_sending(event.stream.id, 0)  # behind the end of what it reads
    for _ in range(20):
        sides.step()
    assert sorted(event.stream.id for event in sides.told(sides.far, StreamArrived)) == [0, 4, 8]
    assert not sides.far.is_over


def test_a_peer_that_stopped_reading_behind_unread_data_ends_that_stream_for_its_writer_and_no_other() -> None:
    sides = connected(SMALL)
    ours, theirs = sides.open()
    pour(sides, ours, 1_000_000)
    sides.near.release(ours, sides.now)
    for _ in range(20):
        sides.step()
    with pytest.raises(LocalProtocolError, match="takes no more"):
        sides.far.write(theirs, memoryview(b"too late"), sides.now)
    assert not sides.far.is_over


def test_streams_are_limited_by_what_the_peer_allows_and_come_free_again() -> None:
    sides = connected()
    streams = [sides.near.open_stream(sides.now) for _ in range(MAX_STREAMS)]
    with pytest.raises(ResourceLimitError, match="allows no more streams"):
        sides.near.open_stream(sides.now)
    for stream in streams:
        sides.near.write(stream, memoryview(b"x"), sides.now)
    sides.run(lambda: len(sides.told(sides.far, StreamArrived)) == MAX_STREAMS)
    for event in sides.told(sides.far, StreamArrived):
        assert isinstance(event, StreamArrived)
        sides.far.reset(event.stream, sides.now)
    sides.run(lambda: all(stream.is_over or stream.write is Side.RESET for stream in streams))
    for stream in streams:
        sides.near.release(stream, sides.now)
    for _ in range(20):
        sides.step()
    assert sides.near.open_stream(sides.now).id == MAX_STREAMS * 4


def test_a_stream_of_one_direction_ends_the_connection() -> None:
    sides = connected()
    core = sides.near._library.core
    core.send_stream(core.open_stream(True), b"x", False)  # noqa: FBT003 -- the library's
    sides.run(lambda: sides.far.is_over)
    assert sides.far.reason == "the peer opened a stream of one direction"


def test_a_quiet_connection_lives_and_one_whose_peer_is_gone_ends() -> None:
    sides = connected()
    ends = sides.now + 120.0
    sides.run(lambda: sides.now > ends)
    assert not sides.near.is_over
    sides.lose = lambda data: True
    sides.run(lambda: sides.near.is_over and sides.far.is_over)
    assert sides.now < ends + 60.0


def test_a_handshake_that_is_not_answered_ends_in_time() -> None:
    sides = Sides(Config(handshake_timeout=2.0))
    sides.lose = lambda data: True
    for _ in range(250):
        sides.step()
    assert sides.near.reason == "the handshake took too long"
    assert not sides.near.is_peer_wrong
    assert sides.near.next_timeout() is None


def test_an_end_is_told_with_its_reason_to_both_and_to_every_stream() -> None:
    sides = connected()
    ours, theirs = sides.open()
    sides.near.close(sides.now, "gone home")
    sides.run(lambda: sides.far.is_over)
    assert sides.far.reason == "the peer closed the connection: gone home"
    assert (ours.write, theirs.read, theirs.write) == (Side.RESET, Side.RESET, Side.RESET)
    assert len(sides.told(sides.far, SessionEnded)) == 1
    with pytest.raises(LocalProtocolError, match="gone home"):
        sides.near.open_stream(sides.now)


def test_an_end_is_heard_though_unread_data_stands_before_it() -> None:
    sides = connected(SMALL)
    ours, _ = sides.open()
    pour(sides, ours, 1_000_000)
    sides.near.close(sides.now, "gone home")
    sides.run(lambda: sides.far.is_over)
    assert "gone home" in sides.far.reason


def test_noise_and_damaged_packets_change_nothing() -> None:
    sides = connected()
    draw = random.Random(2)
    for size in range(0, 1_500, 7):
        sides.far.receive_datagram(draw.randbytes(size), DIALER, sides.now)
        damaged = bytearray(draw.randbytes(size + 1))
        damaged[0] = 0xC0 | damaged[0] & 0x3F
        sides.far.receive_datagram(bytes(damaged), ("198.51.100.9", 9), sides.now)
    sides.open()
    assert not sides.far.is_over


@pytest.mark.parametrize("position", [0, 5, 30, 100, 300, 900])
def test_a_first_flight_that_was_tampered_with_ends_at_worst_this_connection(position: int) -> None:
    sides = Sides(Config(handshake_timeout=3.0))
    first = []

    def damage(data: bytes) -> bool:
        first.append(data)
        return True

    sides.lose = damage
    sides.step()
    sides.lose = lambda data: False
    sides.run(lambda: sides.near.peer and sides.far.peer)
    broken = bytearray(first[0])
    broken[position] ^= 0xFF
    sides.far.receive_datagram(bytes(broken), DIALER, sides.now)
    sides.open()


def test_a_flight_that_does_not_fit_before_the_peer_has_shown_its_address_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = Sides()
    sides.step()
    poll, full = sides.far._library.poll, [RuntimeError("packet builder capacity exhausted")]

    def poll_when_there_is_room(now: float) -> object:
        if full:
            raise full.pop()
        return poll(now)

    monkeypatch.setattr(sides.far._library, "poll", poll_when_there_is_room)
    assert sides.far.next_transmit() is None
    assert not sides.far.is_over
    sides.connect()
    full.append(RuntimeError("anything else"))
    assert sides.far.next_transmit() is None
    assert sides.far.reason == "QUIC: anything else"
