"""What a peer that means harm can do: nothing of it may crash, hang or fill us."""

import struct
from collections.abc import Callable

import pytest

from tests.webrtc.sctp.kit import BINARY, Wire, association, chunks_of, connected, kinds_of
from zwerm.webrtc.sctp.chunks import error
from zwerm.webrtc.sctp.chunks.data import Data, IData
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn, Skipped
from zwerm.webrtc.sctp.chunks.sack import Sack
from zwerm.webrtc.sctp.codes import BEGIN, END, TSN_MASK, UNORDERED, Cause, ChunkType
from zwerm.webrtc.sctp.config import DTLS
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import ConnectionFailed, MessageReceived
from zwerm.webrtc.sctp.packet import Chunk, Header, serialize, with_checksum


def hit(wire: Wire, *chunks: bytes) -> None:
    """Give the right side a packet as its peer would."""
    wire.right.receive_datagram(wire.left._sender.finish_packet(list(chunks)), DTLS, wire.now)


def first_tsn(wire: Wire) -> int:
    return wire.left._handshake.local_tsn


def failure(wire: Wire) -> str:
    [event] = [event for event in wire.right.next_events() if isinstance(event, ConnectionFailed)]
    assert wire.right.state is State.CLOSED
    return event.cause


@pytest.mark.parametrize(
    "forge",
    [
        lambda sent: Sack((sent + 1) & TSN_MASK, 1_000_000),
        lambda sent: Sack((sent + 0x7FFFFFFF) & TSN_MASK, 1_000_000),
        lambda sent: Sack((sent - 3) & TSN_MASK, 1_000_000, ((2, 60_000),)),
        lambda sent: Sack((sent - 3) & TSN_MASK, 1_000_000, ((3, 2),)),
        lambda sent: Sack((sent - 3) & TSN_MASK, 1_000_000, ((0, 1),)),
        lambda sent: Sack((sent - 3) & TSN_MASK, 1_000_000, ((1, 2),)),
    ],
    ids=["one beyond", "far beyond", "gap beyond", "gap backwards", "gap of zero", "gap at the next"],
)
def test_a_sack_for_what_was_never_sent_is_ignored(forge: Callable[[int], Sack]) -> None:
    wire = connected()
    for _ in range(4):
        wire.right.send(1, bytes(1_000), ppid=BINARY, now=0.0)
    wire.right.next_transmits()
    sent = (wire.right._handshake.local_tsn + 3) & TSN_MASK
    before = wire.right._sender.outstanding.flight
    hit(wire, forge(sent).serialize())
    assert wire.right._sender.outstanding.flight == before == 4_000
    assert wire.right.state is State.ESTABLISHED


def test_a_bomb_of_gap_blocks_costs_no_more_than_what_was_sent() -> None:
    wire = connected()
    for _ in range(8):
        wire.right.send(1, bytes(1_000), ppid=BINARY, now=0.0)
    wire.right.next_transmits()
    gaps = tuple((2 + 2 * index, 2 + 2 * index) for index in range(250))
    hit(wire, Sack((wire.right._handshake.local_tsn - 1) & TSN_MASK, 1_000_000, gaps).serialize())
    assert wire.right._sender.outstanding.flight == 8_000


def test_gaps_of_our_own_making_are_limited() -> None:
    """A peer that leaves out every second TSN makes us remember only so many ranges."""
    wire = connected(interleaving=False, max_gap_ranges=100)
    for index in range(1_000):
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + 1 + 2 * index) & TSN_MASK, 1, index, 53, b"x").serialize())
    assert len(wire.right._receiver.queue._ranges) == 100
    [packet] = wire.right.next_transmits()
    assert len(packet) <= wire.right.config.packet_size


def test_fragments_that_never_become_a_message_are_limited() -> None:
    wire = connected(interleaving=False, max_fragments=1_000, max_message_size=1 << 30)
    hit(wire, Data(BEGIN, first_tsn(wire), 1, 0, 53, b"x").serialize())
    for index in range(1, 5_000):
        hit(wire, Data(0, (first_tsn(wire) + index) & TSN_MASK, 1, 0, 53, b"x").serialize())
    assert "fragments" in failure(wire)


def test_a_message_without_end_is_limited() -> None:
    wire = connected(interleaving=False, max_message_size=10_000)
    hit(wire, Data(BEGIN, first_tsn(wire), 1, 0, 53, bytes(1_000)).serialize())
    for index in range(1, 11):
        hit(wire, Data(0, (first_tsn(wire) + index) & TSN_MASK, 1, 0, 53, bytes(1_000)).serialize())
    assert failure(wire) == "a message of more than 10000 bytes"


