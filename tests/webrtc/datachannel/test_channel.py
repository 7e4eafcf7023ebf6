"""One channel and its events as values."""

from __future__ import annotations

from zwerm.webrtc.datachannel.channel import (
    BinaryReceived,
    Channel,
    ChannelClosed,
    ChannelOpened,
    ChannelState,
    MessageEvent,
    TextReceived,
)


def test_a_new_channel_is_ours_reliable_and_connecting() -> None:
    channel = Channel("chat")
    assert (channel.state, channel.id, channel.is_ours, channel.is_ordered) == (
        ChannelState.CONNECTING,
        None,
        True,
        True,
    )
    assert channel.max_retransmits is channel.max_lifetime is None


def test_two_channels_of_one_name_are_two() -> None:
    assert Channel("chat") != Channel("chat")
    assert len({Channel("chat"), Channel("chat")}) == 2


def test_the_states_are_the_words_of_the_w3c() -> None:
    assert [state.value for state in ChannelState] == ["connecting", "open", "closing", "closed"]


def test_messages_show_their_size_and_not_what_is_in_them() -> None:
    channel = Channel("chat", id=3)
    assert repr(TextReceived(channel, "secret")) == "TextReceived(channel 3, 6 characters)"
    assert repr(BinaryReceived(channel, b"secret")) == "BinaryReceived(channel 3, 6 bytes)"


def test_messages_are_told_from_other_events() -> None:
    channel = Channel("chat")
    assert isinstance(TextReceived(channel, ""), MessageEvent)
    assert isinstance(BinaryReceived(channel, b""), MessageEvent)
    assert not isinstance(ChannelOpened(channel), MessageEvent)


def test_other_events_compare_by_what_they_say() -> None:
    channel = Channel("chat")
    assert ChannelClosed(channel, "why") == ChannelClosed(channel, "why") != ChannelClosed(channel)
