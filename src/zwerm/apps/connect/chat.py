"""What two people's programs say to each other beside files: JSON objects with a `type`, one a message.

`hello` comes first; types that are not known are newer programs', and are passed over.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Final, TypeAlias

from zwerm.core.errors import WireError

MAX_MESSAGE: Final = 65_536  # characters of one message, marks of JSON included
MAX_TEXT: Final = 16_384  # characters of a line of chat
MAX_PROGRAM: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Hello:
    """The first message on every link."""

    program: str

    def __str__(self) -> str:
        return _write(type="hello", program=self.program)


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """A line of chat."""

    text: str

    def __str__(self) -> str:
        return _write(type="text", text=self.text)


@dataclasses.dataclass(frozen=True, slots=True)
class Writing:
    """Whether the other person is typing."""

    is_writing: bool

    def __str__(self) -> str:
        return _write(type="writing", writing=self.is_writing)


@dataclasses.dataclass(frozen=True, slots=True)
class Play:
    """The other person asks to play, or plays no more."""

    is_playing: bool

    def __str__(self) -> str:
        return _write(type="play", playing=self.is_playing)


@dataclasses.dataclass(frozen=True, slots=True)
class Bye:
    """The other side leaves on purpose: nothing broke."""

    def __str__(self) -> str:
        return _write(type="bye")


Saying: TypeAlias = Hello | Text | Writing | Play | Bye


def parse(message: str) -> Saying | None:
    """Read a message; None for a type that is not known here.

    Raises:
        WireError: it is not a JSON object with a type, or larger than anybody writes.
    """
    if len(message) > MAX_MESSAGE:
        raise WireError(f"a message of {len(message)} characters, expected at most {MAX_MESSAGE}")
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message that is not JSON: {error}") from None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise WireError("a message without a type")
    match value["type"]:
        case "hello":
            return Hello(_text(value, "program", MAX_PROGRAM))
        case "text":
            return Text(_text(value, "text", MAX_TEXT))
        case "writing":
            return Writing(_truth(value, "writing"))
        case "play":
            return Play(_truth(value, "playing"))
        case "bye":
            return Bye()
        case _:
            return None


def _text(value: dict[str, object], key: str, limit: int) -> str:
    text = value.get(key)
    if not isinstance(text, str) or len(text) > limit:
        raise WireError(f"{key} is no text of at most {limit} characters")
    return text.encode(errors="replace").decode()  # half a surrogate pair is no character


def _truth(value: dict[str, object], key: str) -> bool:
    found = value.get(key)
    if not isinstance(found, bool):
        raise WireError(f"{key} is neither true nor false")
    return found


def _write(**value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
