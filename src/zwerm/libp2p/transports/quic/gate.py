"""What stands between qh3's packets and its events: no data is taken while too much of it lies unread.

qh3 grants a peer more credit for what was taken from it (`next_event`), not for what was read. And of a datagram that
is filled up with zeros behind its packet, as py-libp2p's first one is, it counts the packet alone towards what may be
answered before the peer has shown its address (RFC 9000 section 8.1); its first flight may not fit then. Here they
count.
"""

from __future__ import annotations

from typing import Any, Final

_OWN: Final = ("next_event", "receive_datagram")


class Gate:
    """qh3's core, whose `next_event` gives nothing while there is no room."""

    def __init__(self, core: Any, room: int) -> None:
        self.inner = core
        self.room = room  # bytes that may still be taken; below 0 after the last piece
        self.filling = 0  # zeros behind the first packet of the datagram that comes next
        for name in dir(core):
            value = None if name.startswith("_") else getattr(type(core), name)
            if callable(value) and name not in _OWN:
                setattr(self, name, getattr(core, name))

    def __getattr__(self, name: str) -> Any:
        """The core's properties, which change."""
        return getattr(self.inner, name)

    @property
    def is_held(self) -> bool:
        return self.room <= 0

    def next_event(self) -> Any:
        """Take the core's next event; None when there is none, or no room for it."""
        if self.room <= 0:
            return None
        event = self.inner.next_event()
        if event is not None and event[0] == "stream_data":
            self.room -= len(event[2])
        return event

    def receive_datagram(self, packet: bytes, address: Any, now: float, size: int) -> Any:
        """Take one packet of a datagram of `size` bytes."""
        filling, self.filling = self.filling, 0
        return self.inner.receive_datagram(packet + bytes(filling), address, now, size)
