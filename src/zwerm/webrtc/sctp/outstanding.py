"""Chunks that were sent and not yet acknowledged for good, and which of them are lost (RFC 9260 section 6.2 to 7.2).

TSNs are counted without wrapping in here; the association folds them. Chunks stand in a list by TSN and in a queue by
the order of sending. A SACK is worked off by what is new in it: gap blocks known from the one before are stepped over.

Losses are found as RFC 8985 (RACK) does it: a chunk is lost when a packet that was sent three later, or long enough
later once reordering was seen, has arrived. Counting SACKs, as RFC 9260 section 7.2.4 does, would wait too long for a
peer that acknowledges many packets at once.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from zwerm.webrtc.sctp.codes import END
from zwerm.webrtc.sctp.message import (
    ABANDONED,
    ACKNOWLEDGED,
    IN_FLIGHT,
    LOST,
    OutgoingMessage,
    SentChunk,
)
from zwerm.webrtc.sctp.rto import RoundTrip

if TYPE_CHECKING:
    from mypy_extensions import i64

_THRESHOLD: Final = 3  # packets (RFC 9260 section 7.2.4: three missing reports)
_MAX_REORDERING: Final = 16  # quarters of the least round trip
_LEAST: Final = 1e-6  # seconds; a round trip of zero, as under a virtual clock, is a sample too
_COMPACT: Final = 256  # acknowledged chunks at the front of the list before it is shortened


class Outcome:
    """What a SACK changed."""

    __slots__ = ("acknowledged", "is_advanced", "is_spurious", "rtt")

    def __init__(self) -> None:
        self.acknowledged: i64 = 0  # bytes that are new
        self.is_advanced: bool = False  # the cumulative TSN moved
        self.is_spurious: bool = False  # all losses of this recovery were late arrivals
        self.rtt: float = 0.0  # seconds; 0: no sample


class Outstanding:
    """The retransmission queue."""

    __slots__ = (
        "_chunks",
        "_gaps",
        "_head",
        "_largest",
        "_lost",
        "_overtaken",
        "_reordering",
        "_sent",
        "_suspects",
        "_was_patient",
        "advanced",
        "first_tsn",
        "flight",
        "held",
        "lost_bytes",
        "next_tsn",
        "packets",
        "reorder_due",
    )

    def __init__(self, initial_tsn: int) -> None:
        self._chunks: list[SentChunk] = []
        self._head: i64 = 0  # index of the chunk with `first_tsn`
        self._sent: deque[SentChunk] = deque()  # in flight, by order of sending; others are dropped when met
        self._lost: deque[SentChunk] = deque()
        self._gaps: dict[int, int] = {}  # gap blocks of the last SACK: first TSN to the one after the last
        self._largest: i64 = 0  # highest order that was acknowledged
        self._overtaken: i64 = 0  # what that was before this SACK
        self._was_patient: bool = False  # in this recovery the patience was raised already
        self._reordering: i64 = 0  # quarters of the least round trip to wait for what was overtaken; 0: none seen
        self._suspects: set[int] = set()  # TSNs sent again in this recovery
        self.first_tsn: i64 = initial_tsn  # lowest that is not acknowledged cumulatively
        self.next_tsn: i64 = initial_tsn
        self.advanced: i64 = initial_tsn - 1  # Advanced.Peer.Ack.Point (RFC 3758 section 3.5)
        self.flight: i64 = 0  # bytes
        self.held: i64 = 0  # bytes kept, acknowledged in gaps or not
        self.lost_bytes: i64 = 0  # bytes waiting to be sent again
        self.packets: i64 = 1  # order of the next packet
        self.reorder_due: float = 0.0  # when to look for losses again; 0: no need

    @property
    def is_empty(self) -> bool:
        return self.first_tsn == self.next_tsn

    def send(self, chunk: SentChunk, now: float) -> None:
        """Give a new chunk its TSN and count it as in flight."""
        tsn = self.next_tsn
        self.next_tsn = tsn + 1
        chunk.tsn = tsn
        chunk.order = self.packets
        chunk.sent_at = now
        chunk.transmits = 1
        message = chunk.message
        if chunk.fsn == 0:
            message.first_tsn = tsn
        message.last_tsn = tsn
        self.flight += chunk.size
        self.held += chunk.size
        self._chunks.append(chunk)
        self._sent.append(chunk)

    def resend(self, chunk: SentChunk, now: float) -> None:
        """Count a lost chunk as in flight again."""
        self._lost.popleft()
        self.lost_bytes -= chunk.size
        self.flight += chunk.size
        chunk.state = IN_FLIGHT
        self._send_again(chunk, now)
        self._sent.append(chunk)

    def _send_again(self, chunk: SentChunk, now: float) -> None:
        chunk.order = self.packets
        chunk.sent_at = now
        chunk.transmits += 1
        self._suspects.add(chunk.tsn)

    def next_lost(self) -> SentChunk | None:
        """The chunk to send again next; it stays until `resend`."""
        while self._lost:
            chunk = self._lost[0]
            if chunk.state == LOST:
                return chunk
            self._lost.popleft()
        return None

    def probe(self, now: float) -> SentChunk | None:
        """The chunk with the highest TSN in flight, counted as sent once more."""
        for chunk in reversed(self._chunks[self._head :]):
            if chunk.state == IN_FLIGHT:
                self._sent.remove(chunk)
                self._send_again(chunk, now)
                self._sent.append(chunk)
                return chunk
        return None

    def is_plausible(self, cumulative: i64, gaps: list[tuple[int, int]]) -> bool:
        """Whether a SACK names only what was sent; one that does not is forged or broken."""
        if cumulative >= self.next_tsn:
            return False
        return all(cumulative + 1 < start < stop <= self.next_tsn for start, stop in gaps)

    def acknowledge(self, cumulative: i64, gaps: list[tuple[int, int]], now: float) -> Outcome:
        """Work off a plausible SACK; gap blocks are TSNs, each stop not included."""
        outcome = Outcome()
        self._overtaken = self._largest
        best: SentChunk | None = None
        count = cumulative + 1 - self.first_tsn
        if count > 0:
            outcome.is_advanced = True
            index = self._head
            end = index + count
            while index < end:
                chunk = self._chunks[index]
                index += 1
                if chunk.state < ACKNOWLEDGED and self._acknowledge(chunk, outcome) and _is_later(chunk, best):
                    best = chunk
                self.held -= chunk.size
                chunk.data = b""
            self._head = end
            self.first_tsn = cumulative + 1
            self.advanced = max(self.advanced, cumulative)
            if end >= _COMPACT and end * 2 >= len(self._chunks):
                del self._chunks[:end]
                self._head = 0
        if gaps or self._gaps:
            offset = self._head - self.first_tsn
            known = self._gaps
            self._gaps = dict(gaps)
            for start, stop in gaps:
                tsn: i64 = known.get(start, start)
                last: i64 = stop
                while tsn < last:
                    chunk = self._chunks[tsn + offset]
                    tsn += 1
                    if chunk.state < ACKNOWLEDGED and self._acknowledge(chunk, outcome) and _is_later(chunk, best):
                        best = chunk
            if count > 0 and self.first_tsn < self.next_tsn and self._chunks[self._head].state == ACKNOWLEDGED:
                self._renege()
        if best is not None and best.transmits == 1:
            outcome.rtt = max(now - best.sent_at, _LEAST)
        if self._sent and self._sent[0].state != IN_FLIGHT:
            self._trim()
        return outcome

    def _acknowledge(self, chunk: SentChunk, outcome: Outcome) -> bool:
        """Take one that was not acknowledged before; return whether its time of sending tells something."""
        outcome.acknowledged += chunk.size
        was_lost = chunk.state == LOST
        chunk.state = ACKNOWLEDGED
        if was_lost:
            self.lost_bytes -= chunk.size
            self._was_late(chunk.tsn, outcome)
            return False
        self.flight -= chunk.size
        if chunk.order >= self._largest:
            self._largest = chunk.order
        elif chunk.order < self._overtaken and chunk.transmits == 1 and not self._reordering:
            self._reordering = 1  # something sent later was acknowledged by an earlier SACK
        return True

    def _trim(self) -> None:
        while self._sent and self._sent[0].state != IN_FLIGHT:
            self._sent.popleft()

    def _renege(self) -> None:
        """The peer threw away what it had acknowledged in gaps, as section 6.2 lets it: send all that again."""
        for chunk in self._chunks[self._head :]:
            if chunk.state == ACKNOWLEDGED:
                chunk.state = LOST
                self.lost_bytes += chunk.size
                self._lost.append(chunk)
        self._gaps = {}

    def duplicated(self, tsns: list[int], outcome: Outcome) -> None:
        """The peer got these twice: if we sent them twice, the first had not been lost."""
        for tsn in tsns:
            if tsn in self._suspects:
                self._was_late(tsn, outcome)

    def _was_late(self, tsn: int, outcome: Outcome) -> None:
        if not self._was_patient:
            self._was_patient = True
            self._reordering = min(self._reordering + 1, _MAX_REORDERING)
        if tsn in self._suspects:
            self._suspects.discard(tsn)
            outcome.is_spurious = not self._suspects

    def begin_recovery(self, lost: list[SentChunk]) -> None:
        """Watch for these, and no others from before, to turn out as not lost."""
        self._was_patient = False
        self._suspects.clear()
        for chunk in lost:
            self._suspects.add(chunk.tsn)

    def find_losses(self, now: float, round_trip: RoundTrip) -> list[SentChunk]:
        """Take out of flight what later packets overtook by enough; sets `reorder_due`."""
        lost: list[SentChunk] = []
        self.reorder_due = 0.0
        patience = float(max(self._reordering, 1)) * round_trip.minimum / 4
        wait = max(round_trip.latest, round_trip.srtt) + min(patience, round_trip.srtt)
        while self._sent:
            chunk = self._sent[0]
            if chunk.state == IN_FLIGHT:
                if chunk.order >= self._largest:
                    break
                due = chunk.sent_at + wait
                if due > now and (self._reordering or chunk.order > self._largest - _THRESHOLD):
                    self.reorder_due = due
                    break
                lost.append(chunk)
                self.lose(chunk)
            self._sent.popleft()
        return lost

    def lose(self, chunk: SentChunk) -> None:
        """Take one chunk out of flight and mark it for sending again."""
        chunk.state = LOST
        self.flight -= chunk.size
        self.lost_bytes += chunk.size
        self._lost.append(chunk)
        self._suspects.add(chunk.tsn)

    def lose_all(self) -> list[SentChunk]:
        """A timeout: what is in flight is lost, lowest TSN first (section 6.3.3 rule E3)."""
        self._sent.clear()
        self._lost.clear()
        self.reorder_due = 0.0
        lost = []
        for chunk in self._chunks[self._head :]:
            if chunk.state == IN_FLIGHT:
                self.lose(chunk)
                lost.append(chunk)
            elif chunk.state == LOST:
                self._lost.append(chunk)
        return lost

    def abandon(self, message: OutgoingMessage, *, has_rest: bool) -> None:
        """Give up the chunks of a message (RFC 3758 section 3.5).

        When some of it was never sent (`has_rest`), a TSN is spent on the end, so that the peer hears of it.
        """
        message.is_abandoned = True
        offset = self._head - self.first_tsn
        for tsn in range(max(message.first_tsn, self.first_tsn), min(message.last_tsn + 1, self.next_tsn)):
            chunk = self._chunks[tsn + offset]
            if chunk.message is not message or chunk.state == ABANDONED:
                continue
            if chunk.state == IN_FLIGHT:
                self.flight -= chunk.size
            elif chunk.state == LOST:
                self.lost_bytes -= chunk.size
            chunk.state = ABANDONED
            chunk.data = b""
        if has_rest:
            end = SentChunk(message, b"", 0, 0, END, message.fsn)
            end.tsn = self.next_tsn
            end.state = ABANDONED
            self.next_tsn += 1
            message.last_tsn = end.tsn
            self._chunks.append(end)

    def advance(self) -> bool:
        """Move the point up to which everything is acknowledged or given up; return whether the peer must hear."""
        tsn = self.advanced + 1
        offset = self._head - self.first_tsn
        while tsn < self.next_tsn:
            state = self._chunks[tsn + offset].state
            if state == ABANDONED:
                self.advanced = tsn
            elif state != ACKNOWLEDGED:
                break
            tsn += 1
        return self.advanced >= self.first_tsn

    def skipped(self, limit: int) -> tuple[int, list[OutgoingMessage]]:
        """Up to where the peer may move on, and the messages that it is to skip: at most `limit`."""
        messages: list[OutgoingMessage] = []
        last = self.first_tsn - 1
        offset = self._head - self.first_tsn
        for tsn in range(self.first_tsn, self.advanced + 1):
            chunk = self._chunks[tsn + offset]
            if chunk.state == ABANDONED and (not messages or messages[-1] is not chunk.message):
                if len(messages) == limit:
                    break
                messages.append(chunk.message)
            last = tsn
        return last, messages


def _is_later(chunk: SentChunk, best: SentChunk | None) -> bool:
    return best is None or chunk.order >= best.order
