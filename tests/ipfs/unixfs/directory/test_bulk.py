"""Directories built at once: the same whether entries fit into memory or not."""

from __future__ import annotations

import random

import pytest

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.unixfs.builder import NoStore
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.directory import bulk
from zwerm.ipfs.unixfs.directory.bulk import DirectoryWriter
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.multiformats.cid import CID

LEAF = CID.of(b"leaf")


def write(names: list[str], profile: Profile = DEFAULT, spill: int = bulk.SPILL, store: Blocks | None = None) -> Entry:
    writer = DirectoryWriter(store or NoStore(), profile, spill=spill)
    for name in names:
        writer.add(name, LEAF, 4)
    return writer.finish()


def test_the_order_of_the_entries_does_not_matter() -> None:
    names = [f"name {number}" for number in range(20_000)]
    shuffled = random.Random(1).sample(names, len(names))
    assert write(shuffled) == write(names)


@pytest.mark.parametrize("spill", [1, 100, 10_000])
def test_what_spills_to_the_disk_comes_back(spill: int) -> None:
    names = [f"name {number}" for number in range(300)]
    profile = Profile(hamt_threshold=100)
    assert write(names, profile, spill) == write(names, profile)


def test_blocks_are_put_in_batches_and_add_up_to_the_total() -> None:
    store = Blocks()
    entry = write([f"name {number}" for number in range(20_000)], store=store)
    assert entry.kind is Kind.DIRECTORY
    assert entry.total_size == 20_000 * 4 + sum(map(len, store.data.values()))
    assert len(store.data) > 2000
    assert store.puts < 20


def test_an_empty_directory_is_one_block() -> None:
    store = Blocks()
    assert str(write([], store=store).cid) == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
    assert write([], Profile(cid_version=0, raw_leaves=False)).total_size == 4


def test_metadata_stands_in_the_root_of_either_form() -> None:
    for count in (0, 100):
        store = Blocks()
        writer = DirectoryWriter(store, Profile(hamt_threshold=1000), mode=0o700, mtime=Mtime(9))
        for number in range(count):
            writer.add(str(number), LEAF, 4)
        entry = writer.finish()
        described = [cid for cid in store.data if store.parsed(cid)[0].mode]
        assert described == [entry.cid]
        assert store.parsed(entry.cid)[0].mtime == Mtime(9)
        assert store.parsed(entry.cid)[0].type is (DataType.HAMT_SHARD if count else DataType.DIRECTORY)


def test_names_of_one_hash_cannot_share_a_sharded_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "name_hash", lambda name: 5)
    with pytest.raises(LocalProtocolError, match="'a' and 'b' have the same hash"):
        write(["a", "b"], Profile(hamt_threshold=0))


def test_a_writer_that_is_given_up_leaves_no_file_open() -> None:
    writer = DirectoryWriter(NoStore(), Profile(hamt_threshold=0), spill=1)
    writer.add("a", LEAF, 1)
    writer.close()
    writer.close()
