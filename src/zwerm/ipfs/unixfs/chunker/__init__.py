"""Chunkers: where a stream of bytes is cut into leaves, by size or by content.

Each is a push machine: `receive_data` takes bytes as they come and returns the chunks that are complete, `finish`
returns the last one. How the stream was sliced by the caller never changes a cut. No chunk is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core import lazy
from zwerm.ipfs.unixfs.chunker.chunker import DEFAULT_SIZE, MAX_CHUNK, Chunker, from_text, sure_size
from zwerm.ipfs.unixfs.chunker.fixed import FixedChunker

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.chunker.buzhash import BuzhashChunker
    from zwerm.ipfs.unixfs.chunker.rabin import RabinChunker

__all__ = [
    "DEFAULT_SIZE",
    "MAX_CHUNK",
    "BuzhashChunker",
    "Chunker",
    "FixedChunker",
    "RabinChunker",
    "from_text",
    "sure_size",
]

__getattr__ = lazy.attributes(__name__, {"BuzhashChunker": "buzhash", "RabinChunker": "rabin"})
