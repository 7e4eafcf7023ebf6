"""A progress bar with rate and time left on standard error, for people who watch a terminal.

Nothing appears during the first moments: short work shows no bar, and does not pay for importing rich.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from zwerm.cli.output import Output

_DELAY: Final = 0.4  # seconds before the bar appears


class Progress:
    """Counts bytes, or items with `unit`; a context manager that takes the bar away in the end."""

    def __init__(self, title: str, total: int | None = None, *, shown: bool, unit: str | None = None) -> None:
        self._title = title
        self.total = total  # may be told later, also by another thread
        self._unit = unit
        self.shown = shown
        self._done = 0
        self._appears = time.monotonic() + _DELAY
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._lock = threading.Lock()
        self._note = ""

    @property
    def done(self) -> int:
        return self._done

    def advance(self, amount: int) -> None:
        """Add what was done since the last call."""
        self.update(self._done + amount)

    def update(self, done: int, total: int | None = None) -> None:
        """Say how much is done in all."""
        self._done = done
        if total is not None:
            self.total = total
        if self._is_open() and self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=self.total)

    def note(self, text: str) -> None:
        """Say below the bar what is going on, such as from whom something comes; any thread."""
        self._note = text
        self._is_open()

    def _is_open(self) -> bool:
        """Let the bar appear when it is time; return whether there is one."""
        with self._lock:
            if self._bar is None and self.shown and time.monotonic() >= self._appears:
                self._open()
            return self._bar is not None

    def line(self, output: Output, text: str) -> None:
        """Write a line of output; above the bar when both are on one terminal."""
        if self._bar is not None and output.is_terminal:
            self._bar.console.out(text, highlight=False)
        else:
            output.line(text)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bar
        from rich.text import Text

        class Noted(Bar):
            """With a line below it."""

            def get_renderables(bar) -> Iterable[RenderableType]:  # noqa: N805 -- `self` is the outer one's
                yield from super().get_renderables()
                if self._note:
                    yield Text(self._note, style="dim", no_wrap=True, overflow="ellipsis")

        amount = (
            (MofNCompleteColumn(), TextColumn(self._unit)) if self._unit else (DownloadColumn(), TransferSpeedColumn())
        )
        self._bar = Noted(
            TextColumn("{task.description}"),
            BarColumn(),
            *amount,
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(self._title, total=self.total)

    def close(self) -> None:
        """Take the bar away. Idempotent."""
        with self._lock:
            self.shown = False
            bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
