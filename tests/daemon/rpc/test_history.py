"""`history/*`, `diff`, `restore` over RPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.daemon.rpc.caller import Rpc, named, upload
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.node import Node


async def write(rpc: Rpc, path: str, data: bytes, message: str | None = None) -> None:
    options: dict[str, Any] = {"message": message} if message else {}
    await rpc.call("files/write", path, body=upload(data), create=True, parents=True, truncate=True, **options)


@pytest.fixture
async def changed(rpc: Rpc) -> Rpc:
    await write(rpc, "/notes/a", b"one\n", "first")
    await write(rpc, "/notes/b", b"other\n")
    await write(rpc, "/notes/a", b"one\ntwo\n", "second")
    return rpc


async def test_versions_say_who_when_and_what(changed: Rpc) -> None:
    newest, oldest = await changed.items("history", "/notes/a")
    assert [newest["Number"], newest["Message"], newest["Kind"]] == [0, "second", "changed"]
    assert [oldest["Number"], oldest["Message"], oldest["Kind"]] == [1, "first", "added"]
    assert newest["Author"] == str(changed.node.identity)
    assert newest["Time"].endswith("Z")
    assert newest["Short"] in newest["Commit"]
    assert await changed.data("cat", oldest["Cid"]) == b"one\n"
    assert len(await changed.items("history")) == 3
    assert len(await changed.items("history", limit=2)) == 2


async def test_a_path_that_never_was_has_no_history(changed: Rpc) -> None:
    with pytest.raises(CommandError, match="/nothing has no history"):
        await changed.items("history", "/nothing")
    assert await Rpc(changed.node).items("history", "/nothing", limit=0) == []


async def test_every_command_reads_old_versions(changed: Rpc) -> None:
    assert await changed.data("cat", "/notes/a@~1") == b"one\n"
    (listing,) = await changed.items("ls", "/notes@~2")
    assert [link["Name"] for link in listing["Objects"][0]["Links"]] == ["a"]
    short = (await changed.items("history", "/notes/a"))[1]["Short"]
    assert await changed.data("cat", f"/notes/a@{short}") == b"one\n"


async def test_differences(changed: Rpc) -> None:
    (only,) = await changed.items("diff", "/notes")
    assert (only["Kind"], only["Path"], only["Before"]["Size"], only["After"]["Size"]) == ("changed", "/a", 4, 8)
    both = await changed.items("diff", "/notes@~2")
    assert {(item["Kind"], item["Path"]) for item in both} == {("changed", "/a"), ("added", "/b")}
    (lines,) = await changed.items("diff", "/notes/a@~1", "/notes/a", lines=True)
    assert "+two" in lines["Lines"].splitlines()
    addresses = [item["Cid"] for item in await changed.items("history", "/notes/a")]
    assert len(await changed.items("diff", *addresses)) == 1
    with pytest.raises(CommandError, match="name two addresses"):
        await changed.items("diff", addresses[0])


async def test_restoring_makes_a_new_version(changed: Rpc) -> None:
    restored = await changed.call("restore", "/notes/a", "~1", message="back")
    assert await changed.data("cat", restored["Cid"]) == b"one\n"
    assert await changed.data("cat", "/notes/a") == b"one\n"
    assert [item["Message"] for item in await changed.items("history", "/notes/a")] == ["back", "second", "first"]
    with pytest.raises(Exception, match="has no version ~9"):
        await changed.call("restore", "/notes/a", "~9")


async def test_what_was_removed_comes_back(changed: Rpc) -> None:
    await changed.call("files/rm", "/notes", recursive=True)
    await changed.call("restore", "/notes", "~1")
    assert await changed.data("cat", "/notes/b") == b"other\n"


async def test_a_history_travels_and_goes_on_elsewhere(changed: Rpc, tmp_path: Path) -> None:
    archive = await changed.data("history/export", "/notes/a")
    async with Node(tmp_path / "other", profile="test") as node:
        other = Rpc(node)
        (imported,) = await other.items("dag/import", body=named(car=archive))
        head = imported["Root"]["Cid"]["/"]
        assert (await other.call("history/verify", head))["Valid"] is True
        await other.call("history/adopt", head, "/mine", message="took over")
        assert await other.data("cat", "/mine") == b"one\ntwo\n"
        versions = await other.items("history", "/mine")
        assert [version["Message"] for version in versions][-1] == "first"
        assert await other.data("cat", "/mine@~1") in (b"one\ntwo\n", b"one\n")


async def test_our_own_history_is_whole_and_signed(changed: Rpc) -> None:
    found = await changed.call("history/verify")
    assert (found["Valid"], found["Commits"], found["Problems"]) == (True, 3, [])
    assert found["Authors"] == [str(changed.node.identity)]
