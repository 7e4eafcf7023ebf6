"""Measuring, counting, and collecting by itself."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore.store import Removed
from zwerm.node.gateway import make_gateway
from zwerm.node.maintenance import collect_when_full
from zwerm.node.measure import measure
from zwerm.node.statistics import TreeSize


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test", overrides={"storage.max": "50MB"}) as opened:
        yield opened


async def test_each_block_counts_once_for_the_first_that_keeps_it(node) -> None:
    shared = os.urandom(100_000)
    await node.add(shared, to="/f")  # also pinned: counts as a file
    await node.add(os.urandom(200_000))
    await node.add(os.urandom(300_000), to="/old", pin=False)
    await node.add(b"new", to="/old", pin=False)
    await node.add(os.urandom(400_000), pin=False)
    told: list[tuple[int, int]] = []
    found = {kind.kind: kind async for kind in measure(node, lambda done, total: told.append((done, total)))}
    assert list(found) == ["files", "pins", "history", "unused", "index"]
    assert 100_000 < found["files"].bytes < 110_000
    assert found["pins"].bytes == 200_000
    assert 300_000 < found["history"].bytes < 320_000
    assert found["unused"].bytes > 400_000
    statistics = await node.repo_stat()
    assert sum(kind.blocks for kind in found.values()) == statistics.blocks
    assert told[-1][1] == statistics.blocks


async def test_measuring_goes_on_where_content_is_missing(node) -> None:
    cid = await node.add(os.urandom(600_000))
    first = (await node.resolve(cid), [link async for link in _leaves(node, cid)])[1][0]
    node.store.delete([first])
    found = {kind.kind: kind async for kind in measure(node)}
    assert found["pins"].blocks == 3  # the root and two of three leaves


async def _leaves(node: zwerm.Node, cid) -> AsyncIterator:
    from zwerm.ipfs.unixfs.reader import open_file
    from zwerm.ipfs.unixfs.spans import spans

    async for span in spans(node.source, await open_file(node.source, cid)):
        yield span.cid


async def test_files_and_folders_are_counted_and_only_what_is_new_is_read(node) -> None:
    assert await node.tree.count() == TreeSize(0, 0)
    await node.files.mkdir("/a/b", parents=True)
    await node.add(b"1", to="/a/b/x")
    await node.add(b"2", to="/a/y")
    assert await node.tree.count() == TreeSize(2, 2)
    assert await node.tree.count() == TreeSize(2, 2)
    await node.files.rm("/a/b", recursive=True)
    assert await node.tree.count() == TreeSize(1, 1)


async def test_a_store_that_is_nearly_full_is_collected_by_itself(node, monkeypatch: pytest.MonkeyPatch) -> None:
    collected = asyncio.Event()
    results: list[Removed | Exception] = [StorageError("a block is damaged"), Removed(1, 2)]

    async def collect() -> Removed:
        result = results.pop(0)
        if not results:
            collected.set()
        if isinstance(result, Exception):
            raise result
        return result

    used = iter(range(46_000_000, 60_000_000))
    monkeypatch.setattr(node, "collect", collect)
    monkeypatch.setattr(node.store, "used", lambda: next(used))
    work = asyncio.create_task(collect_when_full(node, period=0))
    async with asyncio.timeout(20):
        await collected.wait()
    work.cancel()
    await asyncio.wait([work])


async def test_a_store_with_room_or_without_a_limit_is_left_alone(node, monkeypatch, caplog) -> None:
    async def collect() -> Removed:
        raise AssertionError("nobody asked for this")

    looked = asyncio.Event()
    sizes = [1_000_000, 45_000_000 - 1]

    def used() -> int:
        if len(sizes) == 1:
            looked.set()
            return sizes[0]
        return sizes.pop()

    monkeypatch.setattr(node, "collect", collect)
    monkeypatch.setattr(node.store, "used", used)
    with caplog.at_level(logging.WARNING):
        work = asyncio.create_task(collect_when_full(node, period=0))
        async with asyncio.timeout(20):
            await looked.wait()
        assert not work.done()
        work.cancel()
        await asyncio.wait([work])


async def test_the_gateway_takes_the_nodes_settings(node) -> None:
    node.config.set("gateway.denylist", ["bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"])
    from zwerm.ipfs.gateway.message import GatewayRequest

    cid = await node.add(b"hello")
    other = await node.add(b"other")
    gateway = make_gateway(node)
    assert (await gateway.respond(GatewayRequest("GET", f"/ipfs/{cid}"))).status == 410
    assert (await gateway.respond(GatewayRequest("GET", f"/ipfs/{other}"))).status == 200


def damage_header(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    contents[:16] = bytes(16)
    path.write_bytes(contents)


async def test_a_damaged_index_is_refused_or_saved(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    async with zwerm.Node(path, profile="test") as first:
        cid = await first.add(os.urandom(300_000), to="/kept")
        index = first.repository.index_path
    damage_header(Path(index))
    with pytest.raises(StorageError, match=r"is damaged .*; run `zwerm repo repair`"):
        await zwerm.Node(path, profile="test").open()
    async with zwerm.Node(path, profile="test", save_index=True) as saved:
        assert saved.saved is not None
        assert not saved.saved.whole
        assert (await saved.verify()).ok
        assert b"".join([chunk async for chunk in saved.cat(cid)])
        with pytest.raises(StorageError, match="the pins were lost with it"):
            await saved.collect()
    async with zwerm.Node(path, profile="test", save_index=True) as again:
        assert again.saved is None


def rot(node: zwerm.Node, data: bytes) -> None:
    """Change one bit of what lies in a pack."""
    pack = next(path for path in (node.repository.path / "blocks").iterdir() if data in path.read_bytes())
    pack.write_bytes(pack.read_bytes().replace(data, bytes([data[0] ^ 1]) + data[1:]))


async def test_a_verification_counts_what_it_reads_and_tells_how_far_it_is(node) -> None:
    for _ in range(70):  # more than one step
        await node.add(os.urandom(1_000))
    told: list[tuple[int, int]] = []
    found = await node.verify(lambda done, total: told.append((done, total)))
    assert found.ok
    assert found.blocks >= 70
    assert told[-1] == (found.blocks, found.blocks)
    assert len(told) > 1
    assert told == sorted(told)


async def test_a_repair_drops_what_is_damaged_and_names_the_pins_that_miss_it(node) -> None:
    lost, whole = os.urandom(5_000), os.urandom(5_000)
    cid = await node.add(lost)
    await node.add(whole)
    await asyncio.to_thread(rot, node, lost)
    verified = await node.verify()
    assert (verified.ok, verified.corrupt) == (False, [cid.multihash])
    repaired = await node.repair()
    assert repaired.dropped == [cid.multihash]
    assert [status.cid for status in repaired.broken] == [cid]
    assert (await node.verify()).ok
    again = await node.repair()
    assert (again.dropped, again.broken) == ([], [])
