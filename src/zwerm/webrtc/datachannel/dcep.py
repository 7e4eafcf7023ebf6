"""The Data Channel Establishment Protocol: OPEN and ACK (RFC 8832 section 5)."""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

_OPEN: Final = struct.Struct("!BBHIHH")
_MESSAGE_ACK: Final = 0x02
_MESSAGE_OPEN: Final = 0x03
_UNORDERED: Final = 0x80

ACK: Final = bytes((_MESSAGE_ACK,))


class Reliability(enum.IntEnum):
    """How much a channel tries; the lower bits of the channel type."""

    RELIABLE = 0
    RETRANSMITS = 1  # the parameter is how often a message is sent again
    LIFETIME = 2  # the parameter is how long it is tried, in milliseconds


_RELIABILITY: Final = {kind.value: kind for kind in Reliability}


class Open(NamedTuple):
    """DATA_CHANNEL_OPEN.

     0        1        2                 4
    +--------+--------+-----------------+
    |  type  | channel|     priority    |
    +--------+--------+-----------------+
    |       reliability parameter       |
    +-----------------+-----------------+
    |   label length  | protocol length |
    +-----------------+-----------------+
    |  label, protocol ...
    """

    label: str
    protocol: str = ""
    is_ordered: bool = True
    reliability: Reliability = Reliability.RELIABLE
    parameter: int = 0  # retransmits, or milliseconds; 0 and ignored when reliable
    priority: int = 256  # RFC 8831 section 6.4: 128, 256, 512, 1024

    @classmethod
    def parse(cls, data: bytes) -> Open:
        """Read a whole untrusted message.

        Raises:
            WireError: not OPEN, an unknown channel type, lengths that do not fit, or a name that is not UTF-8.
        """
        if len(data) < _OPEN.size:
            raise WireError(f"DATA_CHANNEL_OPEN of {len(data)} bytes, expected at least {_OPEN.size}")
        kind, channel, priority, parameter, label_size, protocol_size = _OPEN.unpack_from(data)
        if kind != _MESSAGE_OPEN:
            raise WireError(f"DCEP message of type {kind:#04x}, expected {_MESSAGE_OPEN:#04x}")
        reliability = _RELIABILITY.get(channel & ~_UNORDERED)
        if reliability is None:
            raise WireError(f"channel type {channel:#04x}, which RFC 8832 does not have")
        if len(data) != _OPEN.size + label_size + protocol_size:
            raise WireError(f"DATA_CHANNEL_OPEN of {len(data)} bytes, its names need {label_size} and {protocol_size}")
        try:
            label = data[_OPEN.size : _OPEN.size + label_size].decode()
            protocol = data[_OPEN.size + label_size :].decode()
        except UnicodeDecodeError:
            raise WireError("a label or protocol that is not UTF-8") from None
        return cls(label, protocol, not channel & _UNORDERED, reliability, parameter, priority)

    def serialize(self) -> bytes:
        """The message; the caller sees to it that no name is longer than 65,535 bytes."""
        label, protocol = self.label.encode(), self.protocol.encode()
        channel = self.reliability | (0 if self.is_ordered else _UNORDERED)
        fixed = _OPEN.pack(_MESSAGE_OPEN, channel, self.priority, self.parameter, len(label), len(protocol))
        return fixed + label + protocol


def is_ack(data: bytes) -> bool:
    """Whether an untrusted message is DATA_CHANNEL_ACK; what follows its type is ignored."""
    return data[:1] == ACK
