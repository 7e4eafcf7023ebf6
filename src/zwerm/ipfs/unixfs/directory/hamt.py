"""The sharded form: a tree whose slots are picked by the hash of the name (specs.ipfs.tech/unixfs, "HAMT Directory").

A shard has `fanout` slots. The next bits of the hash say which one; a slot holds one entry or a shard for the bits
after. The bitfield in the message says which slots are taken, and each link's name begins with its slot in hex.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final, NamedTuple

import mmh3

from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.unixfs.data import MURMUR3_X64_64, DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.profile import MAX_FANOUT, Profile
from zwerm.multiformats import varint
from zwerm.multiformats.cid import CID

HASH_BITS: Final = 64
_MASK64: Final = 2**HASH_BITS - 1


def name_bytes(name: str) -> bytes:
    """Return the bytes a name has on the wire; those that are not UTF-8 travel as lone surrogates."""
    return name.encode("utf-8", "surrogateescape")


def name_hash(name: bytes) -> int:
    """Hash a name: the first half of murmur3 x64 128, an unsigned 64-bit number, used from its high bits down."""
    return mmh3.mmh3_x64_128_uintdigest(name) & _MASK64


class ShardLink(NamedTuple):
    """A taken slot: an entry when it has a name, otherwise the shard below."""

    slot: int
    cid: CID
    total_size: int
    name: str | None


class Shard(NamedTuple):
    """A parsed shard."""

    bits: int  # of the hash that a slot stands for: 3 to 10
    links: tuple[ShardLink, ...]  # by slot, rising

    @classmethod
    def parse(cls, cid: CID, node: Node) -> Shard:
        """Read an untrusted shard.

        Raises:
            WireError: a fanout or hash function that nobody uses, or links that the bitfield does not have.
        """
        message = node.message
        fanout = message.fanout or 0
        if not 8 <= fanout <= MAX_FANOUT or fanout & fanout - 1:
            raise WireError(f"{cid} is a shard of fanout {fanout}, expected a power of two from 8 to {MAX_FANOUT}")
        if message.hash_type != MURMUR3_X64_64:
            raise WireError(f"{cid} is a shard by hash {message.hash_type}, expected murmur3 ({MURMUR3_X64_64:#x})")
        width, slots = prefix_width(fanout), _slots(fanout)
        links: list[ShardLink] = []
        taken, last = 0, -1
        for target, name, size in node.links:
            slot = slots.get((name or "")[:width], -1)
            if slot <= last:
                raise WireError(
                    f"{cid} is a shard with a link named {name!r:.100}, expected {width} hex digits in front that rise"
                )
            taken |= 1 << slot
            last = slot
            links.append(ShardLink(slot, target, size or 0, (name or "")[width:] or None))
        if taken != int.from_bytes(message.data or b"", "big"):
            raise WireError(f"{cid} is a shard whose bitfield does not match its links")
        return cls(fanout.bit_length() - 1, tuple(links))

    def find(self, slot: int) -> ShardLink | None:
        for link in self.links:
            if link.slot == slot:
                return link
        return None


def prefix_width(fanout: int) -> int:
    """Return how many hex digits name a slot."""
    return len(f"{fanout - 1:X}")


def slot_at(digest: int, level: int, bits: int) -> int:
    """Return the slot of a hash in a shard `level` levels below the root."""
    return digest >> HASH_BITS - (level + 1) * bits & (1 << bits) - 1


def max_levels(bits: int) -> int:
    """Return how many levels the hash has bits for."""
    return HASH_BITS // bits


def serialize_shard(
    profile: Profile,
    slots: Iterable[tuple[int, bytes, bytes, int]],
    mode: int | None = None,
    mtime: Mtime | None = None,
) -> tuple[Block, int]:
    """Make the block of a shard; return it and its Tsize.

    `slots` are the taken ones, rising: slot, the entry's name (empty for a shard below), binary CID, Tsize.
    """
    taken = total = 0
    links: list[bytes] = []
    prefixes = _prefixes(profile.hamt_fanout)
    for slot, name, cid, size in slots:
        taken |= 1 << slot
        total += size
        links.append(link_bytes(prefixes[slot] + name, cid, size))
    bitfield = taken.to_bytes((taken.bit_length() + 7) // 8, "big")
    message = UnixFSData(DataType.HAMT_SHARD, bitfield or None, hash_type=MURMUR3_X64_64, fanout=profile.hamt_fanout)
    if mode is not None or mtime is not None:
        message = message.with_metadata(mode, mtime)
    block = profile.block(dag_pb.join(links, message.serialize()))
    return block, total + len(block.data)


def link_bytes(name: bytes, cid: bytes, size: int) -> bytes:
    """Return one link as `dag_pb.serialize_link` does, from parts that are bytes already."""
    uvarint = varint.serialize
    link = b"".join((b"\x0a", uvarint(len(cid)), cid, b"\x12", uvarint(len(name)), name, b"\x18", uvarint(size)))
    return b"\x12" + uvarint(len(link)) + link


@functools.cache
def _slots(fanout: int) -> dict[str, int]:
    """Each slot by the prefix that names it, in order."""
    width = prefix_width(fanout)
    return {f"{slot:0{width}X}": slot for slot in range(fanout)}


@functools.cache
def _prefixes(fanout: int) -> tuple[bytes, ...]:
    return tuple(prefix.encode() for prefix in _slots(fanout))
