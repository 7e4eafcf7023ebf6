"""Reading CBOR as far as the IPLD data model goes (RFC 8949; ipld.io/specs/codecs/dag-cbor/spec).

One reader serves three sets of rules: dag-cbor as written today (`STRICT`: one form for each value), dag-cbor as old
writers left it (`RELAXED`: any key order, longer integers and shorter floats, which the specification lets a decoder
take) and plain CBOR (`PLAIN`: relaxed, indefinite lengths too, no links). Under all of them a map has text
keys, none twice; there is no tag but 42, no undefined, NaN or infinity.

Memory stays in proportion to the bytes: a count is believed only as far as bytes follow it, containers and map entries
are limited by `MAX_ENTRIES`, nesting by `MAX_DEPTH`. The module is compiled where a C compiler is found.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import WireError
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from mypy_extensions import i64

STRICT: Final = 0
RELAXED: Final = 1
PLAIN: Final = 2

MAX_DEPTH: Final = 256  # containers in containers; each costs two frames of Python's thousand
MAX_ENTRIES: Final = 262_144  # lists, maps and map entries of a document: some 50 MB in memory
MAX_TAG_SIZE: Final = 512  # bytes of a link; the longest CID has a third of it

_HALF: Final = struct.Struct(">e").unpack_from
_SINGLE: Final = struct.Struct(">f").unpack_from
_DOUBLE: Final = struct.Struct(">d").unpack_from

_LINK_TAG: Final = 42
_BREAK: Final = 0xFF


def decode(data: bytes, rules: int) -> object:
    """Read the one value that the untrusted bytes hold.

    Raises:
        WireError: not CBOR, not of the data model, not in the form that `rules` ask for, or past a limit.
    """
    reader = _Reader(data, rules)
    try:
        value, position = reader.item(0, 0)
    except (IndexError, struct.error):
        raise WireError(f"CBOR cut short after {len(data)} bytes") from None
    except UnicodeDecodeError:
        raise WireError("CBOR text that is not UTF-8") from None
    except RecursionError:
        raise WireError("CBOR nested too deep for the stack that is left") from None
    if position != len(data):
        raise WireError(f"{len(data) - position} bytes after the CBOR value")
    return value


def links(data: bytes) -> list[CID]:
    """Return the links of untrusted bytes, in order.

    Only what must be understood to find them is checked, under the `RELAXED` rules: whether keys are in order or texts
    are UTF-8 is for `decode` to say.

    Raises:
        WireError: not one definite-length CBOR value, or a tag that is no link.
    """
    found: list[CID] = []
    position: i64 = 0
    end: i64 = len(data)
    remaining: i64 = 1  # values still to come
    try:
        while remaining > 0:
            remaining -= 1
            head: i64 = data[position]
            major: i64 = head >> 5
            position += 1
            if major == 7:
                position += _simple_size(head)
                continue
            argument: i64 = head & 31
            if major < 2:
                position += 0 if argument < 24 else _width(argument)
                continue
            argument, position = _argument(data, argument, position, strict=False)
            if major == 6:
                cid, position = _link(data, argument, position, strict=False)
                found.append(cid)
                continue
            after = _end(data, position, argument)
            if major < 4:
                position = after
            else:
                remaining += argument * (major - 3)
    except IndexError:
        raise WireError(f"CBOR cut short after {len(data)} bytes") from None
    if position != end:
        raise WireError(f"{end - position} bytes too many or too few for the CBOR value")
    return found


class _Reader:
    """A pass over one document. Positions go in and out as values; only the budget of entries is state."""

    def __init__(self, data: bytes, rules: int) -> None:
        self.data = data
        self.strict = rules == STRICT
        self.plain = rules == PLAIN
        self.entries: i64 = 0

    def item(self, position: i64, depth: i64) -> tuple[object, i64]:
        """Read the value at `position`; return it and the position after it."""
        data = self.data
        head: i64 = data[position]
        major: i64 = head >> 5
        position += 1
        if major == 7:
            return self.simple(head, position)
        argument: i64 = head & 31
        if argument >= 24:
            if argument == 27 and major < 2:
                return self.long_integer(head, position)
            if argument == 31 and self.plain and major > 1:
                return self.indefinite(major, position, depth)
            argument, position = _argument(data, argument, position, strict=self.strict)
        if major == 0:
            return argument, position
        if major == 1:
            return -1 - argument, position
        if major == 4:
            return self.array(argument, position, depth)
        if major == 5:
            return self.map(argument, position, depth)
        if major == 6:
            if self.plain:
                raise WireError(f"CBOR tag {argument}, plain CBOR has no links")
            return _link(data, argument, position, strict=self.strict)
        end = _end(data, position, argument)
        return (data[position:end] if major == 2 else data[position:end].decode()), end

    def long_integer(self, head: i64, position: i64) -> tuple[object, i64]:
        """Read an integer of 64 bits, which may not fit where lengths do."""
        end = _end(self.data, position, 8)
        value = int.from_bytes(self.data[position:end], "big")
        if self.strict and value < 1 << 32:
            raise WireError(f"CBOR integer {value} in 8 bytes, expected the shortest form")
        return (value if head == 0x1B else -1 - value), end

    def simple(self, head: i64, position: i64) -> tuple[object, i64]:
        if head == 0xF4:
            return False, position
        if head == 0xF5:
            return True, position
        if head == 0xF6:
            return None, position
        value: float
        if head == 0xFB:
            value = _DOUBLE(self.data, position)[0]
        elif self.strict or (head != 0xF9 and head != 0xFA):
            raise WireError(f"CBOR simple value {head:#x}, expected false, true, null or a float of 64 bits")
        else:
            value = (_HALF if head == 0xF9 else _SINGLE)(self.data, position)[0]
        if value - value != 0.0:
            raise WireError(f"CBOR float {value}, expected a finite one")
        return value, position + _simple_size(head)

    def array(self, count: i64, position: i64, depth: i64) -> tuple[object, i64]:
        self.enter(depth, 1)
        if count > len(self.data) - position:
            raise WireError(f"CBOR list of {count}, {len(self.data) - position} bytes are left")
        values: list[object] = []
        for _ in range(count):
            value, position = self.item(position, depth + 1)
            values.append(value)
        return values, position

    def map(self, count: i64, position: i64, depth: i64) -> tuple[object, i64]:
        data = self.data
        if count > len(data) - position:
            raise WireError(f"CBOR map of {count}, {len(data) - position} bytes are left")
        self.enter(depth, 1 + count)
        strict = self.strict
        entries: dict[str, object] = {}
        last = b""
        for _ in range(count):
            start = position
            key, position = self.key(position)
            if strict:
                encoded = data[start:position]
                if encoded <= last:
                    raise WireError(f"CBOR map key {key[:64]!r} is out of order or there twice")
                last = encoded
            elif key in entries:
                raise WireError(f"CBOR map key {key[:64]!r} is there twice")
            entries[key], position = self.item(position, depth + 1)
        return entries, position

    def key(self, position: i64) -> tuple[str, i64]:
        data = self.data
        head: i64 = data[position]
        if head >> 5 != 3:
            raise WireError(f"CBOR map key of major type {head >> 5}, expected text")
        position += 1
        size: i64 = head & 31
        if size >= 24:
            if size == 31 and self.plain:
                value, position = self.indefinite(3, position, 0)
                return str(value), position
            size, position = _argument(data, size, position, strict=self.strict)
        end = _end(data, position, size)
        return data[position:end].decode(), end

    def indefinite(self, major: i64, position: i64, depth: i64) -> tuple[object, i64]:
        """Read what follows an indefinite-length head, up to and with the break (RFC 8949 section 3.2)."""
        data = self.data
        if major == 4:
            values: list[object] = []
            self.enter(depth, 1)
            while data[position] != _BREAK:
                value, position = self.item(position, depth + 1)
                values.append(value)
            return values, position + 1
        if major == 5:
            entries: dict[str, object] = {}
            self.enter(depth, 1)
            while data[position] != _BREAK:
                self.enter(depth, 1)
                key, position = self.key(position)
                if key in entries:
                    raise WireError(f"CBOR map key {key[:64]!r} is there twice")
                entries[key], position = self.item(position, depth + 1)
            return entries, position + 1
        return self.chunks(major, position)

    def chunks(self, major: i64, position: i64) -> tuple[object, i64]:
        data = self.data
        pieces: list[bytes] = []
        while data[position] != _BREAK:
            head: i64 = data[position]
            if head >> 5 != major:
                raise WireError(f"CBOR chunk of major type {head >> 5}, expected {major}")
            size, position = _argument(data, head & 31, position + 1, strict=False)
            end = _end(data, position, size)
            piece = data[position:end]
            if major == 3:
                piece.decode()  # each chunk is whole characters
            pieces.append(piece)
            position = end
        joined = b"".join(pieces)
        return (joined if major == 2 else joined.decode()), position + 1

    def enter(self, depth: i64, entries: i64) -> None:
        if depth >= MAX_DEPTH:
            raise WireError(f"CBOR nested deeper than {MAX_DEPTH}")
        self.entries += entries
        if self.entries > MAX_ENTRIES:
            raise WireError(f"CBOR with more than {MAX_ENTRIES} lists, maps and map entries")


def _argument(data: bytes, argument: i64, position: i64, *, strict: bool) -> tuple[i64, i64]:
    """Read the argument that `argument`, the low five bits of a head, announces; up to 63 bits."""
    if argument < 24:
        return argument, position
    width = _width(argument)
    end = _end(data, position, width)
    value: i64 = data[position]
    if value >= 0x80 and width == 8:
        raise WireError("CBOR length of 64 bits")
    while position + 1 < end:
        position += 1
        value = value << 8 | data[position]
    if strict and value < (24 if width == 1 else 1 << width * 4):
        raise WireError(f"CBOR integer or length {value} in {width} bytes, expected the shortest form")
    return value, end


def _width(argument: i64) -> i64:
    if not 24 <= argument <= 27:
        raise WireError(f"CBOR head with low bits {argument}, expected a definite length")
    return 1 << argument - 24


def _end(data: bytes, position: i64, size: i64) -> i64:
    """Return the position after `size` bytes, which must be there."""
    if size > len(data) - position:
        raise WireError(f"CBOR item of {size} bytes, {len(data) - position} are left")
    return position + size


def _simple_size(head: i64) -> i64:
    """Return how many bytes follow the head of a float or of false, true, null."""
    if 0xF4 <= head <= 0xF6:
        return 0
    if 0xF9 <= head <= 0xFB:
        return 1 << head - 0xF8
    raise WireError(f"CBOR simple value {head:#x}, expected false, true, null or a float")


def _link(data: bytes, tag: i64, position: i64, *, strict: bool) -> tuple[CID, i64]:
    """Read the byte string of tag 42: a zero byte, then the CID."""
    if tag != _LINK_TAG:
        raise WireError(f"CBOR tag {tag}, expected {_LINK_TAG}")
    head: i64 = data[position]
    if head >> 5 != 2:
        raise WireError(f"CBOR link of major type {head >> 5}, expected bytes")
    size, position = _argument(data, head & 31, position + 1, strict=strict)
    if size > MAX_TAG_SIZE:
        raise WireError(f"CBOR link of {size} bytes, expected at most {MAX_TAG_SIZE}")
    end = _end(data, position, size)
    if size == 0 or data[position] != 0:
        raise WireError("CBOR link without the zero byte in front of its CID")
    return CID.parse(data[position + 1 : end]), end
