"""STUN and TURN over a stream of bytes: where one message ends (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

The two first bits tell what comes: 00 a STUN message, which has its length in the header, 01 ChannelData, which has its
length too and is padded to a multiple of 4 on a stream. Anything else means that the two sides have lost step, and
nothing after it can be trusted.
"""

from __future__ import annotations

from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.stun.address import MAGIC_COOKIE
from zwerm.webrtc.stun.message import HEADER_SIZE, MAX_SIZE

CHANNEL_DATA_HEADER_SIZE: Final = 4


class MessageStream:
    """Cuts a stream into messages. It keeps at most one unfinished message of `limit` bytes."""

    def __init__(self, limit: int = MAX_SIZE) -> None:
        """`limit` is the size of the largest message taken, padding included."""
        self.failure: str | None = None  # why the stream is of no use any more; nothing comes out of it after that
        self._limit = limit
        self._buffer = bytearray()

    def receive_untrusted(self, data: bytes) -> list[bytes]:
        """Take bytes, cut anywhere; return the messages that are whole now, ChannelData without its padding.

        Never raises: look at `failure` after the messages, which came before what is wrong.
        """
        messages: list[bytes] = []
        if self.failure is not None:
            return messages
        buffer = self._buffer
        buffer += data
        position = 0
        try:
            while len(buffer) - position >= CHANNEL_DATA_HEADER_SIZE:
                size, padded = self._size_at(position)
                if len(buffer) - position < padded:
                    break
                messages.append(bytes(buffer[position : position + size]))
                position += padded
        except WireError as error:
            self.failure = str(error)
            position = len(buffer)
        del buffer[:position]
        return messages

    @property
    def waiting(self) -> int:
        """Bytes of a message that is not whole yet."""
        return len(self._buffer)

    def _size_at(self, position: int) -> tuple[int, int]:
        """The size of the message that begins there, and with padding."""
        buffer = self._buffer
        first = buffer[position]
        length = buffer[position + 2] << 8 | buffer[position + 3]
        if first < 0x40:
            size = padded = HEADER_SIZE + length
            cookie = buffer[position + 4 : position + 8]
            if length % 4 or cookie != MAGIC_COOKIE[: len(cookie)]:
                raise WireError("stream holds no STUN header where a message begins")
        elif first < 0x80:
            size = CHANNEL_DATA_HEADER_SIZE + length
            padded = size + -size % 4
        else:
            raise WireError(f"stream holds {first:#04x} where a message begins, expected STUN or ChannelData")
        if padded > self._limit:
            raise WireError(f"message of {padded} bytes on a stream, the limit is {self._limit}")
        return size, padded
