"""Ignore rules in the language of gitignore(5), for what an importer leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class IgnoreRules(Protocol):
    """Says what is left out."""

    def match(self, relative: str, *, is_directory: bool) -> bool:
        """Whether the path below the added folder, `/` between, is left out with all that is in it."""
        ...


class GitIgnore:
    """The lines of `.gitignore` files: of the rules that match, the last decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._rules = GitIgnoreSpec.from_lines(lines)

    def match(self, relative: str, *, is_directory: bool) -> bool:
        """Whether the path below the added folder, `/` between, is left out with all that is in it."""
        return self._rules.match_file(f"{relative}/" if is_directory else relative)
