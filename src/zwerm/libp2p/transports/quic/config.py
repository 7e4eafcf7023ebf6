"""Limits and times of QUIC."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Sizes are bytes, times seconds."""

    max_connections: int = 512  # of one listener, handshakes included
    max_handshakes: int = 64  # of strangers, under way at one listener; more are not begun
    max_handshakes_of_host: int = 16  # the same, of one address (one /64 of IPv6)
    retry_from: int = 16  # handshakes under way from which strangers must show that they are where they say they are
    max_answers: int = 1_000  # packets sent to strangers in a second (Retry, Version Negotiation); beyond, none

    handshake_timeout: float = 10.0  # from the first packet to a proved identity
    idle_timeout: float = 30.0  # without a packet, then the connection is over; as go-libp2p
    keep_alive: float = 15.0  # without a packet, then one is sent to ask for an answer
    stall_timeout: float = 60.0  # that what nobody reads of one stream may keep all streams of a connection waiting
    retry_lifetime: float = 10.0  # of the token that comes back with a Retry

    receive_window: int = 8 * 1_048_576  # unread, of all streams of a connection; then the peer has to wait
    max_data: int = 8 * 1_048_576  # what a peer may send ahead of that, on all streams of a connection
    max_stream_data: int = 4 * 1_048_576  # the same, on one stream
    high_water: int = 1_048_576  # of one stream, given to `write` and not sent: no more is taken
    low_water: int = 524_288  # down to which `write` waits then
    send_buffer: int = 8 * 1_048_576  # of all streams of a connection, not sent: no more is taken


MAX_STREAMS = 100  # that a peer may have open at once on one connection; the library's, and not to be set
