"""Multibase (multiformats/multibase): bytes as text whose first character names the alphabet.

The alphabets themselves are libipld's, in Rust. Decoding is strict, so that one value has one text in each base: a
character outside the alphabet, padding where there is none, and bits left over that are not zero are refused. Only
upper and lower case are the same in the bases that have one case of letters, as the specification's vectors want.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import libipld

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError

# Bases 10, 36 and 58 cost time with the square of the length.
MAX_NUMBER: Final = 1_024  # bytes we write in one of them
MAX_NUMBER_TEXT: Final = 2_500  # characters we read, a little over what `MAX_NUMBER` bytes take in base 10


class Base(NamedTuple):
    """One row of the multibase table."""

    prefix: str
    is_number: bool = False  # the bytes are one number, not groups of bits
    is_padded: bool = False  # "=" fills the last group


BASES: Final[dict[str, Base]] = {
    "base2": Base("0"),
    "base8": Base("7"),
    "base10": Base("9", is_number=True),
    "base16": Base("f"),
    "base16upper": Base("F"),
    "base32": Base("b"),
    "base32upper": Base("B"),
    "base32pad": Base("c", is_padded=True),
    "base32padupper": Base("C", is_padded=True),
    "base32hex": Base("v"),
    "base32hexupper": Base("V"),
    "base32hexpad": Base("t", is_padded=True),
    "base32hexpadupper": Base("T", is_padded=True),
    "base32z": Base("h"),
    "base36": Base("k", is_number=True),
    "base36upper": Base("K", is_number=True),
    "base58btc": Base("z", is_number=True),
    "base58flickr": Base("Z", is_number=True),
    "base64": Base("m"),
    "base64pad": Base("M", is_padded=True),
    "base64url": Base("u"),
    "base64urlpad": Base("U", is_padded=True),
    "base256emoji": Base("🚀"),
}
_PREFIXES: Final = frozenset(base.prefix for base in BASES.values())
_NUMBER_PREFIXES: Final = frozenset(base.prefix for base in BASES.values() if base.is_number)
_PADDED_PREFIXES: Final = frozenset(base.prefix for base in BASES.values() if base.is_padded)


def encode(data: bytes, base: str) -> str:
    """Return the text of `data`, prefix included.

    Raises:
        LocalProtocolError: a base that is not in `BASES`.
        ResourceLimitError: more bytes than a base that is one number can be asked to write.
    """
    row = BASES.get(base)
    if row is None:
        raise LocalProtocolError(f"multibase {base!r}, expected one of {', '.join(BASES)}")
    if row.is_number and len(data) > MAX_NUMBER:
        raise ResourceLimitError(f"{len(data)} bytes in {base}, the limit is {MAX_NUMBER}")
    return libipld.encode_multibase(row.prefix, data)


def decode(text: str) -> bytes:
    """Read untrusted text whose first character names its base.

    Raises:
        WireError: empty, an unknown prefix, or not canonical text of that base.
    """
    prefix = text[:1]
    if prefix not in _PREFIXES:
        raise WireError(f"multibase prefix {prefix!r}, expected one of {''.join(sorted(_PREFIXES))}")
    if len(text) > MAX_NUMBER_TEXT and prefix in _NUMBER_PREFIXES:
        raise WireError(f"multibase text of {len(text)} characters, expected at most {MAX_NUMBER_TEXT}")
    try:
        if prefix in _PADDED_PREFIXES and "=" in text.rstrip("="):  # libipld lets one text follow another
            raise ValueError
        return libipld.decode_multibase(text)[1]
    except ValueError:
        raise WireError(f"{text[:64]!r} is not canonical text of multibase {prefix!r}") from None
