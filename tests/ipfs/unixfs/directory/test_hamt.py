"""Shards: where the hash leads, and what an untrusted one may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs.data import MURMUR3_X64_64, DataType, UnixFSData
from zwerm.ipfs.unixfs.directory.hamt import (
    Shard,
    ShardLink,
    link_bytes,
    name_bytes,
    name_hash,
    serialize_shard,
    slot_at,
)
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEAF = CID.of(b"leaf")
BELOW = CID.of(b"", multicodec.DAG_PB)


@pytest.mark.parametrize(("name", "digest"), [(b"", 0), (b"a", 0x85555565F6597889), (b"hello", 0xCBD8A7B341BD9B02)])
def test_names_hash_as_murmur3_x64_128_does_in_its_first_half(name: bytes, digest: int) -> None:
    assert name_hash(name) == digest


def test_slots_are_taken_from_the_high_bits_down() -> None:
    digest = 0x0123456789ABCDEF
    assert [slot_at(digest, level, 8) for level in range(8)] == [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]
    assert [slot_at(digest, level, 4) for level in (0, 1, 15)] == [0, 1, 15]
    assert [slot_at(digest, level, 10) for level in range(2)] == [0x0123456789ABCDEF >> 54, digest >> 44 & 1023]


@given(st.dictionaries(st.integers(0, 255), st.none() | st.text(min_size=1, max_size=20), min_size=1))
def test_a_shard_reads_back(slots: dict[int, str | None]) -> None:
    parts = [
        (slot, name_bytes(name or ""), bytes(BELOW if name is None else LEAF), slot)
        for slot, name in sorted(slots.items())
    ]
    block, total = serialize_shard(Profile(), parts)
    shard = Shard.parse(block.cid, Node.parse(block.cid, block.data))
    assert shard.bits == 8
    assert shard.links == tuple(
        ShardLink(slot, BELOW if name is None else LEAF, slot, name) for slot, name in sorted(slots.items())
    )
    assert total == len(block.data) + sum(slots)


@pytest.mark.parametrize(("fanout", "prefix"), [(8, "7"), (16, "F"), (256, "FF"), (512, "1FF"), (1024, "3FF")])
def test_a_slot_is_named_in_as_many_digits_as_the_last_one_needs(fanout: int, prefix: str) -> None:
    block, _ = serialize_shard(
        Profile(hamt_fanout=fanout), [(0, b"a", bytes(LEAF), 1), (fanout - 1, b"b", bytes(LEAF), 1)]
    )
    node = Node.parse(block.cid, block.data)
    assert [link.name for link in node.links] == ["0" * len(prefix) + "a", prefix + "b"]
    assert Shard.parse(block.cid, node).links[1].slot == fanout - 1


@given(st.binary(max_size=300), st.binary(max_size=40), st.integers(0, 2**64 - 1))
def test_links_are_written_as_the_codec_writes_them(name: bytes, data: bytes, size: int) -> None:
    from zwerm.ipfs.ipld import dag_pb

    cid = CID.of(data)
    text = name.decode("utf-8", "surrogateescape")
    if size < 2**63:
        assert link_bytes(name, bytes(cid), size) == dag_pb.serialize_link(cid, text, size)


def shard_message(**changes: object) -> UnixFSData:
    message = UnixFSData(DataType.HAMT_SHARD, b"\x03", hash_type=MURMUR3_X64_64, fanout=256)
    return message._replace(**changes)


TWO = [PBLink(LEAF, "00a", 1), PBLink(LEAF, "01b", 1)]


@pytest.mark.parametrize(
    ("message", "links", "reason"),
    [
        (shard_message(fanout=None), TWO, "fanout 0"),
        (shard_message(fanout=4), TWO, "fanout 4"),
        (shard_message(fanout=100), TWO, "fanout 100"),
        (shard_message(fanout=2**40), TWO, "fanout 1099511627776"),
        (shard_message(hash_type=None), TWO, "hash None"),
        (shard_message(hash_type=0x12), TWO, "hash 18"),
        (shard_message(data=b"\x01"), TWO, "bitfield does not match"),
        (shard_message(data=None), TWO, "bitfield does not match"),
        (shard_message(data=b"\xff" * 1000), TWO, "bitfield does not match"),
        (shard_message(), TWO[:1], "bitfield does not match"),
        (shard_message(), TWO[::-1], "digits in front that rise"),
        (shard_message(), [TWO[0], TWO[0]], "digits in front that rise"),
        (shard_message(), [PBLink(LEAF, None, 1)], "named None"),
        (shard_message(), [PBLink(LEAF, "", 1)], "named ''"),
        (shard_message(), [PBLink(LEAF, "0", 1)], "named '0'"),
        (shard_message(), [PBLink(LEAF, "0aname", 1)], "named '0aname'"),
        (shard_message(), [PBLink(LEAF, "+1name", 1)], r"named '\+1name'"),
        (shard_message(fanout=512), [PBLink(LEAF, "200name", 1)], "named '200name'"),
    ],
)
def test_a_malformed_shard_is_refused(message: UnixFSData, links: list[PBLink], reason: str) -> None:
    blocks = Blocks()
    cid = blocks.node(message, links)
    with pytest.raises(WireError, match=reason):
        Shard.parse(cid, Node.parse(cid, blocks.data[cid]))


def test_zeros_before_the_bitfield_are_read() -> None:
    blocks = Blocks()
    cid = blocks.node(shard_message(data=bytes(31) + b"\x03"), TWO)
    assert len(Shard.parse(cid, Node.parse(cid, blocks.data[cid])).links) == 2
