"""Chunks of one size, the last one shorter."""

from __future__ import annotations


class FixedChunker:
    """Cuts every `size` bytes."""

    def __init__(self, size: int) -> None:
        self.size = size  # bytes, 1 or more
        self._parts: list[bytes] = []
        self._buffered = 0

    def receive_data(self, data: bytes | memoryview) -> list[bytes]:
        """Take the next bytes; return the chunks that end in them."""
        size = self.size
        if not self._buffered and len(data) == size:
            return [bytes(data)]
        view = memoryview(data)
        chunks: list[bytes] = []
        position = 0
        if self._buffered:
            position = min(size - self._buffered, len(view))
            self._parts.append(bytes(view[:position]))
            self._buffered += position
            if self._buffered < size:
                return chunks
            chunks.append(b"".join(self._parts))
            self._parts.clear()
            self._buffered = 0
        while len(view) - position >= size:
            chunks.append(bytes(view[position : position + size]))
            position += size
        if position < len(view):
            self._parts.append(bytes(view[position:]))
            self._buffered = len(view) - position
        return chunks

    def finish(self) -> list[bytes]:
        """Return what is left, at most one chunk. The machine is at its start again."""
        rest = b"".join(self._parts)
        self._parts.clear()
        self._buffered = 0
        return [rest] if rest else []
