"""What harnesses make of raw bytes: text with anything in it, streams cut into pieces; and coroutines run at once."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def text(data: bytes) -> str:
    """Decode as HTTP servers and command lines do: what is no UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut into pieces of `size` bytes, at least one."""
    for start in range(0, len(data), max(size, 1)):
        yield data[start : start + max(size, 1)]


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits for something")
