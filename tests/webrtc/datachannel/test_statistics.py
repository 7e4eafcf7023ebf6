"""What channels count: messages that were taken and told, and bytes of payload."""

from __future__ import annotations

from tests.webrtc.datachannel.test_channels import Two
from zwerm.webrtc.datachannel.channel import ChannelState
from zwerm.webrtc.datachannel.statistics import ChannelStatistics


def test_a_record_is_of_its_moment() -> None:
    two = Two()
    channel, _ = two.opened()
    before = ChannelStatistics.of(channel)
    two.left.send_text(channel, "schön", 0.0)
    two.left.send_binary(channel, b"", 0.0)
    after = ChannelStatistics.of(channel)
    assert (before.messages_sent, before.bytes_sent) == (0, 0)
    assert (after.messages_sent, after.bytes_sent, after.state) == (2, 6, ChannelState.OPEN)


def test_messages_of_the_other_side_count_when_they_are_told() -> None:
    two = Two()
    channel, theirs = two.opened()
    two.right.send_text(theirs, "", 0.0)
    two.right.send_binary(theirs, bytes(10_000), 0.0)
    two.settle()
    (one,) = two.left.statistics().channels
    assert one.channel is channel
    assert (one.messages_received, one.bytes_received, one.messages_sent) == (2, 10_000, 0)


def test_a_channel_that_is_closed_is_counted_and_has_no_record() -> None:
    two = Two()
    channel, _ = two.opened()
    two.left.close(channel, 0.0)
    two.pass_time(1.0)
    for side in (two.left, two.right):
        statistics = side.statistics()
        assert (statistics.opened, statistics.closed, statistics.channels) == (1, 1, ())
        assert statistics.association.state == "established"
