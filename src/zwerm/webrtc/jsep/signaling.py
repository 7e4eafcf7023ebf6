"""Which descriptions are in force, and which may come next (RFC 9429 section 3.2, WebRTC 1.0 section 4.3.1)."""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.w3c.errors import InvalidStateError


class Side(enum.Enum):
    """Whose description."""

    LOCAL = "local"
    REMOTE = "remote"

    @property
    def other(self) -> Side:
        return Side.REMOTE if self is Side.LOCAL else Side.LOCAL


@dataclasses.dataclass(frozen=True, slots=True)
class TransportSection:
    """Which section of a description stands for the transport."""

    mid: str
    index: int
    credentials: Credentials

    @property
    def ufrag(self) -> str:
        return self.credentials.ufrag


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """One side's, as text and read."""

    type: str  # "offer", "pranswer" or "answer"
    sdp: str
    parsed: SessionDescription = dataclasses.field(compare=False, repr=False)
    transport: TransportSection | None = dataclasses.field(default=None, compare=False, repr=False)


_NEXT: Final[dict[tuple[str, Side, str], str]] = {
    ("stable", Side.LOCAL, "offer"): "have-local-offer",
    ("stable", Side.REMOTE, "offer"): "have-remote-offer",
    ("have-local-offer", Side.LOCAL, "offer"): "have-local-offer",
    ("have-local-offer", Side.REMOTE, "pranswer"): "have-remote-pranswer",
    ("have-local-offer", Side.REMOTE, "answer"): "stable",
    ("have-local-offer", Side.LOCAL, "rollback"): "stable",
    ("have-local-offer", Side.REMOTE, "rollback"): "stable",
    ("have-remote-offer", Side.REMOTE, "offer"): "have-remote-offer",
    ("have-remote-offer", Side.LOCAL, "pranswer"): "have-local-pranswer",
    ("have-remote-offer", Side.LOCAL, "answer"): "stable",
    ("have-remote-offer", Side.LOCAL, "rollback"): "stable",
    ("have-remote-offer", Side.REMOTE, "rollback"): "stable",
    ("have-local-pranswer", Side.LOCAL, "pranswer"): "have-local-pranswer",
    ("have-local-pranswer", Side.LOCAL, "answer"): "stable",
    ("have-remote-pranswer", Side.REMOTE, "pranswer"): "have-remote-pranswer",
    ("have-remote-pranswer", Side.REMOTE, "answer"): "stable",
}


class Signaling:
    """The table, and where a connection stands in it."""

    def __init__(self) -> None:
        self.state = "stable"
        self.pending: dict[Side, Description] = {}
        self.current: dict[Side, Description] = {}

    def of(self, side: Side) -> Description | None:
        """The description that counts: the pending one, else the current one."""
        return self.pending.get(side) or self.current.get(side)

    def allows(self, side: Side, kind: str) -> bool:
        return (self.state, side, kind) in _NEXT

    def check(self, side: Side, kind: str) -> None:
        """See that a description may be applied now.

        Raises:
            InvalidStateError: not in this state.
        """
        if not self.allows(side, kind):
            raise InvalidStateError(f"a {side.value} {kind} in signaling state {self.state}")

    def apply(self, side: Side, description: Description) -> bool:
        """Apply a description; return whether the state is another one now. Errors are those of `check`."""
        self.check(side, description.type)
        before, self.state = self.state, _NEXT[self.state, side, description.type]
        self.pending[side] = description
        if self.state == "stable":
            self.current = self.pending
            self.pending = {}
        return before != self.state

    def rollback(self) -> None:
        """Forget what is pending.

        Raises:
            InvalidStateError: nothing is that may be forgotten: an offer that has no answer yet, not even a pranswer.
        """
        self.check(Side.LOCAL, "rollback")
        self.pending = {}
        self.state = "stable"

    def close(self) -> None:
        self.state = "closed"