def test_messages_begun_and_never_ended_are_limited() -> None:
    wire = connected(max_partial_messages=50)
    for index in range(51):
        hit(wire, IData(BEGIN, (first_tsn(wire) + index) & TSN_MASK, index, 0, 53, 0, b"x").serialize())
    assert "messages that are not complete" in failure(wire)


def test_more_than_the_window_is_dropped() -> None:
    wire = connected(interleaving=False, receive_window=20_000)
    for index in range(1, 100):
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + index) & TSN_MASK, 1, index, 53, bytes(1_000)).serialize())
    assert wire.right._receiver.reassembly.buffered <= 20_000


def test_messages_that_nobody_takes_are_limited() -> None:
    wire = connected(interleaving=False, max_events=100)
    for index in range(1_000):
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + index) & TSN_MASK, 1, index, 53, b"x").serialize())
    assert len(wire.right._events) == 100


def test_a_flood_of_requests_gets_so_many_answers() -> None:
    wire = connected()
    for _ in range(1_000):
        hit(wire, *[Chunk(ChunkType.HEARTBEAT, 0, b"?").serialize()] * 20)
    assert len(chunks_of(wire.right.next_transmits(2_000))) <= wire.right.config.max_control_chunks + 1


def test_streams_that_are_not_there_are_refused_one_by_one() -> None:
    wire = connected(inbound_streams=4, interleaving=False)
    for index in range(200):
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + index) & TSN_MASK, 4 + index, 0, 53, b"x").serialize())
    assert wire.right.next_events() == []
    assert wire.right._receiver.reassembly._streams == {}
    assert kinds_of(wire.right.next_transmits()).count(ChunkType.ERROR) <= wire.right.config.max_control_chunks


def test_a_tsn_far_ahead_is_dropped() -> None:
    wire = connected(interleaving=False)
    for ahead in (70_000, 0x7FFFFFFF, 0x80000001):
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + ahead) & TSN_MASK, 1, 0, 53, b"x").serialize())
    assert wire.right.next_events() == []
    assert not wire.right._receiver.queue.has_holes


def test_a_forward_tsn_far_ahead_costs_nothing() -> None:
    wire = connected()
    target = (first_tsn(wire) + 0x7FFFFFF0) & TSN_MASK
    hit(wire, ForwardTsn(target, (Skipped(1, 5), Skipped(65_535, 1))).serialize(interleaving=True))
    assert wire.right._receiver.queue.cumulative & TSN_MASK == target
    hit(wire, ForwardTsn((target - 5) & TSN_MASK).serialize(interleaving=True))
    assert wire.right._receiver.queue.cumulative & TSN_MASK == target


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        (lambda tsn: [Data(BEGIN, tsn, 1, 0, 53, b"a"), Data(0, tsn + 1, 2, 0, 53, b"b")], "inside a message"),
        (lambda tsn: [Data(BEGIN, tsn, 1, 0, 53, b"a"), Data(END, tsn + 1, 1, 1, 53, b"b")], "inside a message"),
        (lambda tsn: [Data(BEGIN | END, tsn + index, 1, 5, 53, b"a") for index in range(2)], "two messages"),
    ],
    ids=["another stream", "another number", "a number twice"],
)
def test_fragments_that_contradict_each_other_end_it(chunks: Callable[[int], list[Data]], words: str) -> None:
    wire = association("left", interleaving=False), association("right", interleaving=False)
    pair = Wire(*wire).connect()
    hit(pair, *[data._replace(tsn=data.tsn & TSN_MASK).serialize() for data in chunks(first_tsn(pair))])
    assert words in failure(pair)
    assert kinds_of(pair.right.next_transmits()) == [ChunkType.ABORT]


