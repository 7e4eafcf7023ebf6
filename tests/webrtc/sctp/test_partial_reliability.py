"""RFC 3758 and RFC 8260 section 2.3: messages that may be given up, and what the others notice of it."""

import pytest

from tests.webrtc.sctp.kit import Wire, association, chunks_of, connected, kinds_of
from zwerm.webrtc.sctp.codes import ChunkType

FORMS = pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])
DATA = (ChunkType.DATA, ChunkType.I_DATA)


def lose_data(wire: Wire) -> None:
    wire.is_lost = lambda packet: any(chunk.type in DATA for chunk in chunks_of([packet]))


def lose_nothing(wire: Wire) -> None:
    wire.is_lost = lambda packet: False


@FORMS
@pytest.mark.parametrize("is_unordered", [False, True], ids=["ordered", "unordered"])
@pytest.mark.parametrize("size", [10, 30_000])
def test_a_message_that_may_not_be_sent_again_is_skipped(size: int, *, is_unordered: bool, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    lose_data(wire)
    wire.send(bytes(size), max_retransmits=0, is_unordered=is_unordered)
    wire.settle()
    lose_nothing(wire)
    wire.send(b"after", is_unordered=is_unordered)
    wire.pass_time(5.0)
    assert wire.received() == [b"after"]
    forward = ChunkType.I_FORWARD_TSN if interleaving else ChunkType.FORWARD_TSN
    assert forward in kinds_of(wire.passed)
    assert wire.left._sender.has_nothing_to_send


@FORMS
def test_a_message_is_sent_again_as_often_as_it_may(*, interleaving: bool) -> None:
    wire, times = connected(interleaving=interleaving), [0]

    def is_lost(packet: bytes) -> bool:
        is_data = any(chunk.type in DATA for chunk in chunks_of([packet]))
        times[0] += is_data
        return is_data

    wire.is_lost = is_lost
    wire.send(b"x", max_retransmits=2)
    wire.pass_time(30.0)
    assert times == [3]
    lose_nothing(wire)
    wire.send(b"after")
    wire.pass_time(2.0)
    assert wire.received() == [b"after"]


@FORMS
def test_a_message_out_of_time_is_given_up(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    lose_data(wire)
    wire.send(b"x", lifetime=0.5)
    wire.pass_time(3.0)
    lose_nothing(wire)
    wire.send(b"after")
    wire.pass_time(2.0)
    assert wire.received() == [b"after"]


def test_a_message_out_of_time_before_it_was_sent_leaves_no_trace() -> None:
    wire = connected()
    wire.left.send(1, b"late", ppid=53, now=0.0, lifetime=1.0)
    wire.now = 2.0
    wire.send(b"after")
    wire.settle()
    assert wire.received() == [b"after"]
    assert ChunkType.I_FORWARD_TSN not in kinds_of(wire.passed)


@FORMS
def test_a_message_given_up_in_its_middle_is_skipped_whole(*, interleaving: bool) -> None:
    """All that was sent of it has arrived, so only a TSN spent on its end tells the peer."""
    wire = connected(interleaving=interleaving)
    message = wire.left.begin_message(1, ppid=53, now=0.0, lifetime=1.0)
    wire.left.append_to(message, bytes(5_000), now=0.0)
    wire.settle()
    wire.now = 2.0
    wire.left.append_to(message, bytes(5_000), is_last=True, now=2.0)
    wire.send(b"after")
    wire.pass_time(5.0)
    assert wire.received() == [b"after"]
    assert wire.right._receiver.reassembly.buffered == 0


@FORMS
def test_what_is_given_up_does_not_hold_memory(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    lost = [0]

    def every_third(packet: bytes) -> bool:
        lost[0] += 1
        return lost[0] % 3 == 0

    wire.is_lost = every_third
    for number in range(200):
        wire.send(bytes(3_000), stream_id=number % 5, max_retransmits=0, is_unordered=number % 2 == 0)
        wire.pass_time(0.01)
    lose_nothing(wire)
    wire.pass_time(10.0)
    wire.received()
    assert wire.right._receiver.reassembly.buffered == 0
    assert wire.left._sender.buffered == 0
    assert wire.left._sender.outstanding.flight == wire.left._sender.outstanding.lost_bytes == 0


def test_toward_a_peer_without_it_every_message_arrives() -> None:

    wire = Wire(association("left"), association("right", partial_reliability=False)).connect()
    lose_data(wire)
    wire.send(b"x", max_retransmits=0)
    wire.settle()
    lose_nothing(wire)
    wire.pass_time(5.0)
    assert wire.received() == [b"x"]


def test_a_lost_forward_tsn_is_sent_again() -> None:
    wire, gone = connected(), list[bytes]()
    lose_data(wire)
    wire.send(b"x", max_retransmits=0)
    wire.settle()
    wire.is_lost = lambda packet: (
        ChunkType.I_FORWARD_TSN in kinds_of([packet]) and len(gone) < 3 and gone.append(packet) is None
    )
    wire.pass_time(20.0)
    assert len(gone) == 3
    wire.send(b"after")
    wire.pass_time(1.0)
    assert wire.received() == [b"after"]


def test_whole_messages_behind_one_given_up_are_delivered_in_order() -> None:
    for interleaving in (False, True):
        wire = connected(interleaving=interleaving)
        lose_data(wire)
        wire.send(b"gone", max_retransmits=0)
        wire.settle()
        lose_nothing(wire)
        for number in range(5):
            wire.send(b"%d" % number)
        wire.settle()
        wire.pass_time(5.0)
        assert wire.received() == [b"0", b"1", b"2", b"3", b"4"]
