"""Kubo's Rabin chunker (boxo `chunker/rabin.go`, which is restic's with a window of 16 bytes).

Bytes are a polynomial over GF(2), and a window's fingerprint is that polynomial modulo a fixed irreducible one of
degree 53. A chunk ends where the low bits of the fingerprint are zero: as many bits as the average has binary digits
after its first. Helia's chunker of the same name uses another polynomial, so it cuts elsewhere.
"""

from __future__ import annotations

import functools
from typing import Final

from zwerm.ipfs.unixfs.chunker import planes
from zwerm.ipfs.unixfs.chunker.window import WindowChunker

POLYNOMIAL: Final = 17437180132763653  # Kubo's `IpfsRabinPoly`
WINDOW: Final = 16  # bytes


class RabinChunker(WindowChunker):
    """Cuts where the content says, so that an insertion moves few cuts."""

    def __init__(self, minimum: int, average: int, maximum: int, polynomial: int = POLYNOMIAL) -> None:
        """Take sizes in bytes that rise, from at least `WINDOW`, and an irreducible polynomial of degree 53."""
        super().__init__(minimum, maximum, WINDOW)
        self._powers = powers(polynomial)
        self._mask = (1 << average.bit_length() - 1) - 1

    def _find(self, data: bytes) -> int:
        return planes.find_rabin(data, self._powers, self._mask)


@functools.cache
def powers(polynomial: int) -> tuple[tuple[int, ...], ...]:
    """For each distance from the end of a window, what a byte there adds to the fingerprint."""
    return tuple(
        tuple(_remainder(byte << 8 * distance, polynomial) for byte in range(256)) for distance in range(WINDOW)
    )


def _remainder(value: int, polynomial: int) -> int:
    while (excess := value.bit_length() - polynomial.bit_length()) >= 0:
        value ^= polynomial << excess
    return value
