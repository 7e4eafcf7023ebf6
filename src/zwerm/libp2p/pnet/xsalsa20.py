"""XSalsa20 (Bernstein, "Extending the Salsa20 nonce"): Salsa20 under a key that HSalsa20 makes of 16 bytes of nonce.

PyCryptodome has Salsa20; the one block of HSalsa20 for each direction of a connection is computed here.
"""

from __future__ import annotations

import struct
from typing import Any, Final

NONCE_SIZE: Final = 24

_KEY: Final = struct.Struct("<8I")
_NONCE: Final = struct.Struct("<4I")
_SIGMA: Final = struct.unpack("<4I", b"expand 32-byte k")
_MASK: Final = 0xFFFF_FFFF
# The quarter rounds of a double round, columns and then rows; "Salsa20 specification" sections 4 and 5.
_QUARTERS: Final = (
    (0, 4, 8, 12),
    (5, 9, 13, 1),
    (10, 14, 2, 6),
    (15, 3, 7, 11),
    (0, 1, 2, 3),
    (5, 6, 7, 4),
    (10, 11, 8, 9),
    (15, 12, 13, 14),
)
_DOUBLE_ROUNDS: Final = 10
_OUTPUT: Final = (0, 5, 10, 15, 6, 7, 8, 9)  # of HSalsa20: the diagonal, and where the nonce was


def xsalsa20(key: bytes, nonce: bytes) -> Any:
    """Return a stream cipher: its `encrypt(data, output=...)`, call by call, goes on where it stopped."""
    from Crypto.Cipher import Salsa20

    return Salsa20.new(hsalsa20(key, nonce[:16]), nonce[16:NONCE_SIZE])


def hsalsa20(key: bytes, nonce: bytes) -> bytes:
    """Return 32 bytes made of a key of 32 and a nonce of 16."""
    k, n = _KEY.unpack(key), _NONCE.unpack(nonce)
    x = [_SIGMA[0], *k[:4], _SIGMA[1], *n, _SIGMA[2], *k[4:], _SIGMA[3]]
    for _ in range(_DOUBLE_ROUNDS):
        for a, b, c, d in _QUARTERS:
            x[b] ^= _rotated(x[a] + x[d], 7)
            x[c] ^= _rotated(x[b] + x[a], 9)
            x[d] ^= _rotated(x[c] + x[b], 13)
            x[a] ^= _rotated(x[d] + x[c], 18)
    return _KEY.pack(*(x[place] for place in _OUTPUT))


def _rotated(value: int, bits: int) -> int:
    value &= _MASK
    return (value << bits | value >> (32 - bits)) & _MASK
