"""RTCSessionDescription (WebRTC 1.0 section 4.6)."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.webrtc.w3c.errors import RTCTypeError

TYPES: Final = ("offer", "pranswer", "answer", "rollback")


@dataclasses.dataclass(frozen=True)
class RTCSessionDescription:
    """An offer or an answer, as text to be signaled."""

    sdp: str
    type: str

    def __post_init__(self) -> None:
        """Refuse a type that is none of the four.

        Raises:
            RTCTypeError: it is another one.
        """
        if self.type not in TYPES:
            raise RTCTypeError(f"a description of type {self.type!r}, expected one of {', '.join(TYPES)}")
