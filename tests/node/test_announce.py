"""Every change is an event, whoever makes it and by whichever way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zwerm.node.announce import MAX_PATHS, few
from zwerm.node.events import origin
from zwerm.node.node import Node


async def told(node: Node, work: Callable[[], Awaitable[Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events that some work raises."""
    before = node.events.number
    await work()
    node.events.publish("end", {})
    heard = []
    async for event in node.events.listen(before):
        if event.name == "end":
            return heard
        heard.append((event.name, dict(event.data)))
    raise AssertionError("the events ended")


async def test_pins_are_told_by_whichever_way_they_are_made(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="test") as node:
        one = await node.add(b"one", pin=False)
        other = await node.add(b"other", pin=False)
        assert await told(node, lambda: node.pins.add(node.source, one)) == [
            ("pins", {"cid": str(one), "kind": "recursive"})
        ]
        assert await told(node, lambda: node.pins.update(node.source, one, other)) == [
            ("pins", {"cid": str(other), "kind": "recursive"}),
            ("pins", {"cid": str(one), "kind": None}),
        ]
        assert await told(node, lambda: node.unpin(other)) == [("pins", {"cid": str(other), "kind": None})]
        assert await told(node, lambda: node.pin(one, recursive=False)) == [
            ("pins", {"cid": str(one), "kind": "direct"})
        ]
        assert [name for name, _ in await told(node, lambda: node.add(b"new"))] == ["pins"]


async def test_what_fails_is_not_told(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="test") as node:
        cid = await node.add(b"one", pin=False)

        async def fail() -> None:
            with pytest.raises(Exception, match="not pinned"):
                await node.pins.remove(cid)

        assert await told(node, fail) == []


async def test_changed_files_are_told_with_who_changed_them(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="test") as node:
        reset = origin.set("rpc")
        heard = await told(node, lambda: node.files.mkdir("/a"))
        origin.reset(reset)
        assert [name for name, _ in heard] == ["files"]
        assert heard[0][1]["paths"] == ["/a"]
        assert heard[0][1]["origin"] == "rpc"
        assert heard[0][1]["version"]


async def test_collections_are_told_when_they_removed_something(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="test") as node:
        assert await told(node, node.collect) == []
        await node.add(b"garbage", pin=False)
        assert await told(node, node.collector.collect) == [("collected", {"blocks": 1, "bytes": 7})]


def test_many_paths_become_the_folders_they_have_in_common() -> None:
    assert few(["/a", "/b", "/a"]) == ["/a", "/b"]
    assert few([f"/x/y/{number}" for number in range(MAX_PATHS + 1)]) == ["/x/y"]
    assert few([f"/{number}" for number in range(MAX_PATHS + 1)]) == ["/"]
