"""Which names differ between two directories of either form."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.unixfs.data import MURMUR3_X64_64, DataType, UnixFSData
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.errors import NotADirectory
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.versions.entries import differing
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

PLAIN = DEFAULT
SHARDED = dataclasses.replace(DEFAULT, hamt_threshold=0)
NARROW = dataclasses.replace(SHARDED, hamt_fanout=8)


async def directory(room: Room, profile: Profile, **entries: bytes) -> CID:
    builder = DirectoryBuilder(profile)
    for name, data in entries.items():
        await builder.set(name, room.add(data), len(data))
    return builder.finish(room.store).cid


async def names(room: Room, before: CID, after: CID) -> dict[str, tuple[int | None, int | None]]:
    """The names that differ, with the sizes on both sides."""
    return {
        pair.name: (pair.before and pair.before.total_size, pair.after and pair.after.total_size)
        async for pair in differing(room.source, before, after)
    }


@pytest.mark.parametrize("first", [PLAIN, SHARDED, NARROW], ids=["plain", "sharded", "narrow"])
@pytest.mark.parametrize("second", [PLAIN, SHARDED, NARROW], ids=["plain", "sharded", "narrow"])
async def test_names_differ_by_what_they_lead_to_not_by_the_form(room: Room, first: Profile, second: Profile) -> None:
    before = await directory(room, first, same=b"1", changed=b"1", removed=b"123")
    after = await directory(room, second, same=b"1", changed=b"12", added=b"1234")
    assert await names(room, before, after) == {"changed": (1, 2), "removed": (3, None), "added": (None, 4)}


async def test_a_slot_that_became_a_shard_and_one_that_was_one_are_opened(room: Room) -> None:
    many = {f"n{number}": b"%d" % number for number in range(60)}
    few = {"n3": b"3"}
    wide, one = await directory(room, NARROW, **many), await directory(room, NARROW, **few)
    assert set(await names(room, wide, one)) == set(await names(room, one, wide)) == set(many) - set(few)
    assert await names(room, wide, wide) == {}


async def test_a_file_has_no_names(room: Room) -> None:
    with pytest.raises(NotADirectory):
        await names(room, room.add(b"file"), await room.files.root())


async def test_a_shard_over_something_else_is_refused(room: Room) -> None:
    def shard(below: CID) -> CID:
        message = UnixFSData(DataType.HAMT_SHARD, b"\x01", hash_type=MURMUR3_X64_64, fanout=256)
        node = PBNode((PBLink(below, "00", 1),), message.serialize())
        block = Block.create(node.serialize(), multicodec.DAG_PB)
        room.store.put([block])
        return block.cid

    file, folder = room.add(b"file"), await room.files.root()
    with pytest.raises(WireError):
        await names(room, shard(file), shard(folder))
