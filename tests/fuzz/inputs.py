"""What harnesses make of raw bytes: text with anything in it, and streams cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator


def text(data: bytes) -> str:
    """Decode as HTTP servers and command lines do: what is no UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut into pieces of `size` bytes, at least one."""
    for start in range(0, len(data), max(size, 1)):
        yield data[start : start + max(size, 1)]
