"""From a CAR into a store: verified, durable, what is whole kept."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.ipfs.car.archives import ACORN, BEECH, BLOCKS, archive
from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.car.importer import CarImporter, import_car
from zwerm.ipfs.car.reader import BrokenCar
from zwerm.multiformats.cid import CID


class Store(MemoryBlockstore):
    """A store that knows which of its blocks survive a power loss, and how many came at once."""

    def __init__(self, *, max_size: int | None = None) -> None:
        super().__init__(max_size=max_size)
        self.durable: set[CID] = set()
        self.batches: list[int] = []
        self._unsynced: list[CID] = []

    def put(self, blocks: Iterable[Block]) -> None:
        blocks = list(blocks)
        self.batches.append(len(blocks))
        super().put(blocks)
        self._unsynced += [block.cid for block in blocks]

    def sync(self) -> None:
        self.durable.update(self._unsynced)
        self._unsynced.clear()


def test_all_blocks_are_in_the_store_and_durable() -> None:
    store = Store()
    progress: list[int] = []
    car = archive()
    imported = import_car(store, [car[:150], car[150:]], progress=progress.append)
    assert imported == ((ACORN.cid,), 3, sum(len(block.data) for block in BLOCKS))
    assert store.durable == {block.cid for block in BLOCKS}
    assert store.get(BEECH.cid, verify=True) == BEECH.data
    assert progress == [1, 3]


def test_of_a_broken_archive_what_was_whole_is_kept() -> None:
    lie = Block(CID.of(b"something else"), b"lie")
    for car in (archive()[:-1], archive([ACORN, BEECH, lie])):
        store = Store()
        with pytest.raises(BrokenCar, match="2 blocks before that are whole"):
            import_car(store, [car])
        assert store.durable == {ACORN.cid, BEECH.cid}
        assert not store.has(lie.cid)


def test_damage_that_shows_in_a_later_piece_keeps_the_blocks_too() -> None:
    store = Store()
    importer = CarImporter(store)
    importer.receive_data(archive([ACORN]))
    with pytest.raises(BrokenCar):
        importer.receive_data(b"\x00")
    assert store.durable == {ACORN.cid}


def test_blocks_go_to_the_store_in_batches() -> None:
    store = Store()
    blocks = [Block.create(bytes([number]) * 1_000_000) for number in range(20)]
    car = archive(blocks)
    import_car(store, [car[start : start + 100_000] for start in range(0, len(car), 100_000)])
    assert sum(store.batches) == 20
    assert 3 <= max(store.batches) <= 6
    small = [Block.create(b"%d" % number) for number in range(10_000)]
    store.batches.clear()
    import_car(store, [archive(small[start : start + 100]) for start in [0]])
    assert store.batches == [100]


def test_a_full_store_says_so_and_keeps_what_fitted() -> None:
    store = Store(max_size=len(ACORN.data) + 10)
    with pytest.raises(ResourceLimitError):
        import_car(store, [archive([ACORN, BEECH])])
    assert store.has(ACORN.cid)
    assert not store.has(BEECH.cid)
