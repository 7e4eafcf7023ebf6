"""`repo/*`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError


async def test_stat_counts(rpc: Rpc) -> None:
    await rpc.add(b"x" * 100)
    found = await rpc.call("repo/stat")
    assert found["NumObjects"] >= 1
    assert found["RepoSize"] > 0
    assert found["StorageMax"] > found["RepoSize"]
    assert found["RepoPath"] == str(rpc.node.repository.path)
    assert (await rpc.call("repo/stat", size_only=True))["NumObjects"] == 0
    again = await rpc.call("stats/repo")
    # Without a limit StorageMax follows the free space of the disk, which others use too.
    assert {**again, "StorageMax": 0} == {**found, "StorageMax": 0}


async def test_every_block_is_listed(rpc: Rpc) -> None:
    address = await rpc.add(b"x")
    assert {"Ref": address, "Err": ""} in await rpc.items("repo/ls")


async def test_collection_tells_what_it_removes(rpc: Rpc) -> None:
    kept = await rpc.add(b"kept")
    loose = await rpc.add(b"loose", pin=False)
    items = await rpc.items("repo/gc", progress=True)
    assert {"Key": {"/": loose}} in items
    assert items[-1]["Phase"] == "done"
    assert items[-1]["Blocks"] >= 1
    assert await rpc.data("cat", kept) == b"kept"
    assert await rpc.items("repo/gc", silent=True) == []
    assert await rpc.items("repo/gc", stream_errors=True, force=True) == []


def spoil(folder: Path, data: bytes) -> None:
    """Change the bytes of a block on the disk."""
    for path in folder.rglob("*"):
        if path.is_file() and data in (content := path.read_bytes()):
            with path.open("r+b") as file:
                file.seek(content.index(data))
                file.write(b"X" * len(data))
                os.fsync(file.fileno())
            return
    raise AssertionError("the block is in no pack")


async def test_verifying_names_the_damage_and_repairing_removes_it(rpc: Rpc) -> None:
    good = await rpc.add(b"good")
    bad = await rpc.add(b"some content that is long enough")
    assert (await rpc.last("repo/verify"))["Msg"] == "verify complete, all blocks validated."
    spoil(rpc.node.repository.blocks_path, b"some content that is long enough")
    seen: list[str] = []

    async def verify() -> None:
        async for item in await rpc.call("repo/verify"):
            seen.append(item["Msg"])  # noqa: PERF401 -- what came before the failure counts

    with pytest.raises(CommandError, match="verify complete, 1 blocks corrupt"):
        await verify()
    assert f"block {bad} was corrupt" in seen
    with pytest.raises(Exception, match="is damaged on disk"):
        await rpc.data("cat", bad)
    assert "1 blocks corrupt, 1 removed" in (await rpc.last("repo/repair"))["Msg"]
    assert (await rpc.last("repo/verify", drop=True))["Msg"] == "verify complete, all blocks validated."
    assert await rpc.data("cat", good) == b"good"
    assert await rpc.add(b"some content that is long enough") == bad
    assert await rpc.data("cat", bad) == b"some content that is long enough"


async def test_healing_needs_a_network(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="--heal needs a network"):
        await rpc.items("repo/verify", heal=True)


async def test_the_version_is_a_number(rpc: Rpc) -> None:
    assert (await rpc.call("repo/version"))["Version"].isdecimal()


async def test_repairing_names_the_pins_that_a_corrupt_block_breaks(rpc: Rpc) -> None:
    bad = await rpc.add(b"some content that is long enough")
    spoil(rpc.node.repository.blocks_path, b"some content that is long enough")
    seen = [item["Msg"] async for item in await rpc.call("repo/repair")]
    assert f"pin {bad} misses 1 blocks; pin it again to fetch them" in seen
