"""Runs our form and a peer's turn by turn and prints the medians with their ratio.

Turn by turn, because the machine is never still: what disturbs one round disturbs both sides of it. A benchmark is a
module of this package with a function `measure(quick: bool) -> list[Row]`.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
from collections.abc import Callable, Iterable

Timing = Callable[[], float]  # runs once and returns the figure, in the row's unit


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One line of the result."""

    what: str
    unit: str
    ours: float
    peer: str
    theirs: float
    bar: float  # the ratio to reach; above 1 means better than the peer
    higher_is_better: bool = True

    @property
    def ratio(self) -> float:
        """How many times better than the peer."""
        if self.higher_is_better:
            return self.ours / self.theirs if self.theirs else float("inf")
        return self.theirs / self.ours if self.ours else float("inf")


def alternate(ours: Timing, peers: dict[str, Timing], *, rounds: int = 3) -> tuple[float, dict[str, float]]:
    """Run every side once a round, the order turned each time; return the medians."""
    figures: dict[str, list[float]] = {name: [] for name in ("ours", *peers)}
    sides = [("ours", ours), *peers.items()]
    for turn in range(rounds):
        for name, run in sides if turn % 2 == 0 else reversed(sides):
            figures[name].append(run())
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return medians.pop("ours"), medians


def machine() -> str:
    """One line that says where the figures were taken."""
    return f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, CPython {platform.python_version()}"


def print_rows(rows: Iterable[Row]) -> bool:
    """Print the table; return whether every bar was reached."""
    reached = True
    for row in rows:
        good = row.ratio >= row.bar
        reached &= good
        print(
            f"{row.what:<44} {row.ours:>10,.1f} {row.unit:<6} {row.peer:>20} {row.theirs:>10,.1f}"
            f"   {row.ratio:5.2f}x  {'reaches' if good else 'misses'} {row.bar:g}x",
            flush=True,
        )
    return reached
