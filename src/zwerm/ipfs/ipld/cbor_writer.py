"""Writing the IPLD data model as CBOR, in the one form that dag-cbor has (ipld.io/specs/codecs/dag-cbor/spec).

Shortest integers and lengths, floats of 64 bits, map keys sorted by their encoded form, which is by length first. The
module is compiled where a C compiler is found.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from mypy_extensions import i64

_DOUBLE: Final = struct.Struct(">Bd").pack
_SHORT: Final = tuple(bytes([head]) for head in range(256))
_LIMIT: Final = 2**64


def encode(value: object, *, links: bool) -> bytes:
    """Write `value`.

    Raises:
        LocalProtocolError: something that the data model does not have, an integer of more than 64 bits, nesting deeper
            than `MAX_DEPTH`, or a link where `links` forbids them.
    """
    writer = _Writer(links=links)
    writer.item(value, 0)
    return b"".join(writer.pieces)


class _Writer:
    """A pass over one value, collecting the pieces of its encoding."""

    def __init__(self, *, links: bool) -> None:
        self.links = links
        self.pieces: list[bytes] = []

    def item(self, value: object, depth: i64) -> None:
        pieces = self.pieces
        if isinstance(value, str):
            encoded = _text(value)
            pieces.append(_head(0x60, len(encoded)))
            pieces.append(encoded)
        elif isinstance(value, bool):
            pieces.append(b"\xf5" if value else b"\xf4")
        elif isinstance(value, int):
            pieces.append(_integer(value))
        elif isinstance(value, bytes):
            pieces.append(_head(0x40, len(value)))
            pieces.append(value)
        elif value is None:
            pieces.append(b"\xf6")
        elif isinstance(value, float):
            if value - value != 0.0:
                raise LocalProtocolError(f"float {value} has no place in the IPLD data model")
            pieces.append(_DOUBLE(0xFB, value))
        elif isinstance(value, CID):
            self.link(value)
        else:
            self.container(value, depth)

    def container(self, value: object, depth: i64) -> None:
        if depth >= MAX_DEPTH:
            raise LocalProtocolError(f"value nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            self.pieces.append(_head(0xA0, len(value)))
            for key, entry in sorted([(_key(key), entry) for key, entry in value.items()], key=_first):
                self.pieces.append(key)
                self.item(entry, depth + 1)
        elif isinstance(value, list):
            self.pieces.append(_head(0x80, len(value)))
            for entry in value:
                self.item(entry, depth + 1)
        else:
            raise LocalProtocolError(f"{type(value).__name__} has no place in the IPLD data model")

    def link(self, cid: CID) -> None:
        if not self.links:
            raise LocalProtocolError("plain CBOR cannot hold a link; use dag-cbor")
        binary = bytes(cid)
        self.pieces += (b"\xd8\x2a", _head(0x40, len(binary) + 1), b"\x00", binary)


def _first(entry: tuple[bytes, object]) -> bytes:
    return entry[0]


def _key(key: object) -> bytes:
    if not isinstance(key, str):
        raise LocalProtocolError(f"map key of type {type(key).__name__}, expected str")
    encoded = _text(key)
    return _head(0x60, len(encoded)) + encoded


def _text(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError(f"text {value[:64]!r} has lone surrogates, which UTF-8 has not") from None


def _integer(value: int) -> bytes:
    major, magnitude = (0, value) if value >= 0 else (0x20, -1 - value)
    if magnitude < 24:
        return _SHORT[major | magnitude]
    if magnitude >= _LIMIT:
        raise LocalProtocolError(f"integer of {magnitude.bit_length()} bits, expected at most 64")
    return _head(major, magnitude)


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return _SHORT[major | argument]
    if argument < 0x100:
        return bytes([major | 24, argument])
    if argument < 0x1_0000:
        return _SHORT[major | 25] + argument.to_bytes(2, "big")
    if argument < 0x1_0000_0000:
        return _SHORT[major | 26] + argument.to_bytes(4, "big")
    return _SHORT[major | 27] + argument.to_bytes(8, "big")
