"""ABORT and ERROR with their causes (RFC 9260 sections 3.3.7 and 3.3.10)."""

from __future__ import annotations

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks import parameter
from zwerm.webrtc.sctp.chunks.parameter import Parameter
from zwerm.webrtc.sctp.codes import Cause, ChunkType
from zwerm.webrtc.sctp.packet import Chunk

_NAMES = {cause.value: cause.name.lower().replace("_", " ") for cause in Cause}
_WITH_TEXT = frozenset((Cause.USER_INITIATED, Cause.PROTOCOL_VIOLATION))


def abort(cause: Cause, text: str = "", *, flags: int = 0) -> bytes:
    """An ABORT that says why."""
    return Chunk(ChunkType.ABORT, flags, Parameter(cause, text.encode()).serialize()).serialize()


def error(cause: Cause, value: bytes) -> bytes:
    """An ERROR of one cause."""
    return Chunk(ChunkType.ERROR, 0, Parameter(cause, value).serialize()).serialize()


def causes_untrusted(value: bytes) -> list[Parameter]:
    """The causes of an ABORT or ERROR; those of a malformed one are lost, since the chunk's meaning is not."""
    try:
        return parameter.parse(value)
    except WireError:
        return []


def describe(causes: list[Parameter]) -> str:
    """Say in words what the peer gave as causes."""
    if not causes:
        return "no cause given"
    words = []
    for kind, value in causes:
        name = _NAMES.get(kind, f"cause {kind}")
        words.append(f"{name}: {value[:200].decode(errors='replace')}" if kind in _WITH_TEXT and value else name)
    return ", ".join(words)
