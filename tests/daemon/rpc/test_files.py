"""`files/*` over RPC: Kubo's shapes around `Files`, which has tests of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, upload
from zwerm.daemon.rpc.errors import CommandError, UsageError


async def write(rpc: Rpc, path: str, data: bytes, **options: Any) -> None:
    await rpc.call("files/write", path, body=upload(data), **{"create": True, "parents": True} | options)


async def test_writing_and_reading(rpc: Rpc) -> None:
    await write(rpc, "/a/b", b"hello world")
    assert await rpc.data("files/read", "/a/b") == b"hello world"
    assert await rpc.data("files/read", "/a/b", offset=6, count=3) == b"wor"
    await write(rpc, "/a/b", b"HE", offset=0)
    await write(rpc, "/a/b", b"xyz!", offset=11, count=3)
    assert await rpc.data("files/read", "/a/b") == b"HEllo worldxyz"
    await write(rpc, "/a/b", b"new", truncate=True)
    assert await rpc.data("files/read", "/a/b") == b"new"


async def test_stat_has_kubos_fields(rpc: Rpc) -> None:
    await write(rpc, "/a/b", b"hello\n")
    found = await rpc.call("files/stat", "/a/b")
    assert found == {
        "Hash": "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am",
        "Size": 6,
        "CumulativeSize": 6,
        "Blocks": 0,
        "Type": "file",
    }
    folder = await rpc.call("files/stat", "/a", with_local=True)
    assert (folder["Type"], folder["WithLocality"], folder["Local"]) == ("directory", True, True)
    assert folder["SizeLocal"] == folder["CumulativeSize"]
    assert (await rpc.call("files/stat", f"/ipfs/{folder['Hash']}/b"))["Size"] == 6


async def test_ls_is_short_or_long(rpc: Rpc) -> None:
    await write(rpc, "/d/b", b"12")
    await rpc.call("files/mkdir", "/d/a")
    short = await rpc.call("files/ls", "/d")
    assert short["Entries"][0] == {"Name": "a", "Type": 0, "Size": 0, "Hash": ""}
    long = await rpc.call("files/ls", "/d", long=True)
    assert [(entry["Name"], entry["Type"], entry["Size"]) for entry in long["Entries"]] == [("a", 1, 0), ("b", 0, 2)]
    assert [entry["Name"] for entry in (await rpc.call("files/ls", "/d/b"))["Entries"]] == ["b"]
    assert (await rpc.call("files/ls"))["Entries"][0]["Name"] == "d"


async def test_copying_moving_removing(rpc: Rpc) -> None:
    await write(rpc, "/a", b"1")
    await rpc.call("files/cp", "/a", "/x/y", parents=True)
    await rpc.call("files/mv", "/x/y", "/z")
    address = await rpc.add(b"outside")
    await rpc.call("files/cp", f"/ipfs/{address}", "/w")
    assert [entry["Name"] for entry in (await rpc.call("files/ls"))["Entries"]] == ["a", "w", "x", "z"]
    await rpc.call("files/rm", "/a", "/x", recursive=True)
    assert [entry["Name"] for entry in (await rpc.call("files/ls"))["Entries"]] == ["w", "z"]


async def test_rm_removes_what_it_can_as_one_version(rpc: Rpc) -> None:
    await write(rpc, "/a", b"1")
    await write(rpc, "/b", b"2")
    with pytest.raises(CommandError, match="/nothing: file does not exist"):
        await rpc.call("files/rm", "/a", "/nothing", "/b", message="tidy")
    versions = await rpc.items("history")
    assert [version["Message"] for version in versions] == ["tidy", "", ""]
    assert (await rpc.call("files/ls"))["Entries"] == []
    with pytest.raises(CommandError, match="--flush cannot be false"):
        await rpc.call("files/rm", "/x", flush=False)


async def test_metadata(rpc: Rpc) -> None:
    await write(rpc, "/a", b"1")
    await rpc.call("files/chmod", "0755", "/a")
    await rpc.call("files/touch", "/a", mtime=12, mtime_nsecs=34)
    found = await rpc.call("files/stat", "/a")
    assert (found["Mode"], found["Mtime"], found["MtimeNsecs"]) == ("0755", 12, 34)
    with pytest.raises(CommandError, match="expected octal digits"):
        await rpc.call("files/chmod", "rwx", "/a")
    with pytest.raises(UsageError, match="expected 0 to 999999999"):
        await rpc.call("files/touch", "/a", mtime_nsecs=10**9)


async def test_flushing_gives_the_address(rpc: Rpc) -> None:
    await write(rpc, "/a", b"hello\n", flush=False)
    assert (await rpc.call("files/flush", "/a"))["Cid"].startswith("bafkreicysg23")
    assert (await rpc.call("files/flush"))["Cid"].startswith("bafybei")


async def test_the_form_of_addresses_can_change(rpc: Rpc) -> None:
    await rpc.call("files/mkdir", "/d", cid_version=0)
    assert (await rpc.call("files/stat", "/d"))["Hash"].startswith("Qm")
    await rpc.call("files/chcid", "/d", cid_version=1, hash="blake2b-256")
    assert (await rpc.call("files/stat", "/d"))["Hash"].startswith("bafykbza")


@pytest.mark.parametrize(
    ("command", "arguments", "options", "message"),
    [
        ("files/stat", ["/no"], {}, "file does not exist"),
        ("files/read", ["/no"], {}, "file does not exist"),
        ("files/mkdir", ["a"], {}, "paths must start with a leading slash"),
        ("files/mkdir", ["/a/b"], {}, "file does not exist"),
        ("files/mv", ["/no", "/x"], {}, "file does not exist"),
        ("files/cp", ["/no", "/x"], {}, "cannot get node from path /no"),
        ("files/rm", ["/"], {}, "cannot delete root"),
    ],
)
async def test_failures_have_kubos_words(
    rpc: Rpc, command: str, arguments: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        await rpc.call(command, *arguments, **options)


async def test_uploads_to_write_are_one_file(rpc: Rpc) -> None:
    with pytest.raises(UsageError, match="'data' is required"):
        await rpc.call("files/write", "/a", body=upload(), create=True)
    with pytest.raises(CommandError, match="expected one file"):
        await rpc.call("files/write", "/a", body=Upload([("d/", b"")]), create=True)
