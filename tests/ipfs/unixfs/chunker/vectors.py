"""The data that tests/vectors/unixfs_chunkers.json speaks of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parents[3] / "vectors" / "unixfs_chunkers.json"


class Vector(NamedTuple):
    """What a chunker of Go makes of some data."""

    chunker: str
    data: str
    size: int
    chunks: list[int]

    def __str__(self) -> str:
        return f"{self.chunker} of {self.size} {self.data}"


def vectors(prefix: str) -> list[Vector]:
    """Return the vectors of the chunkers whose name begins so."""
    found = [Vector(**case) for case in json.loads(_FILE.read_text())]
    return [vector for vector in found if vector.chunker.startswith(prefix)]


def data(name: str, size: int) -> bytes:
    if name == "zeros":
        return bytes(size)
    if name == "text":
        lines = (b"line %d of a text that repeats itself, %d\n" % (number, number % 97) for number in range(size // 40))
        return b"".join(lines)[:size]
    return hashlib.shake_128(name.encode()).digest(size)
