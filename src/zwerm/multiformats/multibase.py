"""Multibase (multiformats/multibase): bytes as text whose first character names the alphabet.

Decoding is strict: a character outside the alphabet, padding where there is none, and bits left over that are not zero
are refused, so that one value has one text in each base.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32_HEX: Final = "0123456789abcdefghijklmnopqrstuv"
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE58_BTC: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

MAX_BIG_NUMBER_TEXT: Final = 1_024  # characters in base 36 and 58, whose cost grows with the square of the length


class Base(NamedTuple):
    """One row of the multibase table."""

    prefix: str
    encode: Callable[[bytes], str]
    decode: Callable[[str], bytes]


def _number_base(alphabet: str) -> tuple[Callable[[bytes], str], Callable[[str], bytes]]:
    size, zero = len(alphabet), alphabet[0]
    values = {character: value for value, character in enumerate(alphabet)}

    def encode(data: bytes) -> str:
        zeros = len(data) - len(data.lstrip(b"\0"))
        number, digits = int.from_bytes(data, "big"), []
        while number:
            number, digit = divmod(number, size)
            digits.append(alphabet[digit])
        return zero * zeros + "".join(reversed(digits))

    def decode(text: str) -> bytes:
        if len(text) > MAX_BIG_NUMBER_TEXT:
            raise WireError(f"base{size} text of {len(text)} characters, expected at most {MAX_BIG_NUMBER_TEXT}")
        number = 0
        for character in text:
            value = values.get(character)
            if value is None:
                raise WireError(f"{character!r} is not a base{size} character")
            number = number * size + value
        zeros = len(text) - len(text.lstrip(zero))
        return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")

    return encode, decode


def _rfc4648(
    name: str,
    to_text: Callable[[bytes], bytes],
    from_text: Callable[[bytes], bytes],
    group: int,
    *,
    lower: bool,
) -> tuple[Callable[[bytes], str], Callable[[str], bytes]]:
    def encode(data: bytes) -> str:
        text = to_text(data).decode("ascii").rstrip("=")
        return text.lower() if lower else text

    def decode(text: str) -> bytes:
        try:
            raw = (text.upper() if lower else text).encode("ascii")
            data = from_text(raw + b"=" * (-len(raw) % group))
        except (UnicodeEncodeError, binascii.Error, ValueError):
            raise WireError(f"{text[:64]!r} is not {name} text") from None
        if encode(data) != (text.lower() if lower else text):
            raise WireError(f"{text[:64]!r} is not canonical {name} text")
        return data

    return encode, decode


def _base64_strict(alphabet: bytes | None) -> Callable[[bytes], bytes]:
    return lambda text: base64.b64decode(text, altchars=alphabet, validate=True)


_BASE16 = _rfc4648("base16", base64.b16encode, base64.b16decode, 1, lower=True)
_BASE64 = _rfc4648("base64", base64.b64encode, _base64_strict(None), 4, lower=False)
_BASE64_URL = _rfc4648("base64url", base64.urlsafe_b64encode, _base64_strict(b"-_"), 4, lower=False)
_BASE32_CODEC = _rfc4648("base32", base64.b32encode, base64.b32decode, 8, lower=True)
_BASE32_HEX_CODEC = _rfc4648("base32hex", base64.b32hexencode, base64.b32hexdecode, 8, lower=True)

BASES: Final[dict[str, Base]] = {
    "base16": Base("f", *_BASE16),
    "base16upper": Base("F", lambda data: _BASE16[0](data).upper(), _BASE16[1]),
    "base32": Base("b", *_BASE32_CODEC),
    "base32upper": Base("B", lambda data: _BASE32_CODEC[0](data).upper(), _BASE32_CODEC[1]),
    "base32hex": Base("v", *_BASE32_HEX_CODEC),
    "base32hexupper": Base("V", lambda data: _BASE32_HEX_CODEC[0](data).upper(), _BASE32_HEX_CODEC[1]),
    "base36": Base("k", _number_base(_BASE36)[0], lambda text: _number_base(_BASE36)[1](text.lower())),
    "base58btc": Base("z", *_number_base(_BASE58_BTC)),
    "base64": Base("m", *_BASE64),
    "base64url": Base("u", *_BASE64_URL),
}
_BY_PREFIX: Final = {base.prefix: base for base in BASES.values()}


def encode(data: bytes, base: str) -> str:
    """Return the text of `data`, prefix included.

    Raises:
        LocalProtocolError: a base that is not in `BASES`.
    """
    row = BASES.get(base)
    if row is None:
        raise LocalProtocolError(f"multibase {base!r}, expected one of {', '.join(BASES)}")
    return row.prefix + row.encode(data)


def decode(text: str) -> bytes:
    """Read untrusted text whose first character names its base.

    Raises:
        WireError: empty, an unknown prefix, or not canonical text of that base.
    """
    row = _BY_PREFIX.get(text[:1])
    if row is None:
        raise WireError(f"multibase prefix {text[:1]!r}, expected one of {''.join(_BY_PREFIX)}")
    return row.decode(text[1:])
