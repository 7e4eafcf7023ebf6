"""One stream on a data channel: what came and was not read, and what its flags say (libp2p specs, webrtc/README.md).

Each direction closes by itself. Ours ends with FIN, and is known to have arrived with FIN_ACK; theirs the other way
round. Either side may give up: RESET_STREAM the direction that it sends, STOP_SENDING the one that it reads. When both
directions are over the channel is closed, and its number is free.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Final

from zwerm.core.errors import WireError
from zwerm.libp2p.transports.webrtc_direct.message import Flag, MessageReader
from zwerm.webrtc.datachannel.channel import Channel

OVERHEAD: Final = 64  # bytes that each message takes beside its data, so that many small ones count as what they are


class WriteState(enum.Enum):
    """Our direction."""

    OPEN = "we may send"
    FINISHING = "we sent FIN, which was not acknowledged"
    FINISHED = "all that we sent was received"
    STOPPED = "the peer reads no more"
    RESET = "we gave up, or the channel broke"


class ReadState(enum.Enum):
    """The peer's direction."""

    OPEN = "more may come"
    FINISHED = "the peer sent FIN"
    STOPPED = "we read no more"
    RESET = "the peer gave up, or the channel broke"


class StreamState:
    """See the module. What it has to send are flags, in `flags`; data is the session's to send."""

    __slots__ = (
        "_reader",
        "channel",
        "counted",
        "flags",
        "is_ours",
        "is_told",
        "read",
        "unread",
        "unread_size",
        "write",
    )

    def __init__(self, channel: Channel, *, is_ours: bool) -> None:
        self.channel = channel
        self.is_ours = is_ours
        self.is_told = is_ours  # its owner knows it
        self.write = WriteState.OPEN
        self.read = ReadState.OPEN
        self.unread: deque[bytes] = deque()
        self.unread_size = 0  # bytes
        self.counted = 0  # what of `unread_cost` its session has counted
        self.flags: deque[Flag] = deque()  # at most one of each at a time, and FIN_ACK
        self._reader = MessageReader()

    @property
    def is_over(self) -> bool:
        """Whether both directions are; what was received may still be read."""
        return self.write not in (WriteState.OPEN, WriteState.FINISHING) and self.read is not ReadState.OPEN

    @property
    def unread_cost(self) -> int:
        """Bytes of memory that what was not read takes, or a bit more."""
        return self.unread_size + OVERHEAD * len(self.unread)

    # What comes.

    def receive(self, data: bytes) -> None:
        """Take untrusted bytes of the channel.

        Raises:
            WireError: they are no messages; the stream is to be reset.
        """
        for message in self._reader.receive(data):
            if message.data:
                if self.read is ReadState.OPEN:
                    self.unread.append(message.data)
                    self.unread_size += len(message.data)
                elif self.read is ReadState.FINISHED:
                    raise WireError("data after FIN")
            if message.flag is not None:
                self._receive_flag(message.flag)

    def _receive_flag(self, flag: Flag) -> None:
        match flag:
            case Flag.FIN:
                if self.read is ReadState.OPEN:
                    self.read = ReadState.FINISHED
                self._say(Flag.FIN_ACK)
            case Flag.FIN_ACK:
                if self.write is WriteState.FINISHING:
                    self.write = WriteState.FINISHED
            case Flag.STOP_SENDING:
                if self.write in (WriteState.OPEN, WriteState.FINISHING):
                    self.write = WriteState.STOPPED
            case Flag.RESET_STREAM:
                if self.read is not ReadState.STOPPED:
                    self.read = ReadState.RESET
                    self._drop()

    def channel_closed(self) -> None:
        """The channel is closing or gone: what was not finished by then never will be."""
        if self.read is ReadState.OPEN:
            self.read = ReadState.RESET
            self._drop()
        if self.write is WriteState.FINISHING:
            self.write = WriteState.FINISHED  # whoever closes has our FIN, or no interest in it
        elif self.write is WriteState.OPEN:
            self.write = WriteState.RESET

    # Commands.

    def finish(self) -> None:
        """Nothing follows. Harmless when our direction is over."""
        if self.write is WriteState.OPEN:
            self.write = WriteState.FINISHING
            self._say(Flag.FIN)

    def stop_reading(self) -> None:
        """Throw away what came and what will come."""
        self._drop()
        if self.read is ReadState.OPEN:
            self.read = ReadState.STOPPED
            self._say(Flag.STOP_SENDING)

    def reset(self) -> None:
        """Give up both directions."""
        self.stop_reading()
        if self.write in (WriteState.OPEN, WriteState.FINISHING):
            self.write = WriteState.RESET
            self._say(Flag.RESET_STREAM)

    def take(self, limit: int) -> bytes:
        """The next unread bytes, at most `limit`; empty when there are none."""
        if not self.unread:
            return b""
        data = self.unread.popleft()
        if len(data) > limit:
            self.unread.appendleft(data[limit:])
            data = data[:limit]
        elif self.unread and len(data) + len(self.unread[0]) <= limit:
            parts, size = [data], len(data)
            while self.unread and size + len(self.unread[0]) <= limit:
                parts.append(self.unread.popleft())
                size += len(parts[-1])
            data = b"".join(parts)
        self.unread_size -= len(data)
        return data

    def _drop(self) -> None:
        self.unread.clear()
        self.unread_size = 0

    def _say(self, flag: Flag) -> None:
        if flag not in self.flags:
            self.flags.append(flag)
