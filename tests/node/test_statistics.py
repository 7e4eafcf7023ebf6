"""Figures of a node, and the count of its files, which reads only what is new."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.ipfs.block import Block
from zwerm.ipfs.pins.pin import PinKind
from zwerm.node import statistics
from zwerm.node.statistics import BlockCounter, TreeCounter, TreeSize, count_pins, count_versions, numbers


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


@pytest.fixture
async def counter(node: zwerm.Node) -> AsyncIterator[TreeCounter]:
    counter = TreeCounter(node)
    yield counter
    await counter.close()


async def counted(counter: TreeCounter) -> TreeSize:
    """Ask until the count that is being made is there."""
    while (found := await counter.count()) is None or (counter._work is not None and not counter._work.done()):
        assert counter._work is not None
        await counter._work
    return found


async def test_the_figures_are_those_of_the_store_and_the_pins(node: zwerm.Node) -> None:
    before = numbers(node)
    await node.add(b"pinned")
    await node.pin(await node.add(b"directly", pin=False), recursive=False)
    await node.add(b"unpinned", pin=False)
    after = numbers(node)
    assert after["blocks"] - before["blocks"] == 3
    assert after["blocks_bytes"] - before["blocks_bytes"] == len(b"pinneddirectlyunpinned")
    assert after["blocks_damaged"] == 0
    assert after["storage_bytes"] >= after["blocks_bytes"]
    assert after["storage_limit_bytes"] == node.config.size("storage.max")
    assert after["pins"] - before["pins"] == count_pins(node) - before["pins"] == 2
    assert {pin.kind async for pin in node.pins.list()} >= {PinKind.RECURSIVE, PinKind.DIRECT}


async def test_versions_are_counted(node: zwerm.Node) -> None:
    before = count_versions(node)
    await node.add(b"one", to="/file")
    await node.add(b"two", to="/file")
    assert count_versions(node) - before == 2


async def test_files_and_directories_are_counted_below_the_root(node: zwerm.Node, counter: TreeCounter) -> None:
    assert await counted(counter) == (0, 0)
    for path in ("/a", "/d/b", "/d/e/c"):
        await node.files.write(path, b"data", create=True, parents=True)
    assert await counted(counter) == TreeSize(files=3, directories=2)
    await node.files.rm("/d", recursive=True)
    assert await counted(counter) == TreeSize(files=1, directories=0)


async def test_what_is_below_a_directory_is_read_once(node: zwerm.Node, counter: TreeCounter) -> None:
    await node.files.write("/d/e/a", b"data", create=True, parents=True)
    await counted(counter)
    read: list[str] = []
    source = node.source

    class Noting:
        def __getattr__(self, name: str):
            return getattr(source, name)

        async def get(self, cid):
            read.append(str(cid))
            return await source.get(cid)

    node.source = Noting()  # the tree is read through it
    unchanged = str((await node.files.stat("/d/e")).cid)
    read.clear()
    await node.files.write("/b", b"data", create=True)
    assert await counted(counter) == (2, 2)
    assert read
    assert unchanged not in read


async def test_a_directory_that_is_not_here_counts_as_one_file(node: zwerm.Node, counter: TreeCounter) -> None:
    await node.files.write("/d/e/a", b"data", create=True, parents=True)
    await node.files.flush("/")
    gone = (await node.files.stat("/d")).cid
    node.store.delete([gone])
    assert await counted(counter) == TreeSize(files=1, directories=0)


async def test_counts_are_forgotten_beyond_a_bound(
    node: zwerm.Node, counter: TreeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_REMEMBERED", 2)
    for name in "abcd":
        await node.files.mkdir(f"/{name}/below", parents=True)
    assert await counted(counter) == TreeSize(files=0, directories=8)
    assert len(counter._known) == 2


async def test_a_count_that_took_long_is_not_made_again_at_once(
    node: zwerm.Node, counter: TreeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_QUICK", -1.0)  # every count takes long
    monkeypatch.setattr(statistics, "_SELDOM", 1e9)
    blocks = BlockCounter(node)
    before = await blocks.count()
    assert await counted(counter) == (0, 0)
    node.store.put([Block.create(b"another")])
    await node.files.write("/a", b"data", create=True)
    assert await blocks.count() == before
    assert await counter.count() == (0, 0)


async def test_a_quick_count_is_made_again_whenever_somebody_asks(node: zwerm.Node) -> None:
    blocks = BlockCounter(node)
    before = await blocks.count()
    node.store.put([Block.create(b"another")])
    assert await blocks.count() == before + 1


async def test_closing_ends_a_count_that_is_being_made(node: zwerm.Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_PATIENCE", 0.0)
    await node.files.write("/d/a", b"data", create=True, parents=True)
    counter = TreeCounter(node)
    assert await counter.count() is None
    assert counter._work is not None
    await counter.close()
    assert counter._work.done()
