"""What channels counted, for `getStats` (W3C webrtc-stats, RTCDataChannelStats and RTCPeerConnectionStats)."""

from __future__ import annotations

import dataclasses
from typing import Self

from zwerm.webrtc.datachannel.channel import Channel, ChannelState
from zwerm.webrtc.sctp.statistics import AssociationStatistics


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """One channel; bytes are of payload, messages those that `send_*` took and that were told."""

    channel: Channel
    state: ChannelState
    messages_sent: int
    bytes_sent: int
    messages_received: int
    bytes_received: int

    @classmethod
    def of(cls, channel: Channel) -> Self:
        return cls(
            channel,
            channel.state,
            channel.messages_sent,
            channel.bytes_sent,
            channel.messages_received,
            channel.bytes_received,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelsStatistics:
    """All of a connection; of channels those that are not closed."""

    opened: int  # channels that were open at some time
    closed: int  # those of them that left that state
    channels: tuple[ChannelStatistics, ...]
    association: AssociationStatistics
