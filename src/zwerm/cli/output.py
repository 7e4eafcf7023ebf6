"""Standard output: text with names made safe, JSON lines, and raw bytes without a copy."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Any, Final

_WIDE: Final = 1 << 17  # bytes from which a pipe is widened
_PIPE: Final = 1 << 20  # bytes a pipe holds then
_BUFFER: Final = 1 << 16  # bytes of text gathered before a write, when nobody watches


class Output:
    """Writes to one descriptor. Text is gathered when it goes to a pipe or file, shown at once on a terminal."""

    def __init__(self, descriptor: int = 1) -> None:
        self.descriptor = descriptor
        self._pending: list[str] = []
        self._size = 0
        self.is_terminal = os.isatty(descriptor)
        self._is_wide = False

    def line(self, text: str = "") -> None:
        self.text(text + "\n")

    def text(self, text: str) -> None:
        self._pending.append(text)
        self._size += len(text)
        if self.is_terminal or self._size > _BUFFER:
            self.flush()

    def json(self, value: Any) -> None:
        """Write one document on a line of its own; always UTF-8, whatever bytes names have."""
        from zwerm.core.escaped import json_bytes

        self.line(json_bytes(value).decode())

    def data(self, data: bytes | memoryview) -> None:
        """Write bytes as they are."""
        if self._pending:
            self.flush()
        self.expect(len(data))
        written = os.write(self.descriptor, data)
        while written < len(data):
            data = memoryview(data)[written:]
            written = os.write(self.descriptor, data)

    def expect(self, size: int) -> None:
        """Let a pipe hold more than the usual 64 KiB when much is coming, so that the ends take turns less often."""
        if self._is_wide or size < _WIDE:
            return
        self._is_wide = True
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
        except OSError:
            return  # a file, a socket, or more than this user may have

    def flush(self) -> None:
        """Write what was gathered; BrokenPipeError when nobody reads any more."""
        if self._pending:
            data = "".join(self._pending).encode("utf-8", "surrogateescape")
            self._pending.clear()
            self._size = 0
            self.data(data)


def safe(name: str) -> str:
    """Write a name from elsewhere so that it can neither move the cursor nor fake a line."""
    if name.isprintable():
        return name
    return "".join(
        c if c.isprintable() or "\udc80" <= c <= "\udcff" else c.encode("unicode_escape").decode() for c in name
    )


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Lay columns out with one space between, the last one ragged."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [" ".join([*(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows]


def human_size(size: float) -> str:
    """Write bytes as people do: `1.5 MB`, powers of 1000."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 999.95 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def complain(text: str) -> None:
    """Write a line to standard error; when that is gone too, there is nobody to tell."""
    try:
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
