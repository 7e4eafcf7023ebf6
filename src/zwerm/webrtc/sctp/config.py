"""What an association may use, and how it behaves where the RFCs leave a choice."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address

DTLS: Final[Address] = ("dtls", 0)  # where packets go: the DTLS connection below, which knows the address

MIN_PACKET_SIZE: Final = 512  # bytes; RFC 9260 section 6.9 wants room for more than a few bytes of each message
MAX_PACKET_SIZE: Final = 16_384  # bytes of a DTLS record's plaintext
MAX_GAP: Final = 65_535  # TSNs above the cumulative one that a gap block can name


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Sizes are bytes, times seconds. Where a default departs from the RFC's, `docs/sctp.md` says why."""

    port: int = 5_000  # ours; any pair works over DTLS, and SDP tells it (RFC 8841 section 5)
    remote_port: int = 5_000
    packet_size: int = 1_160  # UDP payload of 1,200 less 37 of a DTLS 1.2 AES-GCM record, down to a multiple of 4

    receive_window: int = 16 * 1_048_576  # offered at first; less than rate x round trip makes a path idle
    max_message_size: int = 64 * 1_048_576  # a longer one that comes ends the association
    max_partial_messages: int = 4_096  # begun and not complete, and waiting out of turn
    max_fragments: int = 65_536  # fragments that wait for others, however small
    max_events: int = 65_536  # messages and other events that nobody took; beyond, data is dropped and comes again
    max_gap_ranges: int = 1_024  # runs of TSNs above a hole; a new one beyond is dropped and comes again
    max_control_chunks: int = 64  # replies that wait to be sent; beyond, requests go unanswered

    send_buffer: int = 64 * 1_048_576  # bytes that `send` takes before it refuses; what is in flight counts
    max_send_messages: int = 262_144  # messages that `send` takes before it refuses
    outbound_streams: int = 65_535
    inbound_streams: int = 65_535

    interleaving: bool = True  # offer I-DATA; used when both do (RFC 8260)
    partial_reliability: bool = True
    reconfiguration: bool = True
    zero_checksum: bool = True  # true only over DTLS (RFC 9653)

    rto_initial: float = 1.0
    rto_min: float = 0.3  # RFC 9260 says 1.0
    rto_max: float = 10.0  # RFC 9260 says 60
    sack_delay: float = 0.02  # RFC 9260 allows up to 0.5
    max_retransmissions: int = 10  # timeouts in a row, then the peer counts as gone
    max_init_retransmissions: int = 8
    cookie_life: float = 60.0
    heartbeat_interval: float = 30.0  # of an idle association; 0: none
    initial_window: int = 10  # packets; RFC 9260 says about 4
    pacing_floor: float = 0.002  # round trips below are not paced: timers are no finer

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            LocalProtocolError: a size or number outside its range.
        """
        if not MIN_PACKET_SIZE <= self.packet_size <= MAX_PACKET_SIZE or self.packet_size % 4:
            raise LocalProtocolError(f"packets of {self.packet_size} bytes, expected a multiple of 4 from 512 to 16384")
        if not (0 < self.outbound_streams <= 65_535 and 0 < self.inbound_streams <= 65_535):
            raise LocalProtocolError(f"{self.outbound_streams} and {self.inbound_streams} streams, expected 1 to 65535")
        if not (0 < self.port <= 65_535 and 0 < self.remote_port <= 65_535):
            raise LocalProtocolError(f"ports {self.port} and {self.remote_port}, expected 1 to 65535")
        if self.receive_window < 1_500:
            raise LocalProtocolError(f"receive window of {self.receive_window} bytes, expected at least 1500")
