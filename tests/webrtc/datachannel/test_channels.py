"""RFC 8831 and RFC 8832: channels opened, used and closed over an association."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import PEER, Subject, check_machine
from tests.webrtc.sctp.kit import association, chunks_of
from zwerm.core.errors import LocalProtocolError
from zwerm.core.random import seeded
from zwerm.webrtc.datachannel.channel import (
    BinaryReceived,
    BufferLow,
    Channel,
    ChannelAnnounced,
    ChannelClosed,
    ChannelClosing,
    ChannelEvent,
    ChannelOpened,
    ChannelState,
    TextReceived,
    TransportClosed,
    TransportConnected,
)
from zwerm.webrtc.datachannel.channels import BINARY_PARTIAL, DCEP, STRING, STRING_PARTIAL, DataChannels
from zwerm.webrtc.datachannel.dcep import Open
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.codes import UNORDERED, ChunkType
from zwerm.webrtc.sctp.config import DTLS


class Two:
    """Two sides, the left one the DTLS client."""

    def __init__(self, *, is_started: bool = True, **options: object) -> None:
        self.now = 0.0
        self.left = DataChannels(association("left", **options), is_dtls_client=True)
        self.right = DataChannels(association("right"), is_dtls_client=False, max_incoming=20)
        self.left_events: list[ChannelEvent] = []
        self.right_events: list[ChannelEvent] = []
        self.passed: list[bytes] = []
        if is_started:
            self.left.association.connect(0.0)
            self.settle()
            self.left_events.clear()
            self.right_events.clear()

    def settle(self) -> None:
        for _ in range(1_000):
            to_right, to_left = self.left.next_transmits(), self.right.next_transmits()
            self.passed += to_right + to_left
            if not to_right and not to_left:
                break
            self.right.receive_datagrams(to_right, DTLS, self.now)
            self.left.receive_datagrams(to_left, DTLS, self.now)
        self.left_events += self.left.next_events()
        self.right_events += self.right.next_events()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            self.settle()
            due = [timeout for side in (self.left, self.right) if (timeout := side.next_timeout()) is not None]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            self.left.handle_timeout(self.now)
            self.right.handle_timeout(self.now)
        self.now = end

    def opened(self, label: str = "x", **options: object) -> tuple[Channel, Channel]:
        """A channel open on both sides."""
        channel = self.left.open(label, now=self.now, **options)  # type: ignore[arg-type]
        self.settle()
        [theirs] = [event.channel for event in self.right_events if isinstance(event, ChannelAnnounced)]
        self.left_events.clear()
        self.right_events.clear()
        return channel, theirs


def test_a_channel_is_opened_and_announced_as_it_was_asked_for() -> None:
    two = Two()
    channel = two.left.open("game", protocol="v1", is_ordered=False, max_retransmits=2, priority=512, now=0.0)
    two.settle()
    assert two.left_events == [ChannelOpened(channel)]
    [announced] = two.right_events
    assert isinstance(announced, ChannelAnnounced)
    theirs = announced.channel
    assert (theirs.label, theirs.protocol, theirs.is_ordered, theirs.max_retransmits, theirs.max_lifetime) == (
        "game",
        "v1",
        False,
        2,
        None,
    )
    assert (theirs.priority, theirs.id, theirs.is_ours) == (512, channel.id, False)
    assert channel.is_acknowledged


def test_numbers_are_even_for_the_dtls_client_and_odd_for_the_server() -> None:
    two = Two()
    assert [two.left.open("", now=0.0).id for _ in range(3)] == [0, 2, 4]
    assert [two.right.open("", now=0.0).id for _ in range(3)] == [1, 3, 5]


def test_channels_opened_before_anything_is_known_wait() -> None:
    two = Two(is_started=False)
    two.left = DataChannels(two.left.association)
    first, second = two.left.open("a", now=0.0), two.left.open("b", now=0.0)
    assert first.id is None
    with pytest.raises(LocalProtocolError, match="connecting"):
        two.left.send_text(first, "early", 0.0)
    two.left.set_role(is_dtls_client=True, now=0.0)
    assert (first.id, second.id) == (0, 2)
    two.left.association.connect(0.0)
    two.settle()
    assert two.left_events == [ChannelOpened(first), ChannelOpened(second), TransportConnected(65_535)]
    assert [type(event) for event in two.right_events] == [TransportConnected, ChannelAnnounced, ChannelAnnounced]


def received(events: list[ChannelEvent]) -> list[str | bytes]:
    return [
        event.text if isinstance(event, TextReceived) else event.data
        for event in events
        if isinstance(event, TextReceived | BinaryReceived)
    ]


def test_text_bytes_and_empty_messages_arrive_as_what_they_were() -> None:
    two = Two()
    channel, theirs = two.opened()
    two.left.send_text(channel, "grüße", 0.0)
    two.left.send_binary(channel, b"\0\1", 0.0)
    two.left.send_text(channel, "", 0.0)
    two.left.send_binary(channel, b"", 0.0)
    two.right.send_text(theirs, "back", 0.0)
    two.settle()
    assert received(two.right_events) == ["grüße", b"\0\1", "", b""]
    assert received(two.left_events) == ["back"]


def test_until_it_is_acknowledged_an_unordered_channel_sends_in_order() -> None:
    two = Two()
    channel = two.left.open("x", is_ordered=False, now=0.0)
    two.left.send_text(channel, "first", 0.0)
    two.settle()
    two.left.send_text(channel, "second", 0.0)
    two.settle()
    sent = [chunk for chunk in chunks_of(two.passed) if chunk.type == ChunkType.I_DATA]
    flags = {word: [chunk.flags for chunk in sent if chunk.value.endswith(word)] for word in (b"first", b"second")}
    assert [bool(flag & UNORDERED) for flag in flags[b"first"]] == [False]
    assert [bool(flag & UNORDERED) for flag in flags[b"second"]] == [True]
    assert received(two.right_events) == ["first", "second"]


def test_a_negotiated_channel_needs_no_open() -> None:
    two = Two()
    left = two.left.open("x", negotiated_id=7, now=0.0)
    right = two.right.open("x", negotiated_id=7, now=0.0)
    two.left.send_text(left, "hi", 0.0)
    two.settle()
    assert two.left_events == [ChannelOpened(left)]
    assert two.right_events[0] == ChannelOpened(right)
    assert received(two.right_events) == ["hi"]
    with pytest.raises(LocalProtocolError, match="taken"):
        two.left.open("y", negotiated_id=7, now=0.0)


def test_closing_lets_what_was_sent_arrive_and_frees_the_number() -> None:
    two = Two()
    channel, theirs = two.opened()
    two.left.send_binary(channel, bytes(50_000), 0.0)
    two.left.close(channel, 0.0)
    assert channel.state is ChannelState.CLOSING
    with pytest.raises(LocalProtocolError, match="closing"):
        two.left.send_text(channel, "late", 0.0)
    two.pass_time(2.0)
    assert [type(event) for event in two.right_events] == [BinaryReceived, ChannelClosing, ChannelClosed]
    assert two.left_events == [ChannelClosed(channel)]
    assert channel.state is theirs.state is ChannelState.CLOSED
    assert two.left.open("again", now=two.now).id == channel.id
    two.settle()
    assert isinstance(two.right_events[-1], ChannelAnnounced)


def test_both_sides_may_close_at_once() -> None:
    two = Two()
    channel, theirs = two.opened()
    two.left.close(channel, 0.0)
    two.right.close(theirs, 0.0)
    two.pass_time(2.0)
    assert two.left_events == [ChannelClosed(channel)]
    assert two.right_events == [ChannelClosed(theirs)]
    two.left.close(channel, two.now)


def test_a_channel_may_be_closed_before_it_ever_opened() -> None:
    two = Two(is_started=False)
    channel = two.left.open("x", now=0.0)
    two.left.close(channel, 0.0)
    two.left.association.connect(0.0)
    two.settle()
    assert ChannelClosed(channel) in two.left_events
    assert not any(isinstance(event, ChannelAnnounced) for event in two.right_events)


def test_when_the_association_ends_every_channel_does() -> None:
    two = Two()
    channel, theirs = two.opened()
    two.left.association.abort(0.0, "enough")
    two.settle()
    assert two.left_events == [ChannelClosed(channel, "enough"), TransportClosed("enough")]
    codes = [event.code for event in two.right_events if isinstance(event, ChannelClosed | TransportClosed)]
    assert codes == [12, 12]  # user initiated
    assert [type(event) for event in two.right_events] == [ChannelClosed, TransportClosed]
    assert theirs.state is ChannelState.CLOSED
    with pytest.raises(LocalProtocolError, match="over"):
        two.left.open("x", now=0.0)


def test_the_buffered_amount_falls_to_its_threshold() -> None:
    two = Two()
    channel, _ = two.opened()
    two.left.set_low_threshold(channel, 1_000)
    two.left.send_binary(channel, bytes(20_000), 0.0)
    assert two.left.buffered_amount(channel) == 20_000
    two.pass_time(1.0)
    assert two.left_events == [BufferLow(channel)]


def test_no_message_is_longer_than_the_peer_takes() -> None:
    two = Two()
    channel, _ = two.opened()
    with pytest.raises(LocalProtocolError, match="the peer takes 65536"):
        two.left.send_binary(channel, bytes(65_537), 0.0)
    two.left.peer_max_message_size = 0
    two.left.send_binary(channel, bytes(300_000), 0.0)
    two.pass_time(1.0)
    assert [len(data) for data in received(two.right_events)] == [300_000]


@pytest.mark.parametrize(
    "options",
    [
        {"max_retransmits": 1, "max_lifetime": 1},
        {"max_retransmits": 65_536},
        {"max_lifetime": -1},
        {"protocol": "x" * 65_536},
        {"negotiated_id": 65_535},
    ],
    ids=["both limits", "many retransmits", "negative lifetime", "long protocol", "id beyond"],
)
def test_misuse_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        Two().left.open("x", now=0.0, **options)  # type: ignore[arg-type]


def raw(two: Two, stream_id: int, data: bytes, ppid: int) -> None:
    """Let the left association send by itself."""
    two.left.association.send(stream_id, data, ppid=ppid, now=two.now)
    two.settle()


def test_the_deprecated_partial_messages_are_put_together() -> None:
    two = Two()
    channel, _ = two.opened()
    assert channel.id is not None
    raw(two, channel.id, b"one ", STRING_PARTIAL)
    raw(two, channel.id, b"two", STRING)
    raw(two, channel.id, b"\1", BINARY_PARTIAL)
    raw(two, channel.id, b"\2", 53)
    assert received(two.right_events) == ["one two", b"\1\2"]


def test_partial_messages_without_end_close_the_channel() -> None:
    two = Two()
    channel, theirs = two.opened()
    assert channel.id is not None
    limit = two.right.association.config.max_message_size
    theirs.partial += bytes(limit)
    raw(two, channel.id, b"x", STRING_PARTIAL)
    two.pass_time(1.0)
    assert theirs.state is ChannelState.CLOSED
    assert not theirs.partial


@pytest.mark.parametrize("ppid", [0, 55, 99])
def test_an_unknown_ppid_is_dropped(ppid: int) -> None:
    two = Two()
    channel, _ = two.opened()
    assert channel.id is not None
    raw(two, channel.id, b"x", ppid)
    assert two.right_events == []


def test_a_message_on_a_stream_without_channel_is_dropped() -> None:
    two = Two()
    raw(two, 100, b"x", STRING)
    assert two.right_events == []


@pytest.mark.parametrize(
    ("stream_id", "data"),
    [(4, b"\3"), (5, Open("odd is the server's").serialize()), (6, b"\3\3" + bytes(10))],
    ids=["malformed", "our numbers", "unknown type"],
)
def test_an_open_that_may_not_be_is_refused_by_a_reset(stream_id: int, data: bytes) -> None:
    two = Two()
    raw(two, stream_id, data, DCEP)
    two.pass_time(1.0)
    assert not any(isinstance(event, ChannelAnnounced) for event in two.right_events)
    assert two.right.channels() == []
    assert ChunkType.RE_CONFIG in [chunk.type for chunk in chunks_of(two.passed)]


def test_an_open_on_a_stream_in_use_changes_nothing() -> None:
    two = Two()
    channel, theirs = two.opened("first")
    assert channel.id is not None
    raw(two, channel.id, Open("second").serialize(), DCEP)
    assert two.right_events == []
    assert theirs.label == "first"


def test_a_flood_of_channels_is_limited() -> None:
    two = Two()
    for _ in range(50):
        two.left.open("x", now=0.0)
    two.pass_time(2.0)
    assert len(two.right.channels()) == 20


def test_a_flood_of_long_names_is_limited() -> None:
    two = Two()
    two.right._max_name_bytes = 100_000
    for _ in range(10):
        two.left.open("x" * 30_000, now=0.0)
    two.pass_time(2.0)
    assert len(two.right.channels()) == 3


def test_text_that_is_not_utf_8_is_shown_as_far_as_it_goes() -> None:
    two = Two()
    channel, _ = two.opened()
    assert channel.id is not None
    raw(two, channel.id, b"a\xffb", STRING)
    assert received(two.right_events) == ["a\ufffdb"]


def test_the_machine_obeys_the_laws() -> None:
    def opened(now: float, **_: object) -> DataChannels:
        left = DataChannels(Association(random=seeded("l"), now=now, peer=PEER), is_dtls_client=True)
        right = Association(random=seeded("r"), now=now)
        left.association.connect(now)
        for _ in range(4):
            right.receive_datagrams(left.next_transmits(), DTLS, now)
            left.receive_datagrams(right.next_transmits(), DTLS, now)
        left.next_events()
        return left

    def inputs() -> list[bytes]:
        left = Association(random=seeded("l"), now=0.0)
        right = Association(random=seeded("r"), now=0.0)
        left.connect(0.0)
        for _ in range(4):
            right.receive_datagrams(left.next_transmits(), DTLS, 0.0)
            left.receive_datagrams(right.next_transmits(), DTLS, 0.0)
        for stream_id, data, ppid in ((1, Open("x").serialize(), DCEP), (1, b"hello", STRING), (1, b"\2", DCEP)):
            right.send(stream_id, data, ppid=ppid, now=0.0)
        return list(iter(lambda: b"".join(right.next_transmits(1)), b""))

    check_machine(
        Subject(
            make=lambda now, random: opened(now),
            valid=inputs(),
            commands=[
                lambda machine: machine.open("y", now=machine.association.now),
                lambda machine: (
                    machine.send_text(machine.channels()[0], "x", machine.association.now)
                    if machine.channels()
                    else None
                ),
                lambda machine: (
                    machine.close(machine.channels()[0], machine.association.now) if machine.channels() else None
                ),
            ],
            seeds=range(8),
            memory_after_flood=262_144,
        )
    )


def test_a_channel_beyond_what_the_peer_takes_is_closed_with_a_cause() -> None:
    two = Two(is_started=False, inbound_streams=4)
    far = two.left.open("far", negotiated_id=9, now=0.0)
    near = two.left.open("near", negotiated_id=3, now=0.0)
    two.left.association.connect(0.0)
    two.settle()
    assert ChannelClosed(far, "id 9, the peer has 4 streams") in two.left_events
    assert near.state is ChannelState.OPEN


def test_there_are_no_more_channels_than_streams() -> None:
    two = Two(inbound_streams=4)
    assert [two.left.open("", now=0.0).id for _ in range(2)] == [0, 2]
    with pytest.raises(LocalProtocolError, match="in use"):
        two.left.open("", now=0.0)


def test_a_peer_that_begins_anew_closes_every_channel() -> None:
    two = Two()
    _, theirs = two.opened()
    two.left = DataChannels(association("left again"), is_dtls_client=True)
    two.left.association.connect(0.0)
    two.settle()
    assert ChannelClosed(theirs, "the peer began anew") in two.right_events
    two.left.open("y", now=0.0)
    two.settle()
    assert isinstance(two.right_events[-1], ChannelAnnounced)


def test_toward_a_peer_that_resets_no_streams_a_channel_closes_here_alone() -> None:
    two = Two(is_started=False, reconfiguration=False)
    two.left.association.connect(0.0)
    two.settle()
    two.left_events.clear()
    two.right_events.clear()
    channel, _ = two.opened()
    two.left.close(channel, 0.0)
    assert two.left.next_events() == [ChannelClosed(channel, "the streams of the association cannot be reset")]


def test_a_shutdown_in_order_has_no_cause() -> None:
    two = Two()
    channel, _ = two.opened()
    two.left.association.shutdown(0.0)
    two.pass_time(2.0)
    assert two.left_events == [ChannelClosed(channel, "the association was shut down"), TransportClosed("")]


def test_without_an_id_there_is_nothing_buffered_and_no_threshold() -> None:
    channels = DataChannels(association())
    channel = channels.open("x", now=0.0)
    assert channels.buffered_amount(channel) == 0
    with pytest.raises(LocalProtocolError, match="no id"):
        channels.set_low_threshold(channel, 1)
    channels.close(channel, 0.0)
    assert channels.next_event() == ChannelClosed(channel)
    assert repr(TextReceived(channel, "x")) == "TextReceived(channel None, 1 characters)"
    assert repr(BinaryReceived(channel, b"x")) == "BinaryReceived(channel None, 1 bytes)"
