"""The limits of one yamux session. Everything that a peer can make grow has its bound here."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.libp2p.yamux.frame import HEADER_SIZE

_NOISE_PLAINTEXT: Final = 65_519


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """How much of everything."""

    max_inbound_streams: int = 512  # open at once; more are refused with RST
    max_outbound_streams: int = 1_024  # open at once; `open_stream` refuses more
    max_unacknowledged: int = 256  # streams of ours that the peer has not taken yet, as the specification wants
    max_window: int = 16_777_216  # bytes of one stream's window, grown as far as it can be
    max_window_growth: int = 33_554_432  # bytes that all windows together may have beyond their first 256 KiB
    max_unread: int = 50_331_648  # bytes received and not read, of all streams; who sends more loses that stream
    max_control: int = 65_536  # bytes of answers to a peer that does not read them; then the session fails
    max_payload: int = _NOISE_PLAINTEXT - HEADER_SIZE  # bytes in one frame: a full one just fills a noise record
    keep_alive: float = 60.0  # seconds without a byte from the peer, after which it is asked whether it is there
    ping_timeout: float = 60.0  # seconds more; without any byte until then the session fails. Links pause for a minute
    rtt_lifetime: float = 30.0  # seconds until a busy session measures its round trip anew
    linger: float = 60.0  # seconds a stream that we closed waits for the peer to close it too, before it is reset
