"""Who on a shared port a datagram is for, told by its first byte (RFC 7983 section 7, RFC 9443 section 2)."""

from __future__ import annotations

import enum
from typing import Final


class Traffic(enum.Enum):
    """The protocols that share a port."""

    STUN = "STUN"
    DTLS = "DTLS"
    TURN_CHANNEL = "data on a TURN channel"
    RTP = "RTP or RTCP"
    QUIC = "QUIC"
    ZRTP = "ZRTP"
    UNKNOWN = "none of these"


def _ranges() -> list[Traffic]:
    table = [Traffic.UNKNOWN] * 256
    for first, last, traffic in (
        (0, 3, Traffic.STUN),
        (16, 19, Traffic.ZRTP),
        (20, 63, Traffic.DTLS),
        (64, 79, Traffic.TURN_CHANNEL),
        (80, 127, Traffic.QUIC),  # short headers with the fixed bit, less those that TURN channels take
        (128, 191, Traffic.RTP),
        (192, 255, Traffic.QUIC),  # long headers
    ):
        table[first : last + 1] = [traffic] * (last + 1 - first)
    return table


_BY_FIRST_BYTE: Final = tuple(_ranges())


def classify(datagram: bytes) -> Traffic:
    """Return whom an untrusted datagram is for.

    From a TURN server 64 to 79 are channels; from anybody else they are QUIC too (RFC 9443 section 3), which the caller
    knows who has a server.
    """
    return _BY_FIRST_BYTE[datagram[0]] if datagram else Traffic.UNKNOWN
