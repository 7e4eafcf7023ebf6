"""Messages of multicast DNS (RFC 1035 section 4, RFC 6762 section 18): questions, and addresses of hosts.

Records of other types are passed over: who asks for the address of a host has no use for them. A name is a tuple of its
labels in lower case, without the root.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final, NamedTuple, Self, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.machine import Address

PORT: Final = 5_353
GROUP: Final[Address] = ("224.0.0.251", PORT)  # RFC 6762 section 3; ff02::fb for IPv6

MAX_SIZE: Final = 9_000  # bytes (RFC 6762 section 17)
MAX_NAME: Final = 255  # bytes, with the lengths of its labels (RFC 1035 section 2.3.4)
MAX_LABEL: Final = 63
MAX_ENTRIES: Final = 64  # questions or records that are read; more is passed over

A: Final = 1
AAAA: Final = 28
ANY: Final = 255

_IN: Final = 1
_TOP_BIT: Final = 0x8000  # of the class: a question wants a unicast answer, a record replaces older ones
_RESPONSE: Final = 0x8400  # QR and AA (RFC 6762 sections 18.2 and 18.4)
_QR: Final = 0x8000
_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_SIZES: Final = {A: 4, AAAA: 16}

Name: TypeAlias = tuple[bytes, ...]


class Question(NamedTuple):
    """Asks for the addresses of a name."""

    name: Name
    type: int  # A, AAAA or ANY are answered here
    wants_unicast: bool = False


class AddressRecord(NamedTuple):
    """A name and one address."""

    name: Name
    host: str  # numeric
    ttl: int  # seconds; 0: it is no more
    is_unique: bool = True  # older records of the name are replaced (RFC 6762 section 10.2)


class MdnsMessage(NamedTuple):
    """A query or a response."""

    id: int = 0
    is_response: bool = False
    questions: tuple[Question, ...] = ()
    records: tuple[AddressRecord, ...] = ()  # of the answer and additional sections

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an untrusted message.

        Raises:
            WireError: cut short, too long, or a name that is none.
        """
        if not _HEADER.size <= len(data) <= MAX_SIZE:
            raise WireError(f"mDNS message of {len(data)} bytes, expected {_HEADER.size} to {MAX_SIZE}")
        identifier, flags, *counts = _HEADER.unpack_from(data)
        position = _HEADER.size
        questions: list[Question] = []
        for _ in range(counts[0]):
            if len(questions) == MAX_ENTRIES:
                return cls(identifier, bool(flags & _QR), tuple(questions))
            name, position = _parse_name(data, position)
            (kind, klass), position = _unpack(_QUESTION, data, position)
            questions.append(Question(name, kind, bool(klass & _TOP_BIT)))
        records: list[AddressRecord] = []
        for index in range(min(sum(counts[1:]), MAX_ENTRIES)):
            name, position = _parse_name(data, position)
            (kind, klass, ttl, size), position = _unpack(_RECORD, data, position)
            content, position = data[position : position + size], position + size
            if len(content) < size:
                raise WireError(f"mDNS record of {size} bytes, {len(content)} are there")
            is_proposal = counts[1] <= index < counts[1] + counts[2]  # the authority section holds those of probes
            if _SIZES.get(kind) == size and klass & ~_TOP_BIT == _IN and not is_proposal:
                host = str(ipaddress.ip_address(content))
                records.append(AddressRecord(name, host, ttl, bool(klass & _TOP_BIT)))
        return cls(identifier, bool(flags & _QR), tuple(questions), tuple(records))

    def serialize(self) -> bytes:
        flags = _RESPONSE if self.is_response else 0
        parts = [_HEADER.pack(self.id, flags, len(self.questions), len(self.records), 0, 0)]
        for question in self.questions:
            klass = _IN | _TOP_BIT * question.wants_unicast
            parts += [_serialize_name(question.name), _QUESTION.pack(question.type, klass)]
        for record in self.records:
            content = ipaddress.ip_address(record.host).packed
            kind = A if len(content) == _SIZES[A] else AAAA
            klass = _IN | _TOP_BIT * record.is_unique
            parts += [_serialize_name(record.name), _RECORD.pack(kind, klass, record.ttl, len(content)), content]
        return b"".join(parts)


def name_of(text: str) -> Name:
    """A name from text; ASCII, labels between dots.

    Raises:
        WireError: a label is empty or too long, or it is not ASCII.
    """
    try:
        labels = tuple(text.lower().removesuffix(".").encode("ascii").split(b"."))
    except UnicodeEncodeError:
        raise WireError(f"name {text[:80]!r}, expected ASCII") from None
    if not all(0 < len(label) <= MAX_LABEL for label in labels) or sum(map(len, labels)) + len(labels) >= MAX_NAME:
        raise WireError(f"name {text[:80]!r}, expected labels of 1 to {MAX_LABEL} bytes, {MAX_NAME} in all")
    return labels


def _parse_name(data: bytes, position: int) -> tuple[Name, int]:
    """Read a name at `position`; return it and where it ends. A pointer leads backwards only, so there is an end."""
    labels: list[bytes] = []
    size = 1
    after: int | None = None
    lowest = position
    while True:
        if position >= len(data):
            raise WireError("mDNS name runs over the end")
        length = data[position]
        if length & 0xC0 == 0xC0:
            if position + 2 > len(data):
                raise WireError("mDNS pointer runs over the end")
            target = int.from_bytes(data[position : position + 2], "big") & 0x3FFF
            if target >= lowest:
                raise WireError(f"mDNS pointer at {position} to {target}, expected one further back")
            after = position + 2 if after is None else after
            position = lowest = target
            continue
        if length > MAX_LABEL:
            raise WireError(f"mDNS label type {length >> 6}, expected 0")
        position += 1
        if length == 0:
            return tuple(labels), position if after is None else after
        label = data[position : position + length]
        size += 1 + length
        if len(label) < length or size > MAX_NAME:
            raise WireError(f"mDNS label of {length} bytes runs over the end, or the name over {MAX_NAME}")
        labels.append(label.lower())
        position += length


def _unpack(layout: struct.Struct, data: bytes, position: int) -> tuple[tuple[int, ...], int]:
    end = position + layout.size
    if end > len(data):
        raise WireError("mDNS message ends within an entry")
    return layout.unpack_from(data, position), end


def _serialize_name(name: Name) -> bytes:
    return b"".join(len(label).to_bytes(1, "big") + label for label in name) + b"\0"
