"""A connection code as text to carry: short, whole or refused, whatever mail and chat programs do to it on the way.

    zwerm 1 3j 7hKpQ...      the word, the version, the length of what follows (two digits of base 58), then base 58

The digits are base58btc: letters and figures only, so that no program takes a part for markup and a double click
selects all. What they say ends with a CRC-32. Whitespace, quotes, and the marks of quoted mail are ignored.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from zwerm.core.errors import WireError
from zwerm.multiformats import multibase
from zwerm.webrtc.paste.code import Code

WORD: Final = "zwerm"
VERSION: Final = 1
MAX_INPUT: Final = 16_384  # characters that are looked at; a code has about 150
MAX_DIGITS: Final = 480  # characters of base 58; eight candidates of IPv6 and the longest credentials take 414

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NOISE: Final = re.compile(r"[^0-9A-Za-z]+")
_HEAD: Final = re.compile(rf"{WORD}([0-9]+?)(..)", re.ASCII)
_CRC_SIZE: Final = 4


class PasteError(WireError):
    """A pasted text is no code that can be used; the message says why, to the person who pasted it."""


class NotACode(PasteError):
    """There is no code in it."""


class Incomplete(PasteError):
    """The beginning of a code: the rest may follow."""


class Damaged(PasteError):
    """A code that something changed on the way."""


class OtherVersion(PasteError):
    """A code of a zwerm that this one does not understand."""


class OwnCode(PasteError):
    """The code of whoever pasted it."""


def write(code: Code) -> str:
    """Return the text of a code, in one line."""
    data = code.serialize()
    digits = multibase.encode(data + zlib.crc32(data).to_bytes(_CRC_SIZE, "big"), "base58btc")[1:]
    high, low = divmod(len(digits), len(_ALPHABET))
    return f"{WORD}{VERSION}{_ALPHABET[high]}{_ALPHABET[low]}{digits}"


def read(text: str) -> Code:
    """Read the first code in what somebody pasted.

    Raises:
        PasteError: by its kinds, with a sentence that says what is wrong and what to do.
    """
    if len(text) > MAX_INPUT:
        raise NotACode(f"That is {len(text):,} characters; a code has about 150 and begins with {WORD}{VERSION}.")
    letters = _NOISE.sub("", text)
    start = letters.find(WORD)
    if start < 0:
        if WORD in letters.lower():
            raise Damaged("Capital and small letters of this code were changed on the way. Copy it again.")
        raise NotACode(f"That is not a code: a code begins with {WORD}{VERSION}.")
    rest = letters[start + len(WORD) :]
    if len(rest) < 3:
        raise Incomplete("The code is cut short after its first letters. Copy it whole.")
    if rest[0] != str(VERSION):
        raise _other_version(rest[0])
    return _read_digits(rest[1:3], rest[3:])


def _read_digits(length: str, digits: str) -> Code:
    high, low = (_ALPHABET.find(digit) for digit in length)
    expected = high * len(_ALPHABET) + low
    if min(high, low) < 0 or not 0 < expected <= MAX_DIGITS:
        raise Damaged("The code was changed on the way: its length makes no sense. Copy it again, whole.")
    if len(digits) < expected:
        raise Incomplete(f"The code is cut short: {expected - len(digits)} of {expected} characters are missing.")
    try:
        data = multibase.decode("z" + digits[:expected])
        if zlib.crc32(data[:-_CRC_SIZE]) != int.from_bytes(data[-_CRC_SIZE:], "big"):
            raise WireError("the checksum differs")
        return Code.parse(data[:-_CRC_SIZE])
    except WireError as error:
        raise Damaged(f"The code was changed on the way ({error}). Copy it again, whole.") from None


def _other_version(version: str) -> PasteError:
    if not version.isdigit():
        return NotACode(f"That is not a code: a code begins with {WORD}{VERSION}.")
    newer = int(version) > VERSION
    who = "Update zwerm here" if newer else "The other side has to update its zwerm"
    return OtherVersion(f"This code is of version {version}, this zwerm reads version {VERSION}. {who}.")


def wrap(text: str, width: int) -> str:
    """Break a code into lines of equal length, none longer than `width`."""
    lines = -(-len(text) // max(width, 20))
    size = -(-len(text) // lines)
    return "\n".join(text[start : start + size] for start in range(0, len(text), size))
