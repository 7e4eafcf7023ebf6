"""`dag/export` and `dag/import`: what went out comes in, whole or as far as it is whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, named
from zwerm.core.errors import NotFoundError
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.node import Node

DATA = random.Random(7).randbytes(1_024_000)


@pytest.fixture
async def root(rpc: Rpc) -> str:
    return str((await rpc.last("add", body=Upload([("d/a", DATA), ("d/b", b"2")])))["Hash"])


async def test_an_archive_brings_everything_and_keeps_its_roots(rpc: Rpc, root: str, tmp_path: Path) -> None:
    archive = await rpc.data("dag/export", root)
    async with Node(tmp_path / "other", profile="test") as node:
        other = Rpc(node)
        items = await other.items("dag/import", body=named(car=archive), stats=True)
        assert items[0] == {"Root": {"Cid": {"/": root}, "PinErrorMsg": ""}}
        assert items[1]["Stats"]["BlockCount"] == 7
        assert await other.data("cat", f"{root}/a") == DATA
        assert set((await other.last("pin/ls", type="recursive"))["Keys"]) == {root}


async def test_roots_are_kept_unless_that_is_not_wanted(rpc: Rpc, root: str) -> None:
    archive = await rpc.data("dag/export", root)
    await rpc.call("pin/rm", root)
    assert await rpc.items("dag/import", body=named(car=archive), pin_roots=False) == []
    assert (await rpc.last("pin/ls"))["Keys"] == {}
    with pytest.raises(CommandError, match="leave one of them out"):
        await rpc.items("dag/import", body=named(car=archive), pin_roots=True, local_only=True)


async def test_what_was_whole_before_the_damage_is_kept_and_said(rpc: Rpc, root: str, tmp_path: Path) -> None:
    archive = await rpc.data("dag/export", root)
    async with Node(tmp_path / "other", profile="test") as node:
        other = Rpc(node)
        with pytest.raises(CommandError, match=r"car: CAR broken at byte \d+: .* blocks? before that"):
            await other.items("dag/import", body=named(car=archive[:600_000]))
        assert (await other.call("repo/stat"))["NumObjects"] >= 2


async def test_a_part_of_a_dag_travels_too(rpc: Rpc, root: str, tmp_path: Path) -> None:
    await rpc.call("pin/rm", root)
    (leaf,) = [item["Ref"] for item in await rpc.items("refs", f"{root}/a")][:1]
    await rpc.items("block/rm", leaf)
    with pytest.raises(Exception, match="is not here"):
        await rpc.data("dag/export", root)
    archive = await rpc.data("dag/export", root, local_only=True)
    async with Node(tmp_path / "other", profile="test") as node:
        other = Rpc(node)
        (failed,) = await other.items("dag/import", body=named(car=archive))
        assert "is not here" in failed["Root"]["PinErrorMsg"]
        assert await other.items("dag/import", body=named(car=archive), local_only=True) == []
        assert await other.data("cat", f"{root}/b") == b"2"


async def test_folders_are_no_archives(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="is a folder, expected CAR files"):
        await rpc.items("dag/import", body=Upload([("d/", b"")]))


@pytest.mark.parametrize("local_only", [False, True])
async def test_a_block_that_many_link_to_is_written_once(rpc: Rpc, local_only: bool) -> None:
    leaf = bytes(1000)
    root = (await rpc.items("add", body=Upload([("d/a", leaf), ("d/b", leaf), ("d/e/c", leaf)])))[-1]["Hash"]
    archive = await rpc.data("dag/export", root, local_only=local_only)
    assert archive.count(leaf) == 1


async def test_a_root_that_is_not_here_is_an_error_before_the_first_byte(rpc: Rpc) -> None:
    with pytest.raises(NotFoundError, match="is not here"):
        await rpc.call("dag/export", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
