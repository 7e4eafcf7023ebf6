"""A directory of a million names: built in little memory, and a page or a name of it costs a few blocks."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.directory import DirectoryWriter, DirEntry, entries, lookup
from zwerm.multiformats.cid import CID

pytestmark = [pytest.mark.full, pytest.mark.slow]

ROOT = "bafybeicnswfj4pikxrljw4be3imdyzwa256dhhpm7h4dsgfz3eoaodvgui"

BUILD = """
import json, resource
from zwerm.ipfs.unixfs import DirectoryWriter, NoStore
from zwerm.multiformats.cid import CID

writer, leaf = DirectoryWriter(NoStore()), CID.of(b"leaf")
for number in range(1_000_000):
    writer.add(f"file-{number:07}.txt", leaf, 4)
print(json.dumps([str(writer.finish().cid), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


def test_a_million_names_are_sharded_in_a_fraction_of_the_memory_they_take() -> None:
    cid, peak = json.loads(subprocess.run([sys.executable, "-c", BUILD], check=True, capture_output=True).stdout)
    assert cid == ROOT
    assert peak < 100  # MiB, of which the interpreter takes 25


class Unchecked(Blocks):
    """Takes blocks without hashing them again: there are 94,000."""

    def put(self, blocks: Iterable[Block]) -> None:
        self.data |= dict(blocks)


def test_a_page_and_a_name_cost_a_few_blocks() -> None:
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
