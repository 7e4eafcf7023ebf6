"""Which descriptions are in force, and which may come next (WebRTC 1.0 section 4.3.1, RFC 9429 section 3.2)."""

from __future__ import annotations

import enum
from typing import Final

from zwerm.webrtc.w3c.errors import InvalidStateError, NotSupportedError
from zwerm.webrtc.w3c.session_description import RTCSessionDescription


class Side(enum.Enum):
    """Whose description."""

    LOCAL = "local"
    REMOTE = "remote"


_NEXT: Final[dict[tuple[str, Side, str], str]] = {
    ("stable", Side.LOCAL, "offer"): "have-local-offer",
    ("have-local-offer", Side.LOCAL, "offer"): "have-local-offer",
    ("have-local-offer", Side.REMOTE, "answer"): "stable",
    ("stable", Side.REMOTE, "offer"): "have-remote-offer",
    ("have-remote-offer", Side.REMOTE, "offer"): "have-remote-offer",
    ("have-remote-offer", Side.LOCAL, "answer"): "stable",
}


class Signaling:
    """The table, and where a connection stands in it."""

    def __init__(self) -> None:
        self.state = "stable"
        self.pending: dict[Side, RTCSessionDescription] = {}
        self.current: dict[Side, RTCSessionDescription] = {}

    def of(self, side: Side) -> RTCSessionDescription | None:
        """The description that counts: the pending one, else the current one."""
        return self.pending.get(side) or self.current.get(side)

    def check(self, side: Side, kind: str) -> None:
        """See that a description may be applied now.

        Raises:
            InvalidStateError: not in this state.
            NotSupportedError: provisional answers and rollback.
        """
        if kind in ("pranswer", "rollback"):
            raise NotSupportedError(f"a {side.value} description of type {kind} is not supported yet")
        if (self.state, side, kind) not in _NEXT:
            raise InvalidStateError(f"a {side.value} {kind} in signaling state {self.state}")

    def apply(self, side: Side, description: RTCSessionDescription) -> bool:
        """Apply a description; return whether the state is another one now. Errors are those of `check`."""
        self.check(side, description.type)
        before, self.state = self.state, _NEXT[self.state, side, description.type]
        self.pending[side] = description
        if self.state == "stable":
            self.current = self.pending
            self.pending = {}
        return before != self.state

    def close(self) -> None:
        self.state = "closed"
