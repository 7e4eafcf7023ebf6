"""What keeps how much: each block is counted once, under the first reason there is to keep it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.node.measure import Kind, measure


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


async def measured(node: zwerm.Node, **options) -> dict[str, Kind]:
    return {kind.kind: kind async for kind in measure(node, **options)}


async def test_the_kinds_come_in_order_and_make_up_what_the_store_takes(node: zwerm.Node) -> None:
    await node.add(os.urandom(10_000), to="/file")
    await node.add(os.urandom(20_000))
    await node.add(os.urandom(40_000), pin=False)
    found = await measured(node)
    assert list(found) == ["files", "pins", "history", "unused", "index"]
    assert sum(kind.bytes for kind in found.values()) == node.store.used()
    assert sum(kind.blocks for kind in found.values()) == node.store.statistics().blocks


async def test_content_counts_where_it_is_kept(node: zwerm.Node) -> None:
    empty = await measured(node)
    await node.add(os.urandom(10_000), to="/file", pin=False)
    await node.add(os.urandom(20_000))
    await node.add(os.urandom(40_000), pin=False)
    found = await measured(node)
    more = {name: found[name].bytes - empty[name].bytes for name in found}
    assert 10_000 <= more["files"] < 20_000
    assert more["pins"] == 20_000
    assert 40_000 <= more["unused"] < 41_000  # the root before is unused too


async def test_a_version_counts_with_what_only_it_has(node: zwerm.Node) -> None:
    await node.add(os.urandom(10_000), to="/file", pin=False)
    before = await measured(node)
    await node.add(os.urandom(3_000), to="/file", pin=False)
    after = await measured(node)
    assert 10_000 <= after["history"].bytes - before["history"].bytes < 13_000
    assert after["files"].bytes == before["files"].bytes - 7_000


async def test_what_is_kept_twice_counts_once(node: zwerm.Node) -> None:
    data = os.urandom(10_000)
    await node.add(data, to="/file")
    before = await measured(node)
    await node.add(data)
    after = await measured(node)
    assert all(after[name] == before[name] for name in ("files", "pins", "history", "unused"))


async def test_a_block_that_is_not_here_counts_as_nothing(node: zwerm.Node) -> None:
    cid = await node.add(os.urandom(600_000))
    before = (await measured(node))["pins"]
    leaf = next(iter([reference async for reference in _leaves(node, cid)]))
    size = node.store.size(leaf)
    node.store.delete([leaf])
    after = (await measured(node))["pins"]
    assert (after.bytes, after.blocks) == (before.bytes - size, before.blocks - 1)
    node.store.delete([cid])
    gone = (await measured(node))["pins"]
    assert gone.blocks == after.blocks - 3, "what is below a root that is gone is kept by nothing"


async def _leaves(node: zwerm.Node, cid):
    from zwerm.ipfs.ipld import codec

    for link in codec.links(cid.codec, node.store.get(cid)):
        yield link


async def test_it_says_how_far_it_is(node: zwerm.Node) -> None:
    await node.add(os.urandom(600_000))
    steps: list[tuple[int, int]] = []
    await measured(node, progress=lambda done, total: steps.append((done, total)))
    blocks = node.store.statistics().blocks
    assert steps == sorted(steps)
    assert steps[-1][0] <= blocks
    assert {total for _, total in steps} == {blocks}
