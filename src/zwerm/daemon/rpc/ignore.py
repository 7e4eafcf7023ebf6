"""Ignore rules in the language of gitignore(5), given with --ignore or in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    negated: bool
    directories_only: bool


class IgnoreRules:
    """An ordered list of rules, of which the last that matches decides."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self._rules = [rule for line in lines if (rule := _parse(line)) is not None]

    @classmethod
    def read(cls, lines: Sequence[str], path: Path | None) -> Self:
        """Join rules given one by one and those of a file; OSError when it cannot be read."""
        from_file = path.read_text("utf-8").splitlines() if path is not None else []
        return cls([*lines, *from_file])

    def __bool__(self) -> bool:
        return bool(self._rules)

    def match(self, relative: str, *, is_directory: bool) -> bool:
        """Whether the path below the named folder is left out; a left out folder takes along all that is in it."""
        left_out = False
        for rule in self._rules:
            if (is_directory or not rule.directories_only) and rule.pattern.fullmatch(relative):
                left_out = not rule.negated
        return left_out


def _parse(line: str) -> _Rule | None:
    text = line.rstrip()
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text.removeprefix("!").removeprefix("\\")
    directories_only = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    pattern = _translate(text.lstrip("/"))
    return _Rule(re.compile(pattern if anchored else f"(?:.*/)?{pattern}"), negated, directories_only)


def _translate(glob: str) -> str:
    """Turn a gitignore glob into a regular expression: `*` and `?` stop at `/`, `**` does not."""
    out, index = "", 0
    while index < len(glob):
        character = glob[index]
        if glob.startswith("**/", index) and index in (0, *(i + 1 for i, c in enumerate(glob) if c == "/")):
            out, index = out + "(?:.*/)?", index + 3
        elif glob.startswith("**", index):
            out, index = out + ".*", index + 2
        elif character in "*?":
            out, index = out + ("[^/]*" if character == "*" else "[^/]"), index + 1
        elif character == "[" and (end := glob.find("]", index + 2)) > 0:
            inside = glob[index + 1 : end].replace("\\", "\\\\")
            inside = "^" + inside[1:] if inside[0] in "!^" else inside
            out, index = out + f"[{inside}]", end + 1
        elif character == "\\" and index + 1 < len(glob):
            out, index = out + re.escape(glob[index + 1]), index + 2
        else:
            out, index = out + re.escape(character), index + 1
    return out
