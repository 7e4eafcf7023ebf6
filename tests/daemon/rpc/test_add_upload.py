"""Adding uploads: names become folders, whatever their order, and no name leads out."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, named, upload
from zwerm.daemon.rpc.errors import CommandError

TREE = [("d/", b""), ("d/a", b"1"), ("d/s/", b""), ("d/s/b", b"2"), ("d/l", b"-> a"), ("d/e/", b"")]


async def names(rpc: Rpc, body: Upload, **options: object) -> dict[str, str]:
    return {item["Name"]: item["Hash"] for item in await rpc.items("add", body=body, **options)}


async def test_a_tree_is_told_from_the_leaves_to_the_root(rpc: Rpc) -> None:
    items = await rpc.items("add", body=Upload(TREE))
    assert [item["Name"] for item in items] == ["d/a", "d/s/b", "d/l", "d/s", "d/e", "d"]
    root = items[-1]["Hash"]
    (listing,) = await rpc.items("ls", root)
    assert [(link["Name"], link["Type"]) for link in listing["Objects"][0]["Links"]] == [
        ("a", 2),
        ("e", 1),
        ("l", 4),
        ("s", 1),
    ]
    assert listing["Objects"][0]["Links"][2]["Target"] == "a"


async def test_folders_need_not_be_announced_nor_come_in_order(rpc: Rpc) -> None:
    ordered = await names(rpc, Upload([("d/a", b"1"), ("d/s/b", b"2"), ("d/s/c", b"3"), ("e/x", b"4")]))
    mixed = await names(rpc, Upload([("d/s/b", b"2"), ("e/x", b"4"), ("d/a", b"1"), ("d/s/c", b"3")]))
    assert ordered["d"] == mixed["d"]
    assert ordered["e"] == mixed["e"]
    pins = await rpc.last("pin/ls", type="recursive")
    assert set(pins["Keys"]) == {ordered["d"], ordered["e"]}


async def test_sizes_are_of_all_blocks_as_text(rpc: Rpc) -> None:
    (item,) = await rpc.items("add", body=upload(b"x" * 300_000))
    found = await rpc.call("files/stat", f"/ipfs/{item['Hash']}")
    assert item["Size"] == str(found["CumulativeSize"])
    assert found["CumulativeSize"] > 300_000


async def test_nameless_files_are_called_by_their_address(rpc: Rpc) -> None:
    first, second = await rpc.items("add", body=upload(b"1", b"2"))
    assert first["Name"] == first["Hash"]
    assert second["Name"] == second["Hash"]


async def test_a_wrapper_holds_every_root(rpc: Rpc) -> None:
    items = await rpc.items("add", body=named(a=b"1", b=b"2"), wrap_with_directory=True)
    assert [item["Name"] for item in items] == ["a", "b", ""]
    wrapper = items[-1]["Hash"]
    assert await rpc.data("cat", f"{wrapper}/b") == b"2"
    assert set((await rpc.last("pin/ls", type="recursive"))["Keys"]) == {wrapper}


async def test_names_at_the_root_of_a_file_system_mean_the_root_of_the_upload(rpc: Rpc) -> None:
    assert list(await names(rpc, Upload([("/tmp/./x", b"1")]))) == ["tmp/x", "tmp"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("../x", b"")], "leads out of what is uploaded"),
        ([("a/../../x", b"")], "leads out of what is uploaded"),
        ([("a\0b", b"")], "has a NUL in it"),
        ([("a/" * 300 + "x", b"")], "more than 256 folders"),
        ([("d/a", b"1"), ("d/a", b"2")], "'a' comes twice"),
        ([("d/a", b"1"), ("d/a/b", b"2")], "is a file and a folder"),
        ([("d/", b""), ("d/a/b", b"1"), ("d/a", b"2")], "'a' comes twice"),
        ([("l", b"-> " + b"x" * 5000)], "more than 4096 bytes"),
    ],
)
async def test_names_that_cannot_be_are_refused_and_nothing_is_kept(
    rpc: Rpc, files: list[tuple[str, bytes]], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        await rpc.items("add", body=Upload(files))
    assert (await rpc.last("pin/ls"))["Keys"] == {}


async def test_names_that_are_no_unicode_survive(rpc: Rpc) -> None:
    root = (await rpc.items("add", body=Upload([("d/\udcff", b"1")])))[-1]["Hash"]
    (listing,) = await rpc.items("ls", root)
    assert listing["Objects"][0]["Links"][0]["Name"] == "\udcff"


async def test_empty_folders_are_left_out_when_asked(rpc: Rpc) -> None:
    found = await names(rpc, Upload(TREE), empty_dirs=False)
    assert "d/e" not in found


async def test_parts_carry_their_own_metadata(rpc: Rpc) -> None:
    body = Upload([("a", b"1")], mode=0o600, mtime=(7, 8))
    (item,) = await rpc.items("add", body=body)
    assert (item["Mode"], item["Mtime"], item["MtimeNsecs"]) == ("0600", 7, 8)


async def test_progress_counts_the_bytes_of_each_file(rpc: Rpc) -> None:
    items = await rpc.items("add", body=named(a=b"x" * 500_000, b=b"y"), progress=True)
    counts = [(item["Name"], item["Bytes"]) for item in items if "Bytes" in item]
    assert counts[-1] == ("b", 1)
    assert ("a", 500_000) in counts
    assert [item["Name"] for item in items if "Hash" in item] == ["a", "b"]


async def test_a_large_directory_is_sharded_and_reopened(rpc: Rpc) -> None:
    files = [(f"d/{index:05}-{'x' * 60}", b"same") for index in range(3_000)]
    straight = await names(rpc, Upload(files), quieter=True)
    broken = await names(rpc, Upload([*files[:1_500], ("e", b""), *files[1_500:]]), quieter=True)
    assert straight["d"] == broken["d"]


async def test_only_hash_cannot_open_a_folder_again(rpc: Rpc) -> None:
    body = Upload([("d/a", b"1"), ("e/b", b"2"), ("d/c", b"3")])
    with pytest.raises(CommandError, match="have to come together"):
        await rpc.items("add", body=body, only_hash=True)


async def test_breaking_off_leaves_no_pin(rpc: Rpc) -> None:
    async def broken():  # type: ignore[no-untyped-def]
        yield b"x" * 1_000
        raise ConnectionResetError

    class Broken(Upload):
        async def parts(self):  # type: ignore[no-untyped-def,override]
            async for part in super().parts():
                part.chunks = broken()
                yield part

    with pytest.raises(ConnectionResetError):
        await rpc.items("add", body=Broken([("a", b"")]))
    assert (await rpc.last("pin/ls"))["Keys"] == {}
