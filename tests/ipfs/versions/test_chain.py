"""Following chains: ours by the table, others block by block, as far as the blocks are here."""

from __future__ import annotations

import asyncio

import pytest

from tests.ipfs.mfs.room import KEY, Room
from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.versions import chain as module
from zwerm.ipfs.versions.chain import BlockChain, OwnChain, Stub, read_commit
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


def made(room: Room, length: int) -> list[CID]:
    """Put a chain that nobody's table knows; return its commits, newest first."""
    root, parents, cids = CID.of(b"tree"), [], []
    for time in range(length):
        block = Commit.sign(KEY, root=root, parents=parents, time=time).to_block()
        room.store.put([block])
        parents = [block.cid]
        cids.append(block.cid)
    return cids[::-1]


async def stubs(chain: BlockChain | OwnChain) -> list[Stub]:
    return [stub async for stub in chain.stubs()]


async def test_a_chain_of_blocks_is_followed_to_its_beginning(room: Room) -> None:
    cids = made(room, 5)
    chain = BlockChain(room.source, cids[0])
    found = await stubs(chain)
    assert [stub.cid for stub in found] == cids
    assert [stub.time for stub in found] == [4, 3, 2, 1, 0]
    assert (await chain.commit(cids[2])).time == 2


async def test_a_chain_ends_in_a_gap_where_a_block_is_missing(room: Room) -> None:
    cids = made(room, 5)
    room.store.delete([cids[3]])
    found = await stubs(BlockChain(room.source, cids[0]))
    assert found[-1] == Stub(cids[3], None)
    assert [stub.cid for stub in found[:-1]] == cids[:3]


async def test_without_its_head_there_is_no_chain(room: Room) -> None:
    cids = made(room, 1)
    room.store.delete(cids)
    with pytest.raises(BlockNotFound):
        await stubs(BlockChain(room.source, cids[0]))


async def test_a_chain_leads_over_commits_only(room: Room) -> None:
    other = Block.create(dag_cbor.encode({"no": "commit"}), multicodec.DAG_CBOR)
    head = Commit.sign(KEY, root=CID.of(b""), parents=[other.cid], time=1).to_block()
    room.store.put([other, head])
    with pytest.raises(WireError, match=str(other.cid)):
        await stubs(BlockChain(room.source, head.cid))
    with pytest.raises(WireError, match="those are dag-cbor"):
        await read_commit(room.source, CID.of(b"raw"))


async def test_a_chain_longer_than_the_limit_is_given_up(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMMITS", 4)
    assert len(await stubs(BlockChain(room.source, made(room, 4)[0]))) == 4
    with pytest.raises(WireError, match="more than 4 commits"):
        await stubs(BlockChain(room.source, made(room, 5)[0]))


async def test_a_long_chain_is_read_as_far_as_it_is_asked_for(room: Room) -> None:
    cids = made(room, 300)
    reads = 0
    real = room.source.get

    async def counting(cid: CID) -> bytes:
        nonlocal reads
        reads += 1
        return await real(cid)

    room.source.get = counting  # type: ignore[method-assign]
    following = BlockChain(room.source, cids[0]).stubs()
    assert [(await anext(following)).cid for _ in range(3)] == cids[:3]
    await following.aclose()
    assert reads == 3


async def test_our_own_chain_comes_from_the_table(room: Room) -> None:
    for name in "abc":
        await room.files.mkdir(f"/{name}")
    await room.files.place("/d", await room.files.root(), graft=made(room, 1)[0])
    chain = OwnChain(VersionTable(room.database), room.source)
    found = await stubs(chain)
    assert [stub.cid for stub in found] == [stub.cid for stub in await stubs(BlockChain(room.source, found[0].cid))]
    assert [stub.grafted for stub in found] == [True, False, False, False]
    assert [(await chain.commit(stub.cid)).root for stub in found] == [stub.root for stub in found]


async def test_our_own_chain_ends_in_a_gap_where_it_was_cut_off(room: Room) -> None:
    for name in "abcd":
        await room.files.mkdir(f"/{name}")
    table = VersionTable(room.database)
    whole = await stubs(OwnChain(table, room.source))
    await asyncio.to_thread(table.drop, [1, 2])
    await asyncio.to_thread(table.cut)
    found = await stubs(OwnChain(table, room.source))
    assert found == [*whole[:2], Stub(whole[2].cid, None)]


async def test_an_empty_history_is_an_empty_chain(room: Room) -> None:
    assert await stubs(OwnChain(VersionTable(room.database), room.source)) == []
