"""What an association knows of its path, for `getStats` (W3C webrtc-provisional-stats, RTCSctpTransportStats)."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class AssociationStatistics:
    """The present moment; sizes are bytes, times seconds."""

    state: str  # a word of RFC 9260
    smoothed_round_trip_time: float | None  # None: nothing measured yet
    retransmission_timeout: float
    congestion_window: int
    receiver_window: int  # what the peer takes, as it last said
    packet_size: int
    bytes_in_flight: int
    bytes_buffered: int  # given to `send`, and not sent
