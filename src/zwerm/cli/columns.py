"""Text in the width of the terminal. Imports next to nothing: `zwerm --help` is shown by it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

_NOBODY: Final = 100  # columns where there is no terminal
_MOST: Final = 120  # longer lines are hard to read


def terminal_width() -> int:
    """Columns that help may take."""
    text = os.environ.get("COLUMNS", "")
    columns = int(text) if text.isdecimal() else 0
    if not columns:
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 0
    return min(max(columns or _NOBODY, 20), _MOST)


def table(rows: Sequence[tuple[str, str]], width: int, left: int = 0) -> list[str]:
    """Lay names and sentences out in two columns, a name on its own line where it is too long or the width small."""
    from textwrap import wrap

    left = min(left or max(len(first) for first, _ in rows) + 2, 40, max(width - 32, 2))
    lines = []
    for first, second in rows:
        pieces = wrap(second, max(width - left - 2, 20)) or [""]
        if len(first) + 2 > left:
            lines.append(f"  {first}")
            lines += [f"  {'':{left}}{piece}" for piece in pieces]
        else:
            lines.append(f"  {first:{left}}{pieces[0]}".rstrip())
            lines += [f"  {'':{left}}{piece}" for piece in pieces[1:]]
    return lines
