"""Directories built at once: the same whether entries fit into memory or not."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.builder import NoStore
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.directory import DirEntry, bulk, entries, lookup
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


MILLION = "bafybeicnswfj4pikxrljw4be3imdyzwa256dhhpm7h4dsgfz3eoaodvgui"

BUILD = """
import json, resource
from zwerm.ipfs.unixfs import DirectoryWriter, NoStore
from zwerm.multiformats.cid import CID

writer, leaf = DirectoryWriter(NoStore()), CID.of(b"leaf")
for number in range(1_000_000):
    writer.add(f"file-{number:07}.txt", leaf, 4)
print(json.dumps([str(writer.finish().cid), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


@pytest.mark.full
@pytest.mark.slow
def test_a_million_names_are_sharded_in_a_fraction_of_the_memory_they_take() -> None:
    cid, peak = json.loads(subprocess.run([sys.executable, "-c", BUILD], check=True, capture_output=True).stdout)
    assert cid == MILLION
    assert peak < 150  # MiB, of which the interpreter takes 25


class Unchecked(Blocks):
    """Takes blocks without hashing them again: there are 94,000."""

    def put(self, blocks: Iterable[Block]) -> None:
        self.data |= dict(blocks)


@pytest.mark.full
@pytest.mark.slow
def test_a_page_and_a_name_of_a_million_cost_a_few_blocks() -> None:
    blocks = Unchecked()
    writer = DirectoryWriter(blocks)
    for number in range(1_000_000):
        writer.add(f"file-{number:07}.txt", CID.of(b"leaf"), 4)
    root = writer.finish().cid

    async def check() -> None:
        async with contextlib.aclosing(entries(blocks, root)) as page:
            first = [await anext(page) for _ in range(100)]
        assert len(blocks.asked) < 20
        blocks.asked.clear()
        async with contextlib.aclosing(entries(blocks, root, after=first[-1].name)) as page:
            assert (await anext(page)).name not in {entry.name for entry in first}
        assert len(blocks.asked) < 5
        blocks.asked.clear()
        found = await lookup(blocks, root, "file-0777777.txt")
        assert found == DirEntry("file-0777777.txt", CID.of(b"leaf"), 4)
        assert len(blocks.asked) <= 4

    run(check())
