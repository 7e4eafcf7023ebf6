"""`cat`, `get`, `ls`."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from tests.daemon.rpc.caller import Rpc, Upload
from zwerm.core.errors import NotFoundError
from zwerm.daemon.rpc.content import entry_name
from zwerm.daemon.rpc.errors import CommandError, UsageError

DATA = bytes(range(256)) * 3_000
TREE = Upload([("d/a", b"1"), ("d/s/b", DATA), ("d/l", b"-> a")])


@pytest.fixture
async def tree(rpc: Rpc) -> str:
    return str((await rpc.last("add", body=TREE))["Hash"])


async def test_cat_joins_files_and_counts_in_the_whole(rpc: Rpc, tree: str) -> None:
    paths = [f"{tree}/a", f"/ipfs/{tree}/s/b", f"{tree}/a"]
    whole = b"1" + DATA + b"1"
    assert await rpc.data("cat", *paths) == whole
    assert await rpc.data("cat", *paths, offset=1, length=10) == whole[1:11]
    assert await rpc.data("cat", *paths, offset=500_000) == whole[500_000:]
    assert await rpc.data("cat", *paths, offset=len(whole) - 1) == b"1"
    assert await rpc.data("cat", *paths, length=0) == b""
    assert await rpc.data("cat", *paths, offset=10**9) == b""


async def test_cat_refuses_what_is_no_file_or_no_number(rpc: Rpc, tree: str) -> None:
    with pytest.raises(Exception, match="is a directory, not a file"):
        await rpc.data("cat", tree)
    with pytest.raises(CommandError, match="offset is negative"):
        await rpc.data("cat", f"{tree}/a", offset=-1)
    with pytest.raises(NotFoundError, match="no link named 'x'"):
        await rpc.data("cat", f"{tree}/x")
    with pytest.raises(CommandError, match="invalid path 'bafybogus'"):
        await rpc.data("cat", "bafybogus")


async def test_get_gives_a_tar_with_one_root(rpc: Rpc, tree: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(await archive(rpc, tree))) as found:
        assert found.getnames() == [tree, f"{tree}/a", f"{tree}/l", f"{tree}/s", f"{tree}/s/b"]
        assert found.getmember(f"{tree}/l").linkname == "a"
        assert found.extractfile(f"{tree}/s/b").read() == DATA  # type: ignore[union-attr]


async def archive(rpc: Rpc, *arguments: str, **options: object) -> bytes:
    result = await rpc.call("get", *arguments, **options)
    return b"".join([chunk async for chunk in result.chunks])


async def test_get_compresses_a_file_as_it_is_and_a_folder_as_a_tar(rpc: Rpc, tree: str) -> None:
    assert gzip.decompress(await archive(rpc, f"{tree}/s/b", compress=True)) == DATA
    with tarfile.open(fileobj=io.BytesIO(await archive(rpc, tree, compress=True, archive=True)), mode="r:gz") as found:
        assert f"{tree}/a" in found.getnames()
    with pytest.raises(Exception, match="is a directory, not a file"):
        await archive(rpc, tree, compress=True)
    with pytest.raises(UsageError, match="expected 1 to 9"):
        await archive(rpc, tree, compress=True, compression_level=10)


async def test_ls_says_what_entries_are_when_it_looks(rpc: Rpc, tree: str) -> None:
    (document,) = await rpc.items("ls", tree, f"{tree}/s")
    assert [listed["Hash"] for listed in document["Objects"]] == [tree, f"{tree}/s"]
    links = document["Objects"][0]["Links"]
    assert [(link["Name"], link["Type"], link["Size"], link["Target"]) for link in links] == [
        ("a", 2, 1, ""),
        ("l", 4, 0, "a"),
        ("s", 1, 0, ""),
    ]
    (document,) = await rpc.items("ls", tree, size=False, resolve_type=False)
    assert {link["Type"] for link in document["Objects"][0]["Links"]} == {0}


async def test_ls_streams_one_document_an_entry(rpc: Rpc, tree: str) -> None:
    items = await rpc.items("ls", tree, stream=True)
    assert [item["Objects"][0]["Links"][0]["Name"] for item in items] == ["a", "l", "s"]


async def test_ls_of_a_file_lists_its_blocks(rpc: Rpc, tree: str) -> None:
    (document,) = await rpc.items("ls", f"{tree}/s/b")
    assert [link["Size"] for link in document["Objects"][0]["Links"]] == [262_144, 262_144, len(DATA) - 524_288]
    (document,) = await rpc.items("ls", f"{tree}/a")
    assert document["Objects"][0]["Links"] == []


async def test_an_entry_that_is_not_here_is_listed_without_a_type(rpc: Rpc, tree: str) -> None:
    await rpc.call("pin/rm", tree)
    (document,) = await rpc.items("ls", tree)
    address = document["Objects"][0]["Links"][0]["Hash"]
    await rpc.items("block/rm", address)
    (document,) = await rpc.items("ls", tree)
    assert document["Objects"][0]["Links"][0]["Type"] == 0


def test_the_last_part_of_a_path_is_its_name() -> None:
    assert entry_name("/ipfs/CID/a/b/") == "b"
    assert entry_name("CID") == "CID"
    assert entry_name("/notes/a.txt@~1") == "a.txt"
    assert entry_name("/") == "root"
