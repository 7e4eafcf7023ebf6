"""What a session has to send, in the order it goes out: answers and commands, then credit, then data, in turns.

Every stream that has something to send and a window for it gets one frame, and then the next has its turn, so that a
stream with a gigabyte waiting delays another by one frame. Payload is not copied: what `take` returns refers to the
caller's buffers.
"""

from __future__ import annotations

from collections import deque

from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.frame import HEADER_SIZE, Flag, FrameType, serialize_header
from zwerm.libp2p.yamux.stream_state import StreamState


class SendQueue:
    """Frames of one session that wait for the connection to take them."""

    __slots__ = ("_control", "_credit", "_max_control", "_max_payload", "_ready", "drained")

    drained: list[StreamState]  # of the last `take`: streams of which nothing is pending any more

    def __init__(self, config: Config) -> None:
        self._max_payload = config.max_payload
        self._max_control = config.max_control
        self._control = bytearray()  # whole frames
        self._credit: dict[int, int] = {}  # bytes by stream ID, in one frame however often credit was given
        self._ready: deque[StreamState] = deque()
        self.drained = []

    @property
    def waiting_control(self) -> int:
        """Bytes of frames without payload. A peer that asks and does not read makes them pile up."""
        return len(self._control)

    @property
    def is_flooded(self) -> bool:
        return len(self._control) > self._max_control

    def put(self, frame_type: FrameType, flags: int, stream_id: int, value: int = 0) -> None:
        """Add a frame without payload."""
        self._control += serialize_header(frame_type, flags, stream_id, value)

    def add_credit(self, stream_id: int, size: int) -> None:
        self._credit[stream_id] = self._credit.get(stream_id, 0) + size

    def wake(self, stream: StreamState) -> None:
        """Let a stream take part, if it has something to send and may."""
        if stream.pending and stream.send_window and not stream.is_ready:
            stream.is_ready = True
            self._ready.append(stream)

    def close(self, stream: StreamState) -> None:
        """Send FIN once nothing of the stream is pending."""
        stream.is_closing = True
        if not stream.pending:
            stream.is_fin_sent = True
            self.put(FrameType.WINDOW_UPDATE, Flag.FIN, stream.stream_id)

    def drop(self, stream: StreamState) -> None:
        """Forget what a stream had to send."""
        stream.outgoing.clear()
        stream.pending = 0
        self._credit.pop(stream.stream_id, None)
        if stream.is_ready:
            stream.is_ready = False
            self._ready.remove(stream)

    def take(self, limit: int) -> list[Buffer]:
        """Return what goes out next: the frames without payload, and data until there are `limit` bytes or more."""
        self.drained = []
        chunks: list[Buffer] = []
        size = 0
        if self._control or self._credit:
            for stream_id, credit in self._credit.items():
                self.put(FrameType.WINDOW_UPDATE, 0, stream_id, credit)
            self._credit.clear()
            chunks.append(bytes(self._control))
            size = len(self._control)
            self._control.clear()
        ready = self._ready
        while ready and size < limit:
            stream = ready.popleft()
            part = min(stream.pending, stream.send_window, self._max_payload)
            chunks.append(serialize_header(FrameType.DATA, 0, stream.stream_id, part))
            chunks += stream.take_outgoing(part)
            stream.send_window -= part
            size += part + HEADER_SIZE
            if stream.pending and stream.send_window:
                ready.append(stream)
                continue
            stream.is_ready = False
            if not stream.pending:
                self.drained.append(stream)
                if stream.is_closing:
                    stream.is_fin_sent = True
                    chunks.append(serialize_header(FrameType.WINDOW_UPDATE, Flag.FIN, stream.stream_id, 0))
        return chunks
