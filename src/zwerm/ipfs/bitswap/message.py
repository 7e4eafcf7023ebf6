"""Bitswap messages: what a peer wants, what it has, and blocks (bitswap spec, "Bitswap 1.2.0: Wire Format").

A block travels with the prefix of its CID and without its hash: the receiver names it by hashing it. So a message that
was parsed claims nothing about its blocks yet; `Payload.name` is what turns one into a CID, and is the costly part.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field, serialize_varint, signed
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.libp2p.secure import Buffer
from zwerm.multiformats import multicodec, multihash, varint
from zwerm.multiformats.cid import CID

BITSWAP_1_2: Final = "/ipfs/bitswap/1.2.0"
BITSWAP_1_1: Final = "/ipfs/bitswap/1.1.0"
BITSWAP_1_0: Final = "/ipfs/bitswap/1.0.0"
PROTOCOLS: Final = (BITSWAP_1_2, BITSWAP_1_1, BITSWAP_1_0)

MAX_MESSAGE: Final = 4 * 1024 * 1024  # bytes ("All protocol messages MUST be less than or equal to 4MiB")
MAX_ENTRIES: Final = (
    32_768  # wants, and as many presences, in one message; 4 MiB of the shortest would be half a million
)
MAX_PAYLOADS: Final = 8_192  # blocks in one message
_MAX_CID: Final = 160  # bytes: a prefix and the longest digest
_V0_PREFIX: Final = bytes([0, multicodec.DAG_PB, multicodec.SHA2_256, 32])

_WANTLIST, _BLOCKS, _PAYLOAD, _PRESENCES, _PENDING = 1, 2, 3, 4, 5


class WantType(enum.IntEnum):
    """What a want asks for."""

    BLOCK = 0
    HAVE = 1  # only whether the block is there


_WANT_TYPES: Final = tuple(WantType)


class Entry(NamedTuple):
    """A line of a wantlist."""

    cid: CID
    priority: int = 1  # int32; higher is sooner
    want: WantType = WantType.BLOCK
    cancel: bool = False  # takes the want back
    send_dont_have: bool = False  # an answer is asked for also when the block is not there


class Presence(NamedTuple):
    """Whether the sender has a block."""

    cid: CID
    has: bool


class Payload(NamedTuple):
    """A block that nobody has looked at yet."""

    prefix: bytes  # of its CID: version, codec, hash function, length of the digest
    data: Buffer

    def name(self) -> CID:
        """Hash the block; return the CID that its prefix makes of that.

        Raises:
            WireError: no block has such a prefix, or its hash function is not known here.
        """
        version, codec, function, size = _parse_prefix(self.prefix)
        if function == multicodec.IDENTITY:
            raise WireError("bitswap block whose CID would hold it, so that nobody can have asked for it")
        try:
            digest = multihash.digest(self.data, function)
        except multihash.UnknownHash as error:
            raise WireError(str(error)) from None
        _, start, end = multihash.parse_prefix(digest)
        if end - start != size:
            if not multihash.MIN_DIGEST <= size <= end - start:
                raise WireError(f"digest of {size} bytes, expected {multihash.MIN_DIGEST} to {end - start}")
            digest = varint.serialize(function) + varint.serialize(size) + digest[start : start + size]
        return CID(version, codec, digest)


class Message(NamedTuple):
    """One message; every part may be empty."""

    wants: Sequence[Entry] = ()
    full: bool = False  # the wants are all there are, and replace those of before
    payloads: Sequence[Payload] = ()
    presences: Sequence[Presence] = ()
    pending: int = 0  # bytes that the sender still has for the receiver

    @classmethod
    def parse(cls, data: bytes | memoryview) -> Message:
        """Read exactly these untrusted bytes. Blocks are views into them.

        Raises:
            WireError: not a message, or past a limit above.
        """
        wants: list[Entry] = []
        payloads: list[Payload] = []
        presences: list[Presence] = []
        full, pending = False, 0
        for number, value in parse_fields(memoryview(data)):
            if number == _PENDING:
                pending = max(0, signed(_integer(value)))
            elif number == _WANTLIST:
                full = _parse_wantlist(_bytes(value), wants) or full
            elif number in (_BLOCKS, _PAYLOAD):
                block = _bytes(value)
                payloads.append(Payload(_V0_PREFIX, block) if number == _BLOCKS else _parse_payload(block))
                if len(payloads) > MAX_PAYLOADS:
                    raise WireError(f"bitswap message of more than {MAX_PAYLOADS} blocks")
                if len(payloads[-1].data) > MAX_BLOCK:
                    raise WireError(f"bitswap block of {len(payloads[-1].data)} bytes, expected at most {MAX_BLOCK}")
            elif number == _PRESENCES:
                presences.append(_parse_presence(_bytes(value)))
                if len(presences) > MAX_ENTRIES:
                    raise WireError(f"bitswap message of more than {MAX_ENTRIES} presences")
        return cls(wants, full, payloads, presences, pending)

    def serialize(self, protocol: str = BITSWAP_1_2) -> bytes:
        """Return the bytes for a peer that speaks `protocol`: what it does not know is left out.

        To a peer of version 1.0 blocks go without prefix, so only those with a CIDv0 reach it.
        """
        return b"".join(self._parts(protocol))

    def framed_pieces(self, protocol: str = BITSWAP_1_2) -> list[Buffer]:
        """Return the same with its length before it, as it goes over a stream, unjoined; nothing for nothing."""
        parts = self._parts(protocol)
        size = sum(map(len, parts))
        return [serialize_varint(size), *parts] if size else []

    def _parts(self, protocol: str) -> list[Buffer]:
        knows_have = protocol == BITSWAP_1_2
        parts: list[Buffer] = []
        wants = b"".join(
            _serialize_entry(entry, knows_have=knows_have)
            for entry in self.wants
            if knows_have or entry.want is WantType.BLOCK
        )
        if wants or self.full:
            if self.full:
                wants += b"\x10\x01"
            parts += (_head(_WANTLIST, len(wants)), wants)
        for prefix, data in self.payloads:
            if protocol == BITSWAP_1_0:
                parts += (_head(_BLOCKS, len(data)), data)
                continue
            head = serialize_field(1, prefix) + _head(2, len(data))
            parts += (_head(_PAYLOAD, len(head) + len(data)), head, data)
        if knows_have:
            for cid, has in self.presences:
                presence = serialize_field(1, bytes(cid)) + (b"" if has else b"\x10\x01")
                parts += (_head(_PRESENCES, len(presence)), presence)
            if self.pending:
                parts.append(serialize_field(_PENDING, min(self.pending, 2**31 - 1)))
        return parts

    @property
    def is_empty(self) -> bool:
        return not (self.wants or self.full or self.payloads or self.presences)


def prefix_of(cid: CID) -> bytes:
    """Return what a block travels with: all of its CID but the digest."""
    if cid.version == 0:
        return _V0_PREFIX
    digest = len(cid.digest)
    return bytes(cid)[:-digest] if digest else bytes(cid)


def _parse_wantlist(data: memoryview, wants: list[Entry]) -> bool:
    full = False
    for number, value in parse_fields(data):
        if number == 1:
            if len(wants) == MAX_ENTRIES:
                raise WireError(f"bitswap message of more than {MAX_ENTRIES} wants")
            wants.append(_parse_entry(_bytes(value)))
        elif number == 2:
            full = bool(_integer(value))
    return full


def _parse_entry(data: memoryview) -> Entry:
    cid: CID | None = None
    priority, want, cancel, send_dont_have = 0, WantType.BLOCK, False, False
    for number, value in parse_fields(data):
        if number == 1:
            cid = _parse_cid(value)
        elif number == 2:
            priority = _int32(_integer(value))
        elif number == 3:
            cancel = bool(_integer(value))
        elif number == 4:
            kind = _integer(value)
            if kind >= len(_WANT_TYPES):
                raise WireError(f"bitswap want of type {kind}, expected 0 or 1")
            want = _WANT_TYPES[kind]
        elif number == 5:
            send_dont_have = bool(_integer(value))
    if cid is None:
        raise WireError("bitswap want without a CID")
    return Entry(cid, priority, want, cancel, send_dont_have)


def _serialize_entry(entry: Entry, *, knows_have: bool) -> bytes:
    body = serialize_field(1, bytes(entry.cid))
    if entry.priority:
        body += serialize_field(2, entry.priority)
    if entry.cancel:
        body += b"\x18\x01"
    if knows_have and entry.want:
        body += b"\x20\x01"
    if knows_have and entry.send_dont_have:
        body += b"\x28\x01"
    return _head(1, len(body)) + body


def _parse_payload(block: memoryview) -> Payload:
    prefix, data = b"", memoryview(b"")
    for number, value in parse_fields(block):
        if number == 1:
            prefix = bytes(_bytes(value)[: _MAX_CID + 1])
        elif number == 2:
            data = _bytes(value)
    _parse_prefix(prefix)
    return Payload(prefix, data)


def _parse_presence(data: memoryview) -> Presence:
    cid: CID | None = None
    kind = 0
    for number, value in parse_fields(data):
        if number == 1:
            cid = _parse_cid(value)
        elif number == 2:
            kind = _integer(value)
    if cid is None:
        raise WireError("bitswap presence without a CID")
    if kind > 1:
        raise WireError(f"bitswap presence of type {kind}, expected 0 or 1")
    return Presence(cid, not kind)


def _parse_cid(value: int | memoryview) -> CID:
    data = _bytes(value)
    if len(data) > _MAX_CID:
        raise WireError(f"CID of {len(data)} bytes, expected at most {_MAX_CID}")
    return CID.parse(bytes(data))


def _parse_prefix(prefix: bytes) -> tuple[int, int, int, int]:
    if prefix == _V0_PREFIX:
        return 0, multicodec.DAG_PB, multicodec.SHA2_256, 32
    version, position = varint.parse_prefix(prefix)
    codec, position = varint.parse_prefix(prefix, position)
    function, position = varint.parse_prefix(prefix, position)
    size, position = varint.parse_prefix(prefix, position)
    if position != len(prefix) or version != 1:
        raise WireError(f"CID prefix {prefix[:16].hex()}, expected version, codec, function and length")
    if size > multihash.MAX_DIGEST:
        raise WireError(f"CID prefix with a digest of {size} bytes, expected at most {multihash.MAX_DIGEST}")
    return version, codec, function, size


def _head(number: int, size: int) -> bytes:
    """Return what stands before a field of `size` bytes."""
    return serialize_varint(number << 3 | 2) + serialize_varint(size)


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise WireError("bitswap field that is a number, expected bytes")
    return value


def _integer(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise WireError("bitswap field that is bytes, expected a number")
    return value


def _int32(value: int) -> int:
    """Read a varint as the int32 it stands for, as parsers of protobuf do: its lowest 32 bits."""
    value &= 0xFFFF_FFFF
    return value - 2**32 if value >= 2**31 else value
