"""One data channel, and what its owner is told (RFC 8831 section 6)."""

from __future__ import annotations

import dataclasses
import enum
from typing import Final, TypeAlias

MAX_NAME: Final = 65_535  # bytes of a label or protocol


class ChannelState(enum.Enum):
    """The words of the W3C's `readyState`."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclasses.dataclass(eq=False, slots=True)
class Channel:
    """A pair of streams of one number. Everything but the state is fixed; `id` may come with the DTLS role."""

    label: str
    protocol: str = ""
    is_ordered: bool = True
    max_retransmits: int | None = None
    max_lifetime: int | None = None  # milliseconds, as on the wire and in the W3C's maxPacketLifeTime
    priority: int = 256
    is_negotiated: bool = False  # agreed on outside: no OPEN, no ACK
    id: int | None = None
    state: ChannelState = ChannelState.CONNECTING
    is_ours: bool = True  # we opened it
    is_acknowledged: bool = False  # the peer knows it, so that messages may overtake its OPEN
    is_incoming_reset: bool = False  # the peer's side is closed
    is_outgoing_reset: bool = False  # ours is
    messages_sent: int = 0
    bytes_sent: int = 0  # of payload
    messages_received: int = 0
    bytes_received: int = 0
    partial: bytearray = dataclasses.field(default_factory=bytearray, repr=False)  # of the deprecated partial PPIDs


class TextReceived:
    """A string. A plain class, since there may be hundreds of thousands a second."""

    __slots__ = ("channel", "text")

    def __init__(self, channel: Channel, text: str) -> None:
        self.channel = channel
        self.text = text

    def __repr__(self) -> str:
        return f"TextReceived(channel {self.channel.id}, {len(self.text)} characters)"


class BinaryReceived:
    """Bytes."""

    __slots__ = ("channel", "data")

    def __init__(self, channel: Channel, data: bytes) -> None:
        self.channel = channel
        self.data = data

    def __repr__(self) -> str:
        return f"BinaryReceived(channel {self.channel.id}, {len(self.data)} bytes)"


MessageEvent: TypeAlias = TextReceived | BinaryReceived  # those that may be many


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelOpened:
    """A channel of ours may be used."""

    channel: Channel


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelAnnounced:
    """The peer opened a channel; it may be used."""

    channel: Channel


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelClosing:
    """The peer began to close the channel; what it sent before was told."""

    channel: Channel


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelClosed:
    """Both sides are closed; the id is free again. `cause` says why when it was not by closing."""

    channel: Channel
    cause: str = ""
    code: int | None = dataclasses.field(default=None, compare=False)  # SCTP's, where the peer gave one


@dataclasses.dataclass(frozen=True, slots=True)
class BufferLow:
    """What waits to be sent on the channel fell to its threshold."""

    channel: Channel


@dataclasses.dataclass(frozen=True, slots=True)
class TransportConnected:
    """The association below is established."""

    max_channels: int


@dataclasses.dataclass(frozen=True, slots=True)
class TransportClosed:
    """The association below is gone, and with it every channel; an empty `cause`: it was shut down in order."""

    cause: str
    code: int | None = dataclasses.field(default=None, compare=False)  # SCTP's, where the peer gave one


ChannelEvent: TypeAlias = (
    MessageEvent
    | ChannelOpened
    | ChannelAnnounced
    | ChannelClosing
    | ChannelClosed
    | BufferLow
    | TransportConnected
    | TransportClosed
)
