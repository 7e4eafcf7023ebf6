"""What content-defined chunkers share: a chunk ends after the first window, past the minimum, that the hash picks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

_STEP: Final = 64 * 1024  # bytes hashed before looking whether the cut is found; most chunks end a few steps on


class WindowChunker(ABC):
    """Cuts after the first window of bytes that `_find` picks, between `minimum` and `maximum` bytes."""

    def __init__(self, minimum: int, maximum: int, window: int) -> None:
        self.minimum = minimum  # bytes, not below `window`
        self.maximum = maximum  # bytes
        self._window = window
        self._buffer = bytearray()
        self._searched = minimum  # no cut lies before this length of the chunk that begins the buffer

    def receive_data(self, data: bytes | memoryview) -> list[bytes]:
        """Take the next bytes; return the chunks that end in them."""
        self._buffer += data
        chunks: list[bytes] = []
        start = 0
        while (size := self._cut(start)) is not None:
            chunks.append(bytes(memoryview(self._buffer)[start : start + size]))
            start += size
            self._searched = self.minimum
        del self._buffer[:start]
        return chunks

    def finish(self) -> list[bytes]:
        """Return what is left, at most one chunk. The machine is at its start again."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = self.minimum
        return [rest] if rest else []

    def _cut(self, start: int) -> int | None:
        """Return the size of the chunk at `start`, None when more bytes have to come first."""
        limit = min(len(self._buffer) - start, self.maximum)
        while self._searched <= limit:
            end = min(self._searched + _STEP, limit)
            # The windows that end at `_searched` up to and with `end`.
            with memoryview(self._buffer) as view:
                data = bytes(view[start + self._searched - self._window : start + end])
            found = self._find(data)
            if found >= 0:
                return self._searched + found
            self._searched = end + 1
        return self.maximum if limit == self.maximum else None

    @abstractmethod
    def _find(self, data: bytes) -> int:
        """Return the offset of the first window in `data` whose hash ends a chunk, or -1."""
