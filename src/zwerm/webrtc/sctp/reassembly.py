"""Fragments to messages, and messages into their order (RFC 9260 sections 6.5, 6.6 and 6.9; RFC 8260 section 2).

DATA fragments of a message have consecutive TSNs. A `Run` is a message from its first fragment on, as far as there is
no hole; fragments behind a hole wait by TSN. I-DATA fragments say themselves which message they are of and count within
it. Whatever waits is counted in bytes and in pieces, and limited.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError
from zwerm.webrtc.sctp.codes import BEGIN, END, UNORDERED
from zwerm.webrtc.sctp.events import Event, MessageReceived

if TYPE_CHECKING:
    from mypy_extensions import i64

_SSN_MASK: Final = 0xFFFF
_SSN_HALF: Final = 0x8000
_MID_MASK: Final = 0xFFFFFFFF
_MID_HALF: Final = 0x80000000


class Fragment:
    """A piece that came before the one it follows."""

    __slots__ = ("flags", "number", "payload", "ppid", "stream_id")

    def __init__(self, flags: int, stream_id: int, number: int, ppid: int, payload: bytes) -> None:
        self.flags: i64 = flags
        self.stream_id: i64 = stream_id
        self.number: i64 = number
        self.ppid: i64 = ppid
        self.payload: bytes = payload


class Run:
    """A message from its beginning on."""

    __slots__ = ("next", "number", "parts", "ppid", "size", "stream_id", "unordered", "waiting")

    def __init__(self, stream_id: int, unordered: int, number: int, ppid: int, next_piece: int) -> None:
        self.stream_id: i64 = stream_id
        self.unordered: i64 = unordered  # the U flag
        self.number: i64 = number  # SSN or MID
        self.ppid: i64 = ppid
        self.next: i64 = next_piece  # TSN (DATA) or FSN (I-DATA) that goes on with it
        self.parts: list[bytes] = []
        self.size: i64 = 0
        self.waiting: dict[int, Fragment] | None = None  # I-DATA: fragments behind a hole, by FSN


class IncomingStream:
    """What is next on a stream, and messages that came before it."""

    __slots__ = ("next_number", "ready", "skipped")

    def __init__(self) -> None:
        self.next_number: i64 = 0  # SSN or MID
        self.ready: dict[int, MessageReceived] | None = None
        self.skipped: i64 = -1  # the last unordered MID that was skipped; late fragments up to it are dropped


class Reassembly:
    """Puts messages together and appends them to `events` in the order the streams want."""

    __slots__ = (
        "_by_key",
        "_events",
        "_fragments",
        "_has_interleaving",
        "_last",
        "_mask",
        "_max_fragments",
        "_max_partial",
        "_max_size",
        "_pieces",
        "_runs",
        "_streams",
        "buffered",
    )

    def __init__(
        self, events: deque[Event], max_size: int, max_partial: int, max_fragments: int, *, has_interleaving: bool
    ) -> None:
        self._events = events
        self._max_size: i64 = max_size
        self._max_partial: i64 = max_partial
        self._max_fragments: i64 = max_fragments
        self._has_interleaving: bool = has_interleaving
        self._mask: i64 = _MID_MASK if has_interleaving else _SSN_MASK
        self._streams: dict[int, IncomingStream] = {}
        self._last: Run | None = None  # the run that grew last; not in `_runs`
        self._runs: dict[int, Run] = {}  # DATA: by the TSN they wait for
        self._fragments: dict[int, Fragment] = {}  # DATA: behind a hole, by TSN
        self._by_key: dict[tuple[int, int, int], Run] = {}  # I-DATA: by stream, U flag, MID
        self._pieces: i64 = 0  # fragments and messages that wait
        self.buffered: i64 = 0  # bytes that wait or were not taken yet

    def has_room(self, *, is_next: bool) -> bool:
        """Whether another fragment may wait; one that is next in turn always may, within what a message may be."""
        return is_next or self._pieces < self._max_fragments

    @property
    def growing(self) -> i64:
        """Bytes of the message that grew last and is not whole."""
        last = self._last
        return 0 if last is None else last.size

    def data(self, tsn: i64, flags: i64, stream_id: i64, ssn: i64, ppid: i64, payload: bytes) -> None:
        """Take a new DATA fragment.

        Raises:
            RemoteProtocolError: it contradicts the fragment before it, or its message is longer than we take.
            ResourceLimitError: more messages or fragments wait than we hold.
        """
        size: i64 = len(payload)
        if flags & BEGIN:
            if flags & END:
                self.buffered += size
                self._complete(stream_id, flags & UNORDERED, ssn, ppid, payload)
                return
            self._drop_run_at(tsn)  # a message that was given up in its middle ends where another begins
            self._grow_limits()
            run = Run(stream_id, flags & UNORDERED, ssn, ppid, tsn + 1)
            run.parts.append(payload)
            run.size = size
            self.buffered += size
            self._pieces += 1
        else:
            found = self._take_run(tsn)
            if found is None:
                self._fragments[tsn] = Fragment(flags, stream_id, ssn, ppid, payload)
                self._pieces += 1
                self.buffered += size
                return
            run = found
            run.next = tsn + 1
            self._extend(run, flags, stream_id, ssn, payload, size)
            if flags & END:
                self._finish(run)
                return
        if self._fragments and self._absorb(run):
            return
        last = self._last
        if last is not None:
            self._runs[last.next] = last
        self._last = run

    def _take_run(self, tsn: i64) -> Run | None:
        """The run that waits for `tsn`, taken out of where it is kept."""
        last = self._last
        if last is not None and last.next == tsn:
            self._last = None
            return last
        if not self._runs:
            return None
        return self._runs.pop(tsn, None)

    def _drop_run_at(self, tsn: i64) -> None:
        run = self._take_run(tsn)
        if run is not None:
            self._drop(run)

    def _drop(self, run: Run) -> None:
        self.buffered -= run.size
        self._pieces -= len(run.parts)
        if run.waiting is not None:
            for fragment in run.waiting.values():
                self.buffered -= len(fragment.payload)
            self._pieces -= len(run.waiting)

    def _grow_limits(self) -> None:
        if len(self._runs) + len(self._by_key) >= self._max_partial:
            raise ResourceLimitError(f"more than {self._max_partial} messages that are not complete")
        self._check_pieces()

    def _check_pieces(self) -> None:
        # Twice the number: what is in turn may come while the rest is full of what is not.
        if self._pieces >= 2 * self._max_fragments:
            raise ResourceLimitError(f"more than {self._pieces} fragments of messages that are not complete")

    def _extend(self, run: Run, flags: i64, stream_id: i64, number: i64, payload: bytes, size: i64) -> None:
        is_same = run.stream_id == stream_id and run.unordered == flags & UNORDERED
        if not is_same or (run.number != number and not run.unordered):  # the SSN of unordered DATA means nothing
            self._drop(run)
            raise RemoteProtocolError(f"a fragment of stream {stream_id} inside a message of stream {run.stream_id}")
        run.size += size
        if run.size > self._max_size:
            raise RemoteProtocolError(f"a message of more than {self._max_size} bytes")
        self._check_pieces()
        run.parts.append(payload)
        self.buffered += size
        self._pieces += 1

    def _absorb(self, run: Run) -> bool:
        """Add the fragments that waited for this run; return whether that completed it."""
        while (fragment := self._fragments.get(run.next)) is not None:
            if fragment.flags & BEGIN:
                return False
            del self._fragments[run.next]
            size: i64 = len(fragment.payload)
            self._pieces -= 1
            self.buffered -= size
            run.next += 1
            self._extend(run, fragment.flags, fragment.stream_id, fragment.number, fragment.payload, size)
            if fragment.flags & END:
                self._finish(run)
                return True
        return False

    def _finish(self, run: Run) -> None:
        self._pieces -= len(run.parts)
        self._complete(run.stream_id, run.unordered, run.number, run.ppid, b"".join(run.parts))

    def _complete(self, stream_id: i64, unordered: i64, number: i64, ppid: i64, data: bytes) -> None:
        """Deliver a message, or keep it until it is its turn."""
        message = MessageReceived(stream_id, ppid, data, unordered != 0)
        if unordered:
            self._events.append(message)
            return
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = IncomingStream()
            self._streams[stream_id] = stream
        if number == stream.next_number:
            stream.next_number = (number + 1) & self._mask
            self._events.append(message)
            if stream.ready:
                self._deliver_ready(stream)
            return
        if (number - stream.next_number) & self._mask > self._mask >> 1:  # before what was delivered or skipped
            self.buffered -= len(data)
            return
        if stream.ready is None:
            stream.ready = {}
        if number in stream.ready:
            self.buffered -= len(data)
            raise RemoteProtocolError(f"two messages numbered {number} on stream {stream_id}")
        self._check_pieces()
        stream.ready[number] = message
        self._pieces += 1

    def _deliver_ready(self, stream: IncomingStream) -> None:
        ready = stream.ready
        while ready:
            message = ready.pop(stream.next_number, None)
            if message is None:
                return
            self._pieces -= 1
            stream.next_number = (stream.next_number + 1) & self._mask
            self._events.append(message)
        stream.ready = None

    def interleaved(self, flags: i64, stream_id: i64, mid: i64, last: i64, payload: bytes) -> None:
        """Take a new I-DATA fragment; `last` is the PPID of a first fragment, the FSN of another.

        Raises:
            RemoteProtocolError: it contradicts what came before, or its message is longer than we take.
            ResourceLimitError: more messages or fragments wait than we hold.
        """
        size: i64 = len(payload)
        unordered = flags & UNORDERED
        if flags & BEGIN and flags & END:
            self.buffered += size
            self._complete(stream_id, unordered, mid, last, payload)
            return
        run = self._last
        if run is None or run.stream_id != stream_id or run.number != mid or run.unordered != unordered:
            key = (stream_id, unordered, mid)
            run = self._by_key.get(key)
            if run is None:
                if self._is_past(stream_id, mid, unordered):
                    return
                self._grow_limits()
                run = Run(stream_id, unordered, mid, 0, 0)
                self._by_key[key] = run
            self._last = run
        fsn: i64 = 0 if flags & BEGIN else last
        if fsn != run.next:
            self._keep(run, fsn, flags, payload, size)
            return
        if flags & BEGIN:
            run.ppid = last
        run.next += 1
        self._extend(run, flags, stream_id, mid, payload, size)
        if flags & END or (run.waiting is not None and self._absorb_interleaved(run)):
            self._last = None
            del self._by_key[(stream_id, unordered, mid)]
            if run.waiting:
                raise RemoteProtocolError(f"fragments after the last of a message on stream {stream_id}")
            self._finish(run)

    def _is_past(self, stream_id: i64, number: i64, unordered: i64) -> bool:
        """Whether the message was delivered or skipped."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return False
        if unordered:
            return stream.skipped >= 0 and (stream.skipped - number) & self._mask <= self._mask >> 1
        return (number - stream.next_number) & self._mask > self._mask >> 1

    def _keep(self, run: Run, fsn: i64, flags: i64, payload: bytes, size: i64) -> None:
        if fsn < run.next or (run.waiting is not None and fsn in run.waiting):
            raise RemoteProtocolError(f"fragment {fsn} of a message twice on stream {run.stream_id}")
        if run.waiting is None:
            run.waiting = {}
        run.waiting[fsn] = Fragment(flags, run.stream_id, run.number, 0, payload)
        self._pieces += 1
        self.buffered += size

    def _absorb_interleaved(self, run: Run) -> bool:
        waiting = run.waiting
        while waiting and (fragment := waiting.pop(run.next, None)) is not None:
            size: i64 = len(fragment.payload)
            self._pieces -= 1
            self.buffered -= size
            run.next += 1
            self._extend(run, fragment.flags, run.stream_id, run.number, fragment.payload, size)
            if fragment.flags & END:
                return True
        return False

    def taken(self, size: i64) -> None:
        """The owner took a message of `size` bytes."""
        self.buffered -= size

    def skip_tsns(self, first: int, last: int) -> None:
        """Drop DATA fragments from `first` to `last` whose message cannot become whole (RFC 3758 section 3.6).

        Every TSN up to `last` was received or given up. So a fragment that still waits has a predecessor that never
        comes, and a run that waits for one of these waits in vain.
        """
        if last - first < len(self._fragments) + len(self._runs):
            tsns: list[int] = list(range(first, last + 1))
        else:
            tsns = [tsn for tsn in (*self._fragments, *self._runs) if first <= tsn <= last]
        for tsn in tsns:
            fragment = self._fragments.pop(tsn, None)
            if fragment is not None:
                self._pieces -= 1
                self.buffered -= len(fragment.payload)
            run = self._runs.pop(tsn, None)
            if run is not None:
                self._drop(run)
        last_run = self._last
        if not self._has_interleaving and last_run is not None and first <= last_run.next <= last:
            self._last = None
            self._drop(last_run)

    def skip_messages(self, highest: dict[tuple[int, bool], int]) -> None:
        """Wait no more for messages up to these numbers, by stream and whether unordered.

        What is whole of them is delivered. One pass over what waits, however many streams are named.
        """
        if self._has_interleaving and self._by_key:
            self._drop_interleaved(highest)
        for (stream_id, is_unordered), number in highest.items():
            stream = self._streams.get(stream_id)
            if stream is None:
                stream = IncomingStream()
                self._streams[stream_id] = stream
            if is_unordered:
                stream.skipped = number
            else:
                self._skip_ordered(stream, number)

    def _skip_ordered(self, stream: IncomingStream, number: int) -> None:
        distance = (number + 1 - stream.next_number) & self._mask
        if distance > self._mask >> 1:
            return  # that far it is already
        if stream.ready:
            for one in self._passed(stream, stream.ready, number, distance):
                self._events.append(stream.ready.pop(one))
                self._pieces -= 1
        stream.next_number = (number + 1) & self._mask
        if stream.ready:
            self._deliver_ready(stream)

    def _passed(
        self, stream: IncomingStream, ready: dict[int, MessageReceived], number: int, distance: int
    ) -> list[int]:
        """The numbers of whole messages up to `number`, in order."""
        mask, first = self._mask, stream.next_number
        if distance <= len(ready):
            return [one for index in range(distance) if (one := (first + index) & mask) in ready]
        return sorted(
            (one for one in ready if (number - one) & mask <= mask >> 1), key=lambda one: (one - first) & mask
        )

    def _drop_interleaved(self, highest: dict[tuple[int, bool], int]) -> None:
        for key in list(self._by_key):
            number = highest.get((key[0], key[1] != 0))
            if number is not None and (number - key[2]) & _MID_MASK < _MID_HALF:
                run = self._by_key.pop(key)
                if run is self._last:
                    self._last = None
                self._drop(run)

    def reset(self, stream_ids: tuple[int, ...]) -> None:
        """Count messages of these streams, or of all when none is named, from zero."""
        for stream_id in stream_ids or tuple(self._streams):
            stream = self._streams.pop(stream_id, None)
            if stream is not None and stream.ready:
                self._pieces -= len(stream.ready)
                self.buffered -= sum(len(message.data) for message in stream.ready.values())
