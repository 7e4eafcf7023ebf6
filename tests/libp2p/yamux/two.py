"""Two sessions that talk to each other, and frames by hand."""

from __future__ import annotations

from typing import Any

from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.event import Event
from zwerm.libp2p.yamux.frame import Flag, FrameType, serialize_header
from zwerm.libp2p.yamux.session import Session


def frame(frame_type: FrameType, flags: int, stream_id: int, length: int | None = None, body: bytes = b"") -> bytes:
    return serialize_header(frame_type, flags, stream_id, len(body) if length is None else length) + body


def data(stream_id: int, body: bytes, flags: int = 0) -> bytes:
    return frame(FrameType.DATA, flags, stream_id, body=body)


def update(stream_id: int, flags: int = 0, credit: int = 0) -> bytes:
    return frame(FrameType.WINDOW_UPDATE, flags, stream_id, credit)


def syn(stream_id: int) -> bytes:
    return update(stream_id, Flag.SYN)


def events(session: Session) -> list[Event]:
    found = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


def server(**limits: Any) -> Session:
    """A session whose streams the peer opens with odd numbers."""
    return Session(is_client=False, now=0.0, config=Config(**limits))


class Two:
    """A client and a server; what either says arrives at once, at `now`."""

    def __init__(self, **limits: Any) -> None:
        self.client = Session(is_client=True, now=0.0, config=Config(**limits))
        self.server = Session(is_client=False, now=0.0, config=Config(**limits))
        self.now = 0.0

    def settle(self, delay: float = 0.0) -> None:
        """Carry everything across, `delay` seconds each way, until both are silent."""
        while True:
            forth, back = self.client.data_to_send(), self.server.data_to_send()
            if not forth and not back:
                return
            self.now += delay
            self.server.receive_data(forth, self.now)
            self.client.receive_data(back, self.now)

    def open(self) -> int:
        stream_id = self.client.open_stream(self.now)
        self.settle()
        return stream_id

    def read(self, session: Session, stream_id: int, limit: int = 1 << 20) -> bytes:
        return session.read(stream_id, limit, self.now)
