"""`add`: which address content gets, what is told, what is kept. The CIDs are Kubo's."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, named, upload
from zwerm.daemon.rpc.errors import CommandError

HELLO = b"hello\n"
HELLO_V0 = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
HELLO_V1 = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({"profile": "unixfs-v0-2015"}, HELLO_V0),
        ({"cid_version": 0}, HELLO_V0),
        ({}, HELLO_V1),
        ({"profile": "unixfs-v0-2015", "cid_version": 1}, HELLO_V1),
        ({"cid_version": 0, "raw_leaves": True}, HELLO_V1),
        ({"inline": True}, "bafkqabtimvwgy3yk"),
        ({"cid_base": "base16"}, "f01551220" + hashlib.sha256(HELLO).hexdigest()),
    ],
)
async def test_a_file_has_the_address_that_its_options_give(rpc: Rpc, options: dict[str, Any], address: str) -> None:
    assert await rpc.add(HELLO, **options) == address


async def test_another_hash_brings_version_one(rpc: Rpc) -> None:
    address = await rpc.add(HELLO, profile="unixfs-v0-2015", hash="blake2b-256")
    assert address.startswith("bafk2bza")
    with pytest.raises(Exception, match="CIDv0 knows sha2-256 only"):
        await rpc.add(HELLO, cid_version=0, hash="blake2b-256")


async def test_metadata_brings_wrapped_leaves(rpc: Rpc) -> None:
    address = await rpc.add(HELLO, mode="0640", mtime="5", mtime_nsecs="7")
    assert address.startswith("bafybei")
    found = await rpc.call("files/stat", f"/ipfs/{address}")
    assert (found["Mode"], found["Mtime"], found["MtimeNsecs"]) == ("0640", 5, 7)
    with pytest.raises(CommandError, match="--raw-leaves cannot be used"):
        await rpc.add(HELLO, mode="0640", raw_leaves=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nocopy": True}, "--nocopy is not offered"),
        ({"max_directory_links": 10}, "--max-directory-links is not offered"),
        ({"only_hash": True, "to_files": "/x"}, "nothing for --to-files"),
        ({"pin": False, "pin_name": "x"}, "--pin-name needs --pin"),
        ({"pin_name": "x" * 256}, "pin name of 256 bytes"),
        ({"mtime_nsecs": 5}, "--mtime-nsecs needs --mtime"),
        ({"mtime": 5, "mtime_nsecs": 10**9}, "expected 0 to 999999999"),
        ({"chunker": "size-0"}, "size-0"),
        ({"hash": "md5"}, "hash function 'md5' is not known"),
        ({"cid_version": 2}, "CID version 2"),
        ({"profile": "best"}, "no import profile is named 'best'"),
        ({"inline": True, "inline_limit": 129}, "inline limit 129"),
    ],
)
async def test_what_cannot_be_is_said_and_nothing_is_kept(rpc: Rpc, options: dict[str, Any], message: str) -> None:
    before = (await rpc.call("repo/stat"))["NumObjects"]
    with pytest.raises(Exception, match=message):
        await rpc.add(HELLO, **options)
    assert (await rpc.call("repo/stat"))["NumObjects"] == before


async def test_what_is_added_is_pinned_unless_that_is_not_wanted(rpc: Rpc) -> None:
    kept = await rpc.add(b"kept", pin_name="mine")
    loose = await rpc.add(b"loose", pin=False)
    pins = await rpc.last("pin/ls", names=True, type="recursive")
    assert pins["Keys"] == {kept: {"Type": "recursive", "Name": "mine"}}
    await rpc.items("repo/gc")
    assert await rpc.data("cat", kept) == b"kept"
    with pytest.raises(Exception, match="is not here"):
        await rpc.data("cat", loose)


async def test_only_hash_keeps_nothing(rpc: Rpc) -> None:
    address = await rpc.add(HELLO, only_hash=True)
    assert address == HELLO_V1
    with pytest.raises(Exception, match="is not here"):
        await rpc.data("cat", address)


async def test_to_files_makes_one_version_of_everything(rpc: Rpc) -> None:
    await rpc.items("add", body=named(a=b"1", b=b"2"), to_files="/in/", message="two")
    (version,) = await rpc.items("history", "/")
    assert version["Message"] == "two"
    assert await rpc.data("files/read", "/in/a") == b"1"
    await rpc.add(b"3", to_files="/in/a")
    assert await rpc.data("cat", "/in/a") == b"3"
    assert await rpc.data("cat", "/in/a@~1") == b"1"


async def test_to_files_needs_names_and_one_place_for_one_thing(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="one place for 2 things"):
        await rpc.items("add", body=named(a=b"1", b=b"2"), to_files="/x")
    address = await rpc.add(b"1", to_files="/dir/")
    assert (await rpc.call("files/ls", "/dir"))["Entries"][0]["Name"] == address


async def test_an_upload_without_files_is_refused(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="expected a file argument"):
        await rpc.items("add", body=upload())


async def test_quieter_tells_only_the_roots_and_silent_nothing(rpc: Rpc) -> None:
    tree = Upload([("d/", b""), ("d/a", b"1"), ("d/b", b"2")])
    assert [item["Name"] for item in await rpc.items("add", body=tree, quieter=True)] == ["d"]
    assert await rpc.items("add", body=tree, silent=True) == []
    wrapped = await rpc.items("add", body=tree, quieter=True, wrap_with_directory=True)
    assert [item["Name"] for item in wrapped] == [""]
