"""Packets between the processes of a service: a head in JSON, then one note on each line.

    {"from": ID, "acks": {ID: NUMBER, ...}, "first": NUMBER}
    .{"kind": "tell", ...}          a whole note, or the last piece of one
    +{"kind": "done", "value": ...  a piece that goes on

The notes of one process for another are numbered from 1 by line; `first` is the number of the first line. A head
without lines is a sign of life. Whoever may write to the bus is trusted as a process of the service: keep it behind a
password.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple, TypeAlias

from zwerm.core.errors import WireError

MAX_PACKET: Final = 524_288  # bytes; a NATS server takes 1 MiB by default
MAX_PIECE: Final = 131_072  # characters of a line, four bytes each at most
MAX_NOTE: Final = 4_194_304  # characters of a note: a full room in one answer
MAX_LINES: Final = 4_096
MAX_PROCESSES: Final = 256

_ID: Final = re.compile(r"[0-9a-f]{8}")

Note: TypeAlias = dict[str, Any]

_TEXT: Final = (str,)
_FIELDS: Final[dict[str, dict[str, tuple[type, ...]]]] = {
    "there": {"sessions": (list,), "all": (bool,)},  # who is online here; `all`: and nobody else
    "gone": {"endpoint": _TEXT},
    "tell": {"endpoint": _TEXT, "text": _TEXT, "left": (int, float, type(None)), "hops": (int,)},
    "close": {"endpoint": _TEXT, "code": _TEXT, "what": _TEXT},
    "do": {"number": (int,), "party": (dict,), "user": (str, type(None)), "peer": _TEXT, "message": (dict,)},
    "done": {"number": (int,), "value": (dict, type(None)), "error": (list, type(None))},
    "took": {"process": _TEXT},  # the sender has what this one had
}
_SESSION: Final = ((str,), (str, type(None)), (str,), (str,), (str,), (bool,))


class Packet(NamedTuple):
    """What one process says to one other, or to all."""

    sender: str
    acks: dict[str, int]  # by process: the last line that came from there
    first: int  # number of the first line
    lines: list[str]

    def serialize(self) -> bytes:
        head = json.dumps({"from": self.sender, "acks": self.acks, "first": self.first}, separators=(",", ":"))
        return "\n".join((head, *self.lines)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Packet:
        """Read a packet.

        Raises:
            WireError: it is none.
        """
        if len(data) > MAX_PACKET:
            raise WireError(f"a packet of {len(data)} bytes, the limit is {MAX_PACKET}")
        try:
            first, *lines = data.decode().split("\n")
        except ValueError as error:
            raise WireError(f"a packet that is no text: {error}") from None
        head = _load(first)
        match head:
            case {"from": str(sender), "acks": dict(acks), "first": int(number)} if len(head) == 3:
                pass
            case _:
                raise WireError("a packet without a head")
        if not is_process(sender) or isinstance(number, bool) or number < 1:
            raise WireError(f"a packet from {sender[:20]!r}, line {number}")
        if len(acks) > MAX_PROCESSES or not all(is_process(key) and _is_count(value) for key, value in acks.items()):
            raise WireError("a packet that acknowledges what cannot be")
        if len(lines) > MAX_LINES or not all(line[:1] in (".", "+") and len(line) <= MAX_PIECE + 1 for line in lines):
            raise WireError("a packet whose lines are no notes")
        return cls(sender, acks, number, lines)


def is_process(text: str) -> bool:
    """Whether this can be the id of a process."""
    return _ID.fullmatch(text) is not None


def pieces_of(note: Note) -> list[str]:
    """The lines of a note."""
    text = json.dumps(note, separators=(",", ":"), ensure_ascii=False)
    if len(text) <= MAX_PIECE:
        return ["." + text]
    parts = [text[start : start + MAX_PIECE] for start in range(0, len(text), MAX_PIECE)]
    return [*("+" + part for part in parts[:-1]), "." + parts[-1]]


def parse_note(text: str) -> Note:
    """Read a note.

    Raises:
        WireError: it is none.
    """
    if len(text) > MAX_NOTE:
        raise WireError(f"a note of {len(text)} characters, the limit is {MAX_NOTE}")
    note = _load(text)
    kind = note.get("kind") if isinstance(note, dict) else None
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None or len(note) != len(fields) + 1:
        raise WireError(f"a note of kind {str(kind)[:20]!r}, with other fields than it has")
    for name, types in fields.items():
        if name not in note or not _is_of(note[name], types):
            raise WireError(f"a note of kind {kind}, whose {name} is wrong")
    if kind == "there" and not all(map(_is_session, note["sessions"])):
        raise WireError("a session that is none")
    if kind == "do" and not (_is_party(note["party"]) and isinstance(note["message"].get("type"), str)):
        raise WireError("a request that is none")
    if kind == "done" and note["error"] is not None and not _is_error(note["error"]):
        raise WireError("an error that is none")
    return dict(note)


def _is_of(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _is_session(given: object) -> bool:
    """Endpoint, name, key, label, presence, and whether there is a connection."""
    return (
        isinstance(given, list)
        and len(given) == len(_SESSION)
        and all(_is_of(value, types) for value, types in zip(given, _SESSION, strict=True))
        and given[4] in ("available", "busy", "away", "offline")
    )


def _is_party(given: dict[str, Any]) -> bool:
    return set(given) == {"name", "device", "key", "label"} and all(
        isinstance(value, str) or (key == "name" and value is None) for key, value in given.items()
    )


def _is_error(given: list[Any]) -> bool:
    return (
        len(given) == 3
        and isinstance(given[0], str)
        and isinstance(given[1], str)
        and _is_of(given[2], (int, float, type(None)))
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"what is no JSON: {str(error)[:100]}") from None
