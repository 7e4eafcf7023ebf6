"""The chunker interface, and the texts that name one (Kubo, `ipfs add --chunker`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.ipfs.unixfs.chunker.fixed import FixedChunker

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.chunker.buzhash import BuzhashChunker
    from zwerm.ipfs.unixfs.chunker.rabin import RabinChunker

DEFAULT_SIZE: Final = 262_144  # bytes; Kubo's default for `size` and the average of `rabin`
MAX_CHUNK: Final = MAX_BLOCK - 256  # bytes; leaves room for what dag-pb wraps around a leaf (boxo's ChunkSizeLimit)
MIN_RABIN: Final = 16  # bytes, the width of the window

_SIZE: Final = r"size-([0-9]{1,9})"
_RABIN_AVERAGE: Final = r"rabin-([0-9]{1,9})"
_RABIN: Final = r"rabin-(?:min:)?([0-9]{1,9})-(?:avg:)?([0-9]{1,9})-(?:max:)?([0-9]{1,9})"


class Chunker(Protocol):
    """Cuts one stream."""

    def receive_data(self, data: bytes | memoryview) -> list[bytes]:
        """Take the next bytes; return the chunks that end in them."""
        ...

    def finish(self) -> list[bytes]:
        """Return what is left, at most one chunk. The machine is at its start again."""
        ...


def from_text(text: str) -> FixedChunker | RabinChunker | BuzhashChunker:
    """Make the chunker that Kubo's `--chunker` names.

    `size-BYTES`, `rabin`, `rabin-AVERAGE`, `rabin-MIN-AVERAGE-MAX`, `buzhash`, and `default` or nothing.

    Raises:
        LocalProtocolError: none of these, or sizes that do not fit together or into a block.
    """
    if text in ("", "default"):
        return FixedChunker(DEFAULT_SIZE)
    if match := re.fullmatch(_SIZE, text):
        size = int(match[1])
        _check(text, 0 < size <= MAX_CHUNK, f"a size from 1 to {MAX_CHUNK}")
        return FixedChunker(size)
    if text == "buzhash":
        from zwerm.ipfs.unixfs.chunker.buzhash import BuzhashChunker

        return BuzhashChunker()
    if text == "rabin":
        return _rabin_by_average(DEFAULT_SIZE)
    if match := re.fullmatch(_RABIN_AVERAGE, text):
        average = int(match[1])
        _check(
            text,
            3 * MIN_RABIN <= average <= MAX_CHUNK * 2 // 3,
            f"an average from {3 * MIN_RABIN} to {MAX_CHUNK * 2 // 3}",
        )
        return _rabin_by_average(average)
    if match := re.fullmatch(_RABIN, text):
        minimum, average, maximum = map(int, match.groups())
        rising = MIN_RABIN <= minimum < average < maximum <= MAX_CHUNK
        _check(text, rising, f"sizes that rise from at least {MIN_RABIN} to at most {MAX_CHUNK}")
        return _rabin(minimum, average, maximum)
    raise LocalProtocolError(
        f"chunker {text!r:.60}, expected size-BYTES, rabin, rabin-AVERAGE, rabin-MIN-AVERAGE-MAX or buzhash"
    )


def sure_size(text: str) -> int:
    """Return the size in bytes up to which a stream is one chunk for certain. Raises as `from_text`."""
    made = from_text(text)
    return made.size if isinstance(made, FixedChunker) else made.minimum


def _rabin_by_average(average: int) -> RabinChunker:
    return _rabin(average // 3, average, average + average // 2)


def _rabin(minimum: int, average: int, maximum: int) -> RabinChunker:
    from zwerm.ipfs.unixfs.chunker.rabin import RabinChunker

    return RabinChunker(minimum, average, maximum)


def _check(text: str, fits: bool, expected: str) -> None:
    if not fits:
        raise LocalProtocolError(f"chunker {text!r}, expected {expected}")
