"""RFC 6525: streams that start anew, and more of them, while the association lives."""

import pytest

from tests.webrtc.sctp.kit import Wire, association, connected, kinds_of
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.sctp.chunks import reconfig
from zwerm.webrtc.sctp.chunks.reconfig import AddStreams, AssociationReset, OutgoingReset, Response
from zwerm.webrtc.sctp.codes import TSN_MASK, ChunkType, ReconfigResult
from zwerm.webrtc.sctp.events import ConnectionFailed, IncomingStreamsReset, OutgoingStreamsReset, StreamsAdded

FORMS = pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])


@FORMS
def test_after_a_reset_messages_count_from_zero(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    for number in range(3):
        wire.send(b"%d" % number)
    wire.settle()
    wire.left.reset_streams([1], wire.now)
    wire.pass_time(1.0)
    assert wire.left_events == [OutgoingStreamsReset((1,), is_performed=True)]
    assert wire.received() == [b"0", b"1", b"2"]
    assert wire.right_events == [IncomingStreamsReset((1,))]
    wire.send(b"anew")
    wire.settle()
    assert wire.received() == [b"anew"]


@FORMS
def test_a_reset_waits_for_what_was_sent_before(*, interleaving: bool) -> None:
    wire = connected(interleaving=interleaving)
    wire.send(bytes(400_000))
    wire.left.reset_streams([1], wire.now)
    with pytest.raises(LocalProtocolError, match="being reset"):
        wire.send(b"late")
    lost = [0]

    def some(packet: bytes) -> bool:
        lost[0] += 1
        return lost[0] % 7 == 3

    wire.is_lost = some
    wire.pass_time(20.0)
    [_message, reset] = wire.right_events
    assert reset == IncomingStreamsReset((1,))
    assert wire.received() == [bytes(400_000)]
    assert OutgoingStreamsReset((1,), is_performed=True) in wire.left_events


def test_a_reset_that_comes_before_its_data_is_put_off() -> None:
    wire = connected()
    wire.send(b"slow")
    held = wire.left.next_transmits()
    wire.left.reset_streams([1], wire.now)
    wire.settle()
    assert wire.right_events == []
    wire.right.receive_datagrams(held, ("dtls", 0), wire.now)
    wire.settle()
    assert wire.received() == [b"slow"]
    assert wire.right_events == [IncomingStreamsReset((1,))]
    assert wire.left_events == [OutgoingStreamsReset((1,), is_performed=True)]


def test_both_sides_may_reset_at_once() -> None:
    wire = connected()
    wire.left.reset_streams([1, 3], wire.now)
    wire.right.reset_streams([1], wire.now)
    wire.pass_time(1.0)
    assert set(wire.left_events) == {OutgoingStreamsReset((1, 3), is_performed=True), IncomingStreamsReset((1,))}
    assert set(wire.right_events) == {OutgoingStreamsReset((1,), is_performed=True), IncomingStreamsReset((1, 3))}


def test_the_peer_may_be_asked_to_reset_its_side() -> None:
    wire = connected()
    wire.right.send(1, b"from the right", ppid=53, now=0.0)
    wire.settle()
    wire.left_events.clear()
    wire.left.request_reset([1], wire.now)
    wire.pass_time(2.0)
    assert IncomingStreamsReset((1,)) in wire.left_events
    assert OutgoingStreamsReset((1,), is_performed=True) in wire.right_events


@pytest.mark.parametrize("which", [0, 1], ids=["request", "answer"])
def test_a_lost_packet_of_a_reset_is_made_good(which: int) -> None:
    wire, seen = connected(), [0]

    def is_lost(packet: bytes) -> bool:
        if ChunkType.RE_CONFIG not in kinds_of([packet]):
            return False
        seen[0] += 1
        return seen[0] == which + 1

    wire.is_lost = is_lost
    wire.left.reset_streams([1], wire.now)
    wire.pass_time(10.0)
    assert wire.left_events == [OutgoingStreamsReset((1,), is_performed=True)]
    assert wire.right_events == [IncomingStreamsReset((1,))]


def test_a_reset_outlives_an_outage() -> None:
    wire = connected(heartbeat_interval=0.0)
    wire.is_lost = lambda packet: True
    wire.left.reset_streams([1], wire.now)
    wire.pass_time(20.0)
    wire.is_lost = lambda packet: False
    wire.pass_time(11.0)
    assert wire.left_events == [OutgoingStreamsReset((1,), is_performed=True)]


def test_a_peer_that_answers_no_reset_is_given_up() -> None:
    wire = connected(heartbeat_interval=0.0, max_retransmissions=3)
    wire.is_lost = lambda packet: True
    wire.left.reset_streams([1], wire.now)
    wire.pass_time(60.0)
    assert wire.left_events == [ConnectionFailed("the peer does not answer RE-CONFIG")]


def test_many_streams_are_reset_in_turns() -> None:
    wire = connected()
    wire.left.reset_streams(range(1_000), wire.now)
    wire.pass_time(5.0)
    told = [one for event in wire.right_events if isinstance(event, IncomingStreamsReset) for one in event.stream_ids]
    assert sorted(told) == list(range(1_000))


def test_streams_are_added_from_either_side() -> None:
    wire = Wire(association("left", outbound_streams=10), association("right", inbound_streams=10)).connect()
    with pytest.raises(LocalProtocolError, match="stream 12"):
        wire.send(b"x", stream_id=12)
    wire.left.add_streams(10, wire.now)
    wire.pass_time(1.0)
    assert wire.left_events == [StreamsAdded(20, 65_535)]
    wire.send(b"x", stream_id=12)
    wire.right.add_streams(5, wire.now, is_outgoing=False)
    wire.pass_time(1.0)
    assert wire.left_events[-1] == StreamsAdded(25, 65_535)
    assert wire.received() == [b"x"]
    with pytest.raises(LocalProtocolError, match="more streams"):
        wire.left.add_streams(65_530, wire.now)


def answers(wire: Wire, *requests: reconfig.Request) -> list[Response]:
    """What the right side answers to requests made by hand."""
    from zwerm.webrtc.sctp.packet import chunks

    for request in requests:
        packet = wire.left._sender.finish_packet([reconfig.serialize(request)])
        wire.right.receive_datagram(packet, ("dtls", 0), wire.now)
    found = []
    for packet in wire.right.next_transmits():
        for chunk in chunks(packet):
            if chunk.type == ChunkType.RE_CONFIG:
                found += reconfig.parse(chunk.value)
    return found  # type: ignore[return-value]


def test_requests_are_judged_by_their_number() -> None:
    wire = connected()
    first = wire.left._handshake.local_tsn
    last = (first - 1) & TSN_MASK
    add = AddStreams(first, 65_535, is_outgoing=True)
    assert answers(wire, add) == [Response(first, ReconfigResult.DENIED)]
    assert answers(wire, add) == [Response(first, ReconfigResult.DENIED)]
    wrong = (first + 7) & TSN_MASK
    assert answers(wire, AddStreams(wrong, 1, is_outgoing=True)) == [
        Response(wrong, ReconfigResult.BAD_SEQUENCE_NUMBER)
    ]
    second = (first + 1) & TSN_MASK
    assert answers(wire, AssociationReset(second)) == [Response(second, ReconfigResult.DENIED)]
    third = (first + 2) & TSN_MASK
    assert answers(wire, OutgoingReset(third, 0, last, ())) == [Response(third, ReconfigResult.PERFORMED)]
    assert wire.right.next_event() == IncomingStreamsReset(())


def test_a_flood_of_requests_is_answered_once_a_packet() -> None:
    wire = connected()
    first = wire.left._handshake.local_tsn
    flood = [AddStreams((first + 1_000) & TSN_MASK, 1, is_outgoing=True)] * 500
    assert len(answers(wire, *flood)) == 1


def test_a_flood_of_wishes_for_streams_is_limited() -> None:
    wire = connected(outbound_streams=100)
    first = wire.left._handshake.local_tsn
    wishes = [AddStreams((first + index) & TSN_MASK, 1, is_outgoing=False) for index in range(200)]
    for wish in wishes:
        answers(wire, wish)
    assert len(wire.right._reconfiguration._added) <= 8


def test_a_peer_that_cannot_is_not_asked() -> None:
    wire = Wire(association("left"), association("right", reconfiguration=False)).connect()
    with pytest.raises(LocalProtocolError, match="resets no streams"):
        wire.left.reset_streams([1], 0.0)
    with pytest.raises(LocalProtocolError, match="adds no streams"):
        wire.left.add_streams(1, 0.0)
