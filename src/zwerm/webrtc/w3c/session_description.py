"""RTCSessionDescription (WebRTC 1.0 section 4.6)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from zwerm.webrtc.w3c.errors import RTCTypeError

TYPES: Final = ("offer", "pranswer", "answer", "rollback")


@dataclasses.dataclass(frozen=True)
class RTCSessionDescription:
    """An offer or an answer, as text to be signaled; of a rollback the text is empty."""

    sdp: str
    type: str

    def __post_init__(self) -> None:
        """Refuse a type that is none of the four.

        Raises:
            RTCTypeError: it is another one, or the text is none.
        """
        if self.type not in TYPES:
            raise RTCTypeError(f"a description of type {self.type!r}, expected one of {', '.join(TYPES)}")
        if not isinstance(self.sdp, str):
            raise RTCTypeError(f"sdp of type {type(self.sdp).__name__}, expected str")

    @classmethod
    def of(cls, given: RTCSessionDescription | Mapping[str, Any], *, kind: str | None = None) -> RTCSessionDescription:
        """Take a dictionary too, as in JavaScript; `kind` is the type where it has none.

        Raises:
            RTCTypeError: it has no type, or something else is wrong with it.
        """
        if isinstance(given, Mapping):
            return cls(given.get("sdp") or "", given.get("type") or kind or "")
        if not (isinstance(getattr(given, "sdp", None), str) and isinstance(getattr(given, "type", None), str)):
            raise RTCTypeError(f"a description that is a {type(given).__name__}, expected sdp and type")
        return cls(given.sdp, given.type)

    def toJSON(self) -> dict[str, str]:  # noqa: N802 - the W3C's name
        return {"type": self.type, "sdp": self.sdp}