@pytest.mark.parametrize(
    "chunks",
    [
        lambda tsn: [
            IData(BEGIN, tsn, 1, 0, 53, 0, b"a"),
            IData(0, tsn + 1, 1, 0, 0, 2, b"c"),
            IData(0, tsn + 2, 1, 0, 0, 2, b"c"),
        ],
        lambda tsn: [
            IData(0, tsn, 1, 0, 0, 2, b"c"),
            IData(BEGIN, tsn + 1, 1, 0, 53, 0, b"a"),
            IData(END, tsn + 2, 1, 0, 0, 1, b"b"),
        ],
        lambda tsn: [IData(BEGIN, tsn, 1, 0, 53, 0, b"a"), IData(BEGIN, tsn + 1, 1, 0, 53, 0, b"a")],
    ],
    ids=["a fragment twice", "one after the last", "begun twice"],
)
def test_interleaved_fragments_that_contradict_each_other_end_it(chunks: Callable[[int], list[IData]]) -> None:
    wire = connected()
    hit(wire, *[data._replace(tsn=data.tsn & TSN_MASK).serialize() for data in chunks(first_tsn(wire))])
    assert failure(wire)


def test_data_without_payload_ends_it() -> None:
    wire = connected(interleaving=False)
    hit(wire, Chunk(ChunkType.DATA, BEGIN | END, struct.pack("!IHHI", first_tsn(wire), 1, 0, 53)).serialize())
    [abort] = chunks_of(wire.right.next_transmits())
    assert error.causes_untrusted(abort.value)[0].type == Cause.NO_USER_DATA


def test_the_kind_of_data_that_was_not_agreed_on_ends_it() -> None:
    wire = connected()
    hit(wire, Data(BEGIN | END, first_tsn(wire), 1, 0, 53, b"x").serialize())
    assert "other kind" in failure(wire)


@pytest.mark.parametrize("tag", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [ChunkType.I_DATA, ChunkType.ABORT, ChunkType.SHUTDOWN_ACK, ChunkType.SACK])
def test_a_wrong_verification_tag_is_dropped(tag: int, kind: ChunkType) -> None:
    wire = connected()
    packet = serialize(Header(5_000, 5_000, tag), [Chunk(kind, 0, bytes(20)).serialize()])
    assert not wire.right.receive_datagram(packet, DTLS, 0.0)
    assert wire.right.state is State.ESTABLISHED
    assert wire.right.next_transmits() == []


def test_an_abort_may_carry_its_senders_tag_only_with_the_bit_that_says_so() -> None:
    wire = connected()
    reflected = wire.right._handshake.peer_tag
    without = serialize(Header(5_000, 5_000, reflected), [error.abort(Cause.USER_INITIATED)])
    assert not wire.right.receive_datagram(without, DTLS, 0.0)
    with_bit = serialize(Header(5_000, 5_000, reflected), [error.abort(Cause.USER_INITIATED, flags=1)])
    assert wire.right.receive_datagram(with_bit, DTLS, 0.0)
    assert wire.right.state is State.CLOSED


def test_a_wrong_checksum_is_dropped() -> None:
    wire = connected()
    packet = wire.left._sender.finish_packet([error.abort(Cause.USER_INITIATED)])
    assert not wire.right.receive_datagram(packet[:8] + b"\1\2\3\4" + packet[12:], DTLS, 0.0)
    assert wire.right.receive_datagram(with_checksum(packet[:8] + bytes(4) + packet[12:]), DTLS, 0.0)


def test_where_zero_was_not_offered_it_is_a_wrong_checksum() -> None:
    wire = connected(zero_checksum=False)
    packet = wire.left._sender.finish_packet([error.abort(Cause.USER_INITIATED)])
    assert not wire.right.receive_datagram(packet[:8] + bytes(4) + packet[12:], DTLS, 0.0)


@pytest.mark.parametrize(
    ("kind", "is_reported", "is_skipped"),
    [(0x3F, False, False), (0x7F, True, False), (0xBF, False, True), (0xFF, True, True)],
)
def test_unknown_chunks_do_what_their_bits_say(kind: int, *, is_reported: bool, is_skipped: bool) -> None:
    wire = connected()
    hit(wire, Chunk(kind, 0, b"what?").serialize(), Chunk(ChunkType.HEARTBEAT, 0, b"ping").serialize())
    answered = kinds_of(wire.right.next_transmits())
    assert (ChunkType.ERROR in answered) == is_reported
    assert (ChunkType.HEARTBEAT_ACK in answered) == is_skipped


@pytest.mark.parametrize(
    "kind",
    [ChunkType.SHUTDOWN_ACK, ChunkType.SHUTDOWN_COMPLETE, ChunkType.COOKIE_ACK, ChunkType.INIT_ACK, ChunkType.PAD],
)
def test_chunks_out_of_turn_change_nothing(kind: ChunkType) -> None:
    wire = connected()
    hit(wire, Chunk(kind, 0, b"").serialize())
    assert wire.right.state is State.ESTABLISHED
    wire.send(b"x")
    wire.settle()
    assert wire.received() == [b"x"]


