"""`LocalSource`: the blocks of a store for an event loop, in order, read ahead by a bounded amount."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import block
from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore import LocalSource, MemoryBlockstore, PackBlockstore
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

BLOCKS = [block(number, 1_000 + number) for number in range(500)]


@pytest.fixture(params=["memory", "pack"])
def source(request: pytest.FixtureRequest) -> LocalSource:
    store = MemoryBlockstore() if request.param == "memory" else request.getfixturevalue("store")
    store.put(BLOCKS)
    store.sync()
    return LocalSource(store)


async def test_get_and_has(source: LocalSource) -> None:
    for _ in range(2):
        assert await source.get(BLOCKS[7].cid) == BLOCKS[7].data
    assert await source.has(BLOCKS[7].cid)
    assert not await source.has(block(1_000).cid)
    with pytest.raises(BlockNotFound):
        await source.get(block(1_000).cid)
    identity = CID.of(b"me", hash_code=multicodec.IDENTITY)
    assert await source.get(identity) == b"me"


@pytest.mark.parametrize("order", [1, -1])
async def test_many_come_in_the_order_they_were_asked_for(source: LocalSource, order: int) -> None:
    wanted = [*BLOCKS[::order], BLOCKS[3], BLOCKS[3]]
    for _ in range(2):  # cold, then remembered
        assert [data async for data in source.get_many(item.cid for item in wanted)] == [item.data for item in wanted]
    assert [data async for data in source.get_many([])] == []


async def test_an_absent_block_is_told_where_it_is_due(source: LocalSource) -> None:
    cids = [item.cid for item in BLOCKS[:40]]
    cids.insert(30, block(1_000).cid)
    found: list[bytes] = []

    async def read() -> None:
        async for data in source.get_many(cids):
            found.append(data)  # noqa: PERF401 -- what came before the failure counts

    with pytest.raises(BlockNotFound):
        await read()
    assert found == [item.data for item in BLOCKS[:30]]


async def test_reading_ahead_is_bounded(store: PackBlockstore, monkeypatch: pytest.MonkeyPatch) -> None:
    large = [block(number, 1_000_000) for number in range(70)]
    store.put(large)
    store.sync()
    get, get_nowait = store.get, store.get_nowait
    taken: list[CID] = []
    read: list[CID] = []

    def cids() -> Iterator[CID]:
        for item in large:
            taken.append(item.cid)
            yield item.cid

    def get_and_note(cid: CID, *, verify: bool = False) -> bytes:
        read.append(cid)
        return get(cid, verify=verify)

    def get_nowait_and_note(cid: CID) -> bytes | None:
        data = get_nowait(cid)
        if data is not None:
            read.append(cid)
        return data

    monkeypatch.setattr(store, "get", get_and_note)
    monkeypatch.setattr(store, "get_nowait", get_nowait_and_note)
    reading = LocalSource(store).get_many(cids())
    for number in range(30):
        assert await anext(reading) == large[number].data
        assert number < len(read) <= number + 14
        assert len(taken) <= number + 46
    await reading.aclose()


async def test_leaving_early_leaves_nothing_behind(source: LocalSource) -> None:
    reading = source.get_many(item.cid for item in BLOCKS)
    assert await anext(reading) == BLOCKS[0].data
    await reading.aclose()
    assert len(asyncio.all_tasks()) == 1


def spoil(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"rot")


async def test_with_verify_nothing_corrupt_is_handed_out(store: PackBlockstore) -> None:
    store.put(BLOCKS)
    store.sync()
    location = store.locate(BLOCKS[5].cid)
    assert location is not None
    spoil(Path(store.folder, "00000001.pack"), location.offset)
    source = LocalSource(store, verify=True)
    assert await source.get(BLOCKS[4].cid) == BLOCKS[4].data
    with pytest.raises(CorruptBlock):
        await source.get(BLOCKS[5].cid)
    found: list[bytes] = []

    async def read() -> None:
        async for data in source.get_many(item.cid for item in BLOCKS[:10]):
            found.append(data)  # noqa: PERF401 -- as above

    with pytest.raises(CorruptBlock):
        await read()
    assert found == [item.data for item in BLOCKS[:5]]
