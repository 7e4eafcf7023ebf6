"""The UnixFS message inside a dag-pb node (specs.ipfs.tech/unixfs, "dag-pb Types"; UnixFS 1.5 for mode and mtime).

The protobuf is small and fixed, so it is read and written by hand: writing must give one form for one value, because
the bytes are hashed.
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.multiformats import varint

MURMUR3_X64_64: Final = 0x22  # multicodec of the only hash function that sharded directories use

DEFAULT_FILE_MODE: Final = 0o644
DEFAULT_DIRECTORY_MODE: Final = 0o755

_FIXED32: Final = struct.Struct("<I")
_MASK64: Final = 2**64 - 1
_NANOSECONDS: Final = 1_000_000_000

_VARINT, _FIXED64_TYPE, _BYTES, _FIXED32_TYPE = 0, 1, 2, 5  # protobuf wire types


class DataType(enum.IntEnum):
    """What a node is, as its message says."""

    RAW = 0
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    HAMT_SHARD = 5


class Mtime(NamedTuple):
    """A modification time, seconds before 1970 included."""

    seconds: int  # since 1970: int64
    nanoseconds: int = 0  # 0 to 999,999,999

    @classmethod
    def from_nanoseconds(cls, value: int) -> Mtime:
        """Read what `os.stat` gives as `st_mtime_ns`."""
        return cls(*divmod(value, _NANOSECONDS))

    def to_nanoseconds(self) -> int:
        return self.seconds * _NANOSECONDS + self.nanoseconds


_TYPES: Final = tuple(DataType)
_DIRECTORIES: Final = (DataType.DIRECTORY, DataType.HAMT_SHARD)


class UnixFSData(NamedTuple):
    """The message. `None` and an empty tuple are fields that are not there."""

    type: DataType
    data: bytes | None = None  # bytes of the file, the symlink's target, or the bitfield of a shard
    filesize: int | None = None  # bytes of file under this node
    blocksizes: tuple[int, ...] = ()  # bytes of file under each link
    hash_type: int | None = None
    fanout: int | None = None
    mode: int | None = None  # unix permissions; only 12 bits mean anything
    mtime: Mtime | None = None

    @classmethod
    def parse(cls, data: bytes) -> UnixFSData:
        """Read exactly these untrusted bytes; unknown fields are skipped, of repeated ones the last counts.

        Raises:
            WireError: not such a message.
        """
        numbers: dict[int, int] = {}  # the last varint of each key
        spans: dict[int, bytes] = {}
        blocksizes: list[int] = []
        position, end = 0, len(data)
        while position < end:
            key, position = _varint(data, position)
            if key & 7 == _VARINT:
                value, position = _varint(data, position)
                if key == 0x20:
                    blocksizes.append(value)
                else:
                    numbers[key] = value
            elif key & 7 == _BYTES:
                start, position = _span(data, position)
                if key == 0x22:  # blocksizes in the packed form, which every protobuf reader takes
                    blocksizes += _packed(data[start:position])
                else:
                    spans[key] = data[start:position]
            else:
                position = _skip(data, position, key & 7)
        kind, mode, mtime = numbers.get(0x08, -1), numbers.get(0x38), spans.get(0x42)
        if not 0 <= kind < len(_TYPES):
            raise WireError(f"UnixFS type {'missing' if kind < 0 else kind}, expected 0 to {len(_TYPES) - 1}")
        return cls(
            _TYPES[kind],
            spans.get(0x12),
            numbers.get(0x18),
            tuple(blocksizes),
            numbers.get(0x28),
            numbers.get(0x30),
            None if mode is None else mode & 0xFFFFFFFF,
            None if mtime is None else _parse_mtime(mtime),
        )

    def serialize(self) -> bytes:
        parts = [b"\x08", _uint64(self.type)]
        if self.data is not None:
            parts += b"\x12", varint.serialize(len(self.data)), self.data
        if self.filesize is not None:
            parts += b"\x18", _uint64(self.filesize)
        for size in self.blocksizes:
            parts += b"\x20", _uint64(size)
        if self.hash_type is not None:
            parts += b"\x28", _uint64(self.hash_type)
        if self.fanout is not None:
            parts += b"\x30", _uint64(self.fanout)
        if self.mode is not None:
            parts += b"\x38", _uint64(self.mode)
        if self.mtime is not None:
            time = b"\x08" + _uint64(self.mtime.seconds & _MASK64)
            if self.mtime.nanoseconds:
                time += b"\x15" + _FIXED32.pack(self.mtime.nanoseconds)
            parts += b"\x42", varint.serialize(len(time)), time
        return b"".join(parts)

    @property
    def permissions(self) -> int | None:
        """The twelve bits of `mode` that mean something."""
        return None if self.mode is None else self.mode & 0o7777

    def with_metadata(self, mode: int | None, mtime: Mtime | None) -> UnixFSData:
        """Return the message with these permissions and time; bits of the mode above the twelve are kept.

        Permissions that are the default for the kind are left out, as Helia does: one meaning has one form.
        """
        default = DEFAULT_DIRECTORY_MODE if self.type in _DIRECTORIES else DEFAULT_FILE_MODE
        bits = (self.mode or 0) & 0xFFFFF000 | (default if mode is None else mode & 0o7777)
        return self._replace(mode=None if bits == default else bits, mtime=mtime)


def _parse_mtime(data: bytes) -> Mtime:
    seconds: int | None = None
    nanoseconds = 0
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        if key == 0x08:
            seconds, position = _varint(data, position)
            if seconds >= 2**63:
                seconds -= 2**64
        elif key == 0x15:
            if position + 4 > end:
                raise WireError("UnixFS mtime cut short")
            (nanoseconds,) = _FIXED32.unpack_from(data, position)
            position += 4
        else:
            position = _skip(data, position, key & 7)
    if seconds is None:
        raise WireError("UnixFS mtime without seconds")
    if nanoseconds >= _NANOSECONDS:
        raise WireError(f"UnixFS mtime of {nanoseconds} nanoseconds, expected less than a second")
    return Mtime(seconds, nanoseconds)


def _packed(data: bytes) -> list[int]:
    values: list[int] = []
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        values.append(value)
    return values


def _skip(data: bytes, position: int, wire_type: int) -> int:
    if wire_type == _VARINT:
        return _varint(data, position)[1]
    if wire_type == _BYTES:
        return _span(data, position)[1]
    size = {_FIXED64_TYPE: 8, _FIXED32_TYPE: 4}.get(wire_type)
    if size is None:
        raise WireError(f"protobuf wire type {wire_type} in a UnixFS message")
    if position + size > len(data):
        raise WireError("UnixFS message cut short")
    return position + size


def _span(data: bytes, position: int) -> tuple[int, int]:
    size, start = _varint(data, position)
    if start + size > len(data):
        raise WireError(f"UnixFS field of {size} bytes, {len(data) - start} are left")
    return start, start + size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    if position < len(data) and data[position] < 0x80:
        return data[position], position + 1
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK64, index + 1
        shift += 7
    raise WireError("UnixFS varint cut short or longer than ten bytes")


def _uint64(value: int) -> bytes:
    if value <= varint.MAX_VALUE:
        return varint.serialize(value)
    return bytes([value >> shift & 0x7F | 0x80 for shift in range(0, 63, 7)]) + b"\x01"