def test_a_shutdown_that_acknowledges_what_was_never_sent_is_ignored() -> None:
    wire = connected()
    hit(
        wire,
        Chunk(ChunkType.SHUTDOWN, 0, struct.pack("!I", (wire.right._handshake.local_tsn + 9) & TSN_MASK)).serialize(),
    )
    assert wire.right.state is State.ESTABLISHED


def test_data_during_a_shutdown_does_not_keep_it_open_for_ever() -> None:
    wire = connected(rto_max=1.0, interleaving=False)
    wire.right.shutdown(0.0)
    wire.right.next_transmits()
    for index in range(100):
        wire.now = index * 0.1
        wire.right.handle_timeout(wire.now)
        hit(wire, Data(BEGIN | END, (first_tsn(wire) + index) & TSN_MASK, 1, index, 53, b"x").serialize())
        wire.right.next_transmits()
    assert wire.right.state is State.CLOSED


def test_a_peer_that_reneges_gets_it_again() -> None:
    wire = connected()
    for _ in range(4):
        wire.right.send(1, bytes(1_100), ppid=BINARY, now=0.0)
    wire.right.next_transmits()
    first = wire.right._handshake.local_tsn
    hit(wire, Sack((first - 1) & TSN_MASK, 1_000_000, ((2, 2),)).serialize())
    hit(wire, Sack(first, 1_000_000).serialize())
    assert wire.right._sender.outstanding.lost_bytes >= 1_100


@pytest.mark.parametrize("step", [1, 200], ids=["one by one", "far"])
def test_a_forward_tsn_delivers_what_waits_behind_what_it_skips(step: int) -> None:
    wire = connected(interleaving=False)
    first = first_tsn(wire)
    for index in range(1, 100):
        hit(wire, Data(BEGIN | END, (first + index) & TSN_MASK, 1, index, 53, b"%d" % index).serialize())
    hit(wire, ForwardTsn(first, (Skipped(1, 0),) if step == 1 else (Skipped(1, 60),)).serialize(interleaving=False))
    events = wire.right.next_events()
    assert [event.data for event in events if isinstance(event, MessageReceived)] == [
        b"%d" % index for index in range(1, 100)
    ]


def test_skipping_many_streams_passes_once_over_what_waits() -> None:
    wire = connected()
    for index in range(500):
        hit(wire, IData(BEGIN, (first_tsn(wire) + index) & TSN_MASK, index, 0, 53, 0, b"x").serialize())
    skipped = tuple(Skipped(index, 0) for index in range(140))
    hit(wire, ForwardTsn((first_tsn(wire) + 500) & TSN_MASK, skipped).serialize(interleaving=True))
    assert len(wire.right._receiver.reassembly._by_key) == 360


def test_no_more_chunks_fly_than_gap_blocks_can_name() -> None:
    wire = connected(heartbeat_interval=0.0)
    wire.left._sender.congestion.cwnd = 1e9
    for _ in range(70_000):
        wire.send(b"x")
    while wire.left.next_transmits():
        pass
    outstanding = wire.left._sender.outstanding
    assert 59_000 < outstanding.next_tsn - outstanding.first_tsn <= 60_000


@pytest.mark.parametrize("is_unordered", [False, True], ids=["ordered", "unordered"])
@pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])
def test_late_fragments_of_a_message_given_up_are_not_kept(*, is_unordered: bool, interleaving: bool) -> None:
    """They come after the FORWARD-TSN for those before them, and no other follows."""
    wire, loose = connected(interleaving=interleaving), UNORDERED if is_unordered else 0
    first = first_tsn(wire)
    skipped = (Skipped(1, 0, is_unordered),) if interleaving or not is_unordered else ()
    hit(wire, ForwardTsn((first + 1) & TSN_MASK, skipped).serialize(interleaving=interleaving))
    for index, flags in ((3, loose), (2, loose), (4, loose | END)):
        tsn = (first + index) & TSN_MASK
        if interleaving:
            hit(wire, IData(flags, tsn, 1, 0, 0, index, b"late").serialize())
        else:
            hit(wire, Data(flags, tsn, 1, 0, 53, b"late").serialize())
    reassembly = wire.right._receiver.reassembly
    assert (reassembly.buffered, reassembly._pieces) == (0, 0)
    assert wire.right.next_events() == []
