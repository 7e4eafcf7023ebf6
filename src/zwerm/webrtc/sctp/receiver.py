"""The receiving half of an association: DATA and I-DATA in, messages and SACKs out (RFC 9260 sections 6.2 and 6.5)."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn
from zwerm.webrtc.sctp.codes import IMMEDIATE, TSN_MASK
from zwerm.webrtc.sctp.config import MAX_GAP, Config
from zwerm.webrtc.sctp.events import Event
from zwerm.webrtc.sctp.reassembly import Reassembly
from zwerm.webrtc.sctp.receive_queue import ReceiveQueue

if TYPE_CHECKING:
    from mypy_extensions import i64

_DATA: Final = struct.Struct("!IHHI").unpack_from
_I_DATA: Final = struct.Struct("!IHHII").unpack_from
_HALF: Final = 0x80000000


class Receiver:
    """See the module."""

    __slots__ = (
        "_events",
        "_has_interleaving",
        "_has_skipped",
        "_is_urgent",
        "_max_events",
        "_saw_data",
        "_window",
        "inbound",
        "invalid_streams",
        "queue",
        "reassembly",
        "unread",
    )

    def __init__(
        self, config: Config, peer_tsn: int, inbound: int, events: deque[Event], *, has_interleaving: bool
    ) -> None:
        self._events: deque[Event] = events
        self._has_interleaving: bool = has_interleaving
        self._max_events: i64 = config.max_events
        self._window: i64 = config.receive_window
        self._is_urgent: bool = False
        self._has_skipped: bool = False  # the peer gave something up once: late fragments may be of no use
        self._saw_data: bool = False  # in this packet
        self.inbound: i64 = inbound  # streams
        self.invalid_streams: list[int] = []  # that the peer used and may not, since the last packet
        self.unread: i64 = 0  # bytes that the owner took and its reader did not
        self.queue: ReceiveQueue = ReceiveQueue(peer_tsn, config.sack_delay, config.max_gap_ranges)
        self.reassembly: Reassembly = Reassembly(
            events,
            config.max_message_size,
            config.max_partial_messages,
            config.max_fragments,
            has_interleaving=has_interleaving,
        )

    @property
    def window(self) -> int:
        """Bytes that may come: what the next SACK offers.

        The message that is growing does not count, or one larger than the window could never come.
        """
        return max(0, self._window - self._waiting())

    def _waiting(self) -> i64:
        return self.reassembly.buffered - self.reassembly.growing + self.unread

    def data(self, packet: bytes, position: i64, length: i64, flags: i64) -> None:
        """Take the chunk at `position` of an untrusted packet; its length was checked to lie inside.

        Raises:
            WireError: a header and no payload.
            RemoteProtocolError: what the reassembly finds wrong.
            ResourceLimitError: what the reassembly cannot hold.
        """
        mid: i64 = 0
        ppid: i64 = 0
        if self._has_interleaving:
            if length <= 20:
                raise WireError(f"I-DATA chunk of {length} bytes, expected a header of 20 and payload")
            wire, stream_id, _, mid, ppid = _I_DATA(packet, position + 4)
            payload = packet[position + 20 : position + length]
        else:
            if length <= 16:
                raise WireError(f"DATA chunk of {length} bytes, expected a header of 16 and payload")
            wire, stream_id, mid, ppid = _DATA(packet, position + 4)
            payload = packet[position + 16 : position + length]
        self._saw_data = True
        if flags & IMMEDIATE:
            self._is_urgent = True
        queue = self.queue
        ahead: i64 = (wire - queue.cumulative) & TSN_MASK
        if ahead >= _HALF:
            ahead -= _HALF * 2
        before = queue.cumulative
        tsn = before + ahead
        if ahead != 1 and not self._is_wanted(tsn, ahead):
            return
        if not self._has_room(len(payload), is_next=ahead == 1) or not queue.add(tsn):
            self._is_urgent = True  # dropped: it comes again; meanwhile the peer learns what the window is
            return
        if stream_id >= self.inbound:
            self.invalid_streams.append(stream_id)
            return
        if self._has_interleaving:
            self.reassembly.interleaved(flags, stream_id, mid, ppid, payload)
        else:
            self.reassembly.data(tsn, flags, stream_id, mid, ppid, payload)
            if self._has_skipped and queue.cumulative > before:
                self.reassembly.skip_tsns(before + 1, queue.cumulative)

    def _is_wanted(self, tsn: i64, ahead: i64) -> bool:
        if ahead > MAX_GAP:
            return False  # no SACK could name it
        if self.queue.is_new(tsn):
            return True
        self.queue.duplicate(tsn)
        return False

    def _has_room(self, size: i64, *, is_next: bool) -> bool:
        """Whether to take a new fragment. The next in turn is taken a little beyond, so that a full window drains."""
        if len(self._events) >= self._max_events:
            return False
        if self._waiting() + size > self._window and (not is_next or len(self._events) > 0 or self.unread > 0):
            return False
        return self.reassembly.has_room(is_next=is_next)

    def packet_ended(self, now: float) -> bool:
        """Every chunk of a packet was worked off; return whether there was data in it."""
        if not self._saw_data:
            return False
        self.queue.packet_received(now, is_urgent=self._is_urgent or self.queue.has_holes)
        self._saw_data = self._is_urgent = False
        return True

    def forward(self, chunk: ForwardTsn) -> None:
        """Move on over what the peer gave up (RFC 3758 section 3.6)."""
        before = self.queue.cumulative
        ahead = (chunk.new_cumulative_tsn - before) & TSN_MASK
        if 0 < ahead < _HALF:
            target = before + ahead
            self._has_skipped = True
            self.queue.skip_to(target)
            if not self._has_interleaving:
                self.reassembly.skip_tsns(before + 1, self.queue.cumulative)
            self.reassembly.skip_messages(
                {(one.stream_id, one.is_unordered): one.number for one in chunk.skipped if one.stream_id < self.inbound}
            )
        else:
            self.queue.is_due = True

    def taken(self, size: int, now: float) -> None:
        """The owner took a message; a window that was shut is told to be open again."""
        shut = self.window < self._window // 4
        self.reassembly.taken(size)
        if shut and self.window >= self._window // 4:
            self.queue.due_at = now

    def read(self, unread: int, now: float) -> None:
        """The owner's reader is behind by `unread` bytes."""
        shut = self.window < self._window // 4
        self.unread = unread
        if shut and self.window >= self._window // 4:
            self.queue.due_at = now
