"""Adding from the disk gives the addresses that the same files get as an upload."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.body import DiskBody


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a").write_bytes(b"1")
    (root / "sub" / "b").write_bytes(b"2" * 600_000)
    (root / ".hidden").write_bytes(b"3")
    (root / "link").symlink_to("a")
    return root


async def add(rpc: Rpc, body: DiskBody, *, in_process: bool = True, **options: object) -> dict[str, str]:
    rpc.in_process = in_process
    return {item["Name"]: item["Hash"] for item in await rpc.items("add", body=body, **options) if "Hash" in item}


@pytest.mark.parametrize("options", [{}, {"profile": "unixfs-v0-2015"}, {"trickle": True, "chunker": "size-1000"}])
async def test_disk_and_upload_agree(rpc: Rpc, tree: Path, options: dict[str, object]) -> None:
    body = DiskBody([tree], recursive=True)
    assert await add(rpc, body, **options) == await add(rpc, body, in_process=False, **options)


async def test_metadata_agrees_too(rpc: Rpc, tree: Path) -> None:
    body = DiskBody([tree], recursive=True, keep_mode=True, keep_mtime=True)
    options = {"preserve-mode": True, "preserve-mtime": True}
    assert await add(rpc, body, **options) == await add(rpc, body, in_process=False, **options)


async def test_the_root_is_told_last_and_pinned(rpc: Rpc, tree: Path) -> None:
    found = await add(rpc, DiskBody([tree], recursive=True))
    assert list(found)[-1] == "tree"
    assert set(found) == {"tree/a", "tree/link", "tree/sub/b", "tree/sub", "tree"}
    assert set((await rpc.last("pin/ls", type="recursive"))["Keys"]) == {found["tree"]}


async def test_several_paths_are_several_roots_or_one_wrapper(rpc: Rpc, tree: Path) -> None:
    paths = [tree / "a", tree / "sub" / "b"]
    assert list(await add(rpc, DiskBody(paths))) == ["a", "b"]
    wrapped = await add(rpc, DiskBody(paths), wrap_with_directory=True)
    assert list(wrapped) == ["a", "b", ""]
    assert await rpc.data("cat", f"{wrapped['']}/a") == b"1"


async def test_hidden_names_and_rules(rpc: Rpc, tree: Path) -> None:
    hidden = await add(rpc, DiskBody([tree], recursive=True, hidden=True, ignore=["sub/", "link"]))
    assert set(hidden) == {"tree/.hidden", "tree/a", "tree"}


async def test_links_can_be_followed(rpc: Rpc, tree: Path) -> None:
    followed = await add(rpc, DiskBody([tree], recursive=True, dereference_symlinks=True))
    assert followed["tree/link"] == followed["tree/a"]
    assert (await add(rpc, DiskBody([tree / "link"], dereference_arguments=True)))["link"] == followed["tree/a"]


async def test_a_pipe_is_read_to_its_end(rpc: Rpc, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"through a pipe",))
    writer.start()
    found = await add(rpc, DiskBody([pipe]))
    writer.join()
    assert await rpc.data("cat", found["pipe"]) == b"through a pipe"


async def test_a_folder_needs_recursive(rpc: Rpc, tree: Path) -> None:
    with pytest.raises(Exception, match="is a folder"):
        await add(rpc, DiskBody([tree]))


async def test_progress_ends_at_the_whole_size(rpc: Rpc, tree: Path) -> None:
    rpc.in_process = True
    items = await rpc.items("add", body=DiskBody([tree], recursive=True), progress=True)
    assert [item["Bytes"] for item in items if "Bytes" in item][-1] == 600_001


async def test_quieter_and_silent(rpc: Rpc, tree: Path) -> None:
    body = DiskBody([tree], recursive=True)
    assert list(await add(rpc, body, quieter=True)) == ["tree"]
    assert await add(rpc, body, silent=True) == {}


async def test_many_files_are_told_once_each(rpc: Rpc, tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for index in range(1_500):
        (root / f"{index}").write_bytes(b"%d" % index)
    rpc.in_process = True
    items = await rpc.items("add", body=DiskBody([root], recursive=True))
    assert len(items) == len({item["Name"] for item in items}) == 1_501


async def test_to_files_and_names(rpc: Rpc, tree: Path) -> None:
    await add(rpc, DiskBody([tree], ["site"], recursive=True), to_files="/", message="first")
    assert await rpc.data("cat", "/site/a") == b"1"
