"""The page docs/verified.md as tables whose rows are known by their first cell: read, renewed row by row, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

Rows = dict[str, tuple[str, ...]]  # by the first cell

INTRODUCTION: Final = """\
# Verified

What was measured or run, the command that repeats it, the figure, and when. A claim that is not here is not made.
2 cores, Linux 6.18, CPython 3.11.7 unless a row says otherwise; machines differ, so trust ratios. `make test-all`
writes this page (`tools/verified.py`); the claims are declared in `tools/claims.py`.
"""


class Table(NamedTuple):
    """One table of the page, under its heading."""

    text: str
    columns: tuple[str, ...]


TABLES: Final = {
    "Claims": Table("", ("claim", "command", "figure", "date")),
    "Suites": Table(
        "`pytest FOLDER`, the full sets too. What touches compiled modules runs in both forms.",
        ("tests", "passed", "seconds", "date"),
    ),
    "Fuzzing": Table(
        "`tools/fuzz.py`: led by coverage; the inputs by their rate are the seconds that a parser got.",
        ("parser", "inputs tried", "a second", "edges reached", "corpus", "outcome", "date"),
    ),
    "Branch coverage": Table(
        "`tools/branches.py`: what a module's own test file reaches of its lines and branches, where under 95 %.",
        ("module", "covered", "date"),
    ),
}


def cells(text: str) -> Iterable[tuple[str, ...]]:
    """Yield the rows of the Markdown tables in a text, without what heads them."""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("| ") and not line.startswith("| ---") and not following.startswith("| ---"):
            yield tuple(cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" | "))


def parse(text: str) -> dict[str, Rows]:
    """Return what each table of the page holds; none for a heading that is not there."""
    sections = dict(section.partition("\n")[::2] for section in text.split("\n## ")[1:])
    return {heading: {row[0]: row for row in cells(sections.get(heading, ""))} for heading in TABLES}


def render(tables: Mapping[str, Rows]) -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for heading, table in TABLES.items():
        text = f"{table.text}\n\n" if table.text else ""
        lines = [table.columns, ("---",) * len(table.columns), *tables[heading].values()]
        parts.append(f"## {heading}\n\n{text}" + "".join(f"| {' | '.join(line)} |\n" for line in lines))
    return "\n".join(parts)
