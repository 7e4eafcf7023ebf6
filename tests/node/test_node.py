"""`zwerm.Node`, as a program uses it."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

import zwerm
from zwerm.core.errors import LocalProtocolError, NotFoundError, ResourceLimitError, StorageError, WireError
from zwerm.ipfs.car.reader import BrokenCar
from zwerm.ipfs.mfs.errors import BadPath, FileMissing
from zwerm.ipfs.pins.pin import NotPinned, PinKind
from zwerm.ipfs.unixfs.errors import ExportFailed, NotADirectory, NotAFile
from zwerm.ipfs.versions.address import BadVersion
from zwerm.node.lock import RepositoryLocked

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"  # b"hello"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


async def read(node: zwerm.Node, path, **options) -> bytes:
    return b"".join([chunk async for chunk in node.cat(path, **options)])


async def collected(stream) -> list:
    return [item async for item in stream]


async def pinned(node: zwerm.Node) -> list:
    return [pin.cid for pin in await collected(node.pins.list(PinKind.RECURSIVE))]


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "holiday"
    (path / "beach").mkdir(parents=True)
    (path / "beach" / "sand.jpg").write_bytes(b"grains")
    (path / "diary.txt").write_bytes(b"dear diary")
    (path / ".hidden").write_bytes(b"secret")
    return path


async def test_bytes_paths_files_and_streams_become_the_same_content(node, tmp_path: Path) -> None:
    (tmp_path / "hello").write_bytes(b"hello")
    given = [b"hello", io.BytesIO(b"hello"), str(tmp_path / "hello"), tmp_path / "hello", in_pieces(b"hello", 2)]
    for what in given:
        assert str(await node.add(what)) == HELLO
    assert await read(node, HELLO) == b"hello"
    assert [str(cid) for cid in await pinned(node)] == [HELLO]


async def test_a_large_stream_is_the_file_it_would_have_been(node, tmp_path: Path) -> None:
    data = os.urandom(5_000_000)
    (tmp_path / "large").write_bytes(data)
    told: list[int] = []
    streamed = await node.add(in_pieces(data, 70_001), progress=told.append)
    assert streamed == await node.add(tmp_path / "large") == await node.add(data)
    assert sum(told) == len(data)
    assert await read(node, streamed, offset=262_140, length=10) == data[262_140:262_150]


async def test_a_folder_goes_in_and_comes_out(node, folder: Path, tmp_path: Path) -> None:
    cid = await node.add(folder)
    assert [entry.name for entry in await collected(node.ls(cid))] == ["beach", "diary.txt"]
    assert await read(node, f"/ipfs/{cid}/beach/sand.jpg") == b"grains"
    await node.get(cid, tmp_path / "copy")
    assert (tmp_path / "copy" / "beach" / "sand.jpg").read_bytes() == b"grains"
    with pytest.raises(ExportFailed):
        await node.get(cid, tmp_path / "copy")
    await node.get(cid, tmp_path / "copy", overwrite=True)
    with_hidden = await node.add(folder, hidden=True)
    assert [entry.name for entry in await collected(node.ls(with_hidden))] == [".hidden", "beach", "diary.txt"]
    assert (await node.stat(cid)).kind.value == "directory"


async def test_only_the_hash_keeps_nothing(node) -> None:
    assert str(await node.add(b"hello", only_hash=True)) == HELLO
    with pytest.raises(NotFoundError):
        await read(node, HELLO)
    assert await pinned(node) == []


async def test_wrapping_keeps_the_name(node, folder: Path) -> None:
    cid = await node.add(folder / "diary.txt", wrap=True)
    assert [entry.name for entry in await collected(node.ls(cid))] == ["diary.txt"]
    named = await node.add(b"x", wrap=True, name="given")
    assert [entry.name for entry in await collected(node.ls(named))] == ["given"]


async def test_profiles_decide_the_address(node) -> None:
    assert str(await node.add(b"hello", profile="unixfs-v0-2015")).startswith("Qm")
    node.config.set("import.hash", "blake3")
    assert str(await node.add(b"hello")).startswith("bafkr4i")
    node.config.update({"import.hash": "nonsense"})
    with pytest.raises(LocalProtocolError, match="no hash function"):
        await node.add(b"hello")
    with pytest.raises(LocalProtocolError, match="no import profile"):
        await node.add(b"hello", profile="nonsense")


async def test_files_have_paths_and_old_versions(node) -> None:
    first = await node.add(b"one", to="/notes/today.txt", message="begin")
    await node.add(b"two", to="/notes/today.txt")
    assert await read(node, "/notes/today.txt") == b"two"
    assert await read(node, "/notes/today.txt@~1") == b"one"
    assert await node.resolve("/notes/today.txt@~1") == first
    log = await collected(await node.history.log("/notes/today.txt"))
    assert [version.commit.message for version in log] == ["", "begin"]
    await node.add(b"three", to="/notes/", name="other.txt")
    assert await read(node, "/notes/other.txt") == b"three"
    with pytest.raises(BadPath, match="has no name"):
        await node.add(b"nameless", to="/notes/")
    with pytest.raises(FileMissing):
        await read(node, "/notes/none")


async def test_a_name_with_an_at_sign_is_a_name_first(node) -> None:
    await node.add(b"odd", to="/me@~1")
    assert await read(node, "/me@~1") == b"odd"


async def test_pins_keep_content_through_a_collection(node) -> None:
    kept, lost = await node.add(b"kept"), await node.add(b"lost", pin=False)
    in_a_file = await node.add(b"in a file", pin=False, to="/file")
    removed = await node.collect()
    assert removed.blocks >= 1
    assert await read(node, kept) == b"kept"
    assert await read(node, in_a_file) == b"in a file"
    with pytest.raises(NotFoundError):
        await read(node, lost)
    await node.unpin(kept)
    with pytest.raises(NotPinned):
        await node.unpin(kept)
    await node.collect()
    with pytest.raises(NotFoundError):
        await node.pin(kept)


async def test_old_versions_survive_a_collection_until_the_policy_drops_them(node) -> None:
    for number in range(4):
        await node.add(str(number).encode() * 1000, to="/f", pin=False)
    await node.collect()
    assert await read(node, "/f@~3") == b"0" * 1000
    node.config.set("history.policy", "last 2")
    await node.collect()
    assert await read(node, "/f@~1") == b"2" * 1000
    with pytest.raises(BadVersion):
        await read(node, "/f@~3")
    again = await node.collect()
    assert again.blocks == 0


async def test_archives_travel_between_nodes(node, tmp_path: Path) -> None:
    cid = await node.add(os.urandom(900_000))
    archive = b"".join(await collected(node.export_car(cid)))
    async with zwerm.Node(tmp_path / "other", profile="test") as other:
        imported = await other.import_car(in_pieces(archive, 100_000))
        assert imported.roots == (cid,)
        assert await read(other, cid) == await read(node, cid)
        assert await pinned(other) == [cid]
        with pytest.raises(BrokenCar):
            await other.import_car(in_pieces(archive[:-5], 100_000))


async def test_verification_finds_a_flipped_bit_and_repair_drops_the_block(node) -> None:
    good, bad = await node.add(b"good" * 1000), await node.add(b"bad!" * 1000)
    told: list[tuple[int, int]] = []
    assert (await node.verify(lambda done, total: told.append((done, total)))).ok
    assert told[-1] == (3, 3)  # the empty folder of all files is one of them
    location = node.store.locate(bad)
    pack = next(node.repository.blocks_path.glob("*.pack"))
    data = bytearray(pack.read_bytes())
    data[location.offset + 7] ^= 1
    pack.write_bytes(data)
    found = await node.verify()
    assert not found.ok
    assert found.corrupt == [bad.multihash]
    with pytest.raises(StorageError, match="damaged"):
        await read(node, bad)
    repaired = await node.repair()
    assert repaired.dropped == [bad.multihash]
    assert (await node.verify()).ok
    assert await read(node, good) == b"good" * 1000


async def test_a_changed_quota_counts_at_once(tmp_path: Path) -> None:
    async with zwerm.Node(tmp_path / "small", profile="test") as node:
        data = os.urandom(3_000_000)
        kept = await node.add(data)
        node.config.set("storage.max", "4MiB")
        assert (await node.repo_stat()).limit == 4 << 20
        with pytest.raises(ResourceLimitError, match=r"the limit storage\.max is 4194304"):
            await node.add(os.urandom(3_000_000))
        node.config.set("storage.max", "1MB")  # less than there is: nothing is lost, nothing is taken
        with pytest.raises(ResourceLimitError):
            await node.add(os.urandom(100_000))
        assert b"".join([part async for part in node.cat(kept)]) == data
        node.config.unset("storage.max")
        await node.add(os.urandom(3_000_000))
        assert (await node.repo_stat()).limit is None


async def test_the_quota_is_kept_and_said(tmp_path: Path) -> None:
    async with zwerm.Node(tmp_path / "small", profile="test", overrides={"storage.max": "4MiB"}) as node:
        kept = await node.add(os.urandom(500_000))
        with pytest.raises(ResourceLimitError, match="storage limit"):
            await node.add(os.urandom(8_000_000))
        assert len(await read(node, kept)) == 500_000
        assert await pinned(node) == [kept]
        await node.collect()
        await node.add(os.urandom(500_000))


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("does-not-exist", StorageError),
        (5, LocalProtocolError),
        (None, LocalProtocolError),
    ],
)
async def test_what_cannot_be_added_is_said_and_leaves_nothing(node, tmp_path: Path, what, error) -> None:
    with pytest.raises(error):
        await node.add(tmp_path / what if isinstance(what, str) else what)
    assert await pinned(node) == []


async def test_wrong_paths_are_told_apart(node) -> None:
    file, folder = await node.add(b"x"), await node.add(b"x", wrap=True, name="n")
    with pytest.raises(NotAFile):
        await read(node, folder)
    with pytest.raises(NotADirectory):
        await collected(node.ls(file))
    with pytest.raises(NotFoundError):
        await node.resolve(f"/ipfs/{folder}/other")
    with pytest.raises(WireError):
        await node.resolve("not-a-cid")
    with pytest.raises(NotFoundError):
        await node.resolve("/ipns/example.org")


async def test_a_cancelled_add_ends_soon_and_leaves_no_name_and_no_pin(node, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(30_000_000))
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(
        node.add(tmp_path / "large", to="/large", progress=lambda _: loop.call_soon_threadsafe(begun.set))
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pinned(node) == []
    assert not await node.files.exists("/large")
    assert (await node.verify()).ok


async def test_a_cancelled_stream_leaves_nothing(node) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield os.urandom(300_000)
            begun.set()
            await asyncio.sleep(0)

    task = asyncio.create_task(node.add(endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pinned(node) == []
    assert str(await node.add(b"hello")) == HELLO


async def test_a_stream_that_fails_fails_the_add(node) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(3_000_000)
        raise OSError("the cable was cut")

    with pytest.raises(OSError, match="cable"):
        await node.add(failing())
    assert await pinned(node) == []


async def test_everything_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    async with zwerm.Node(tmp_path / "r", profile="test") as node:
        identity = node.identity
        await node.add(b"hello", to="/greeting")
    async with zwerm.Node(tmp_path / "r") as node:
        assert node.identity == identity
        assert node.config.profile == "test"
        assert await read(node, "/greeting") == b"hello"
        assert [version.number for version in await collected(await node.history.log("/greeting"))] == [0]


async def test_one_node_a_repository_and_one_opening_a_node(node) -> None:
    with pytest.raises(LocalProtocolError, match="open already"):
        await node.open()
    with pytest.raises(RepositoryLocked):
        await zwerm.Node(node.repository.path).open()


async def test_closing_twice_is_fine_and_a_closed_node_is_not_healthy(tmp_path: Path) -> None:
    node = await zwerm.Node(tmp_path / "r", profile="test").open()
    assert node.health() is None
    await node.close()
    await node.close()
    assert node.health() == "closed"


async def test_a_node_that_fails_to_open_lets_go_of_the_repository(tmp_path: Path) -> None:
    async with zwerm.Node(tmp_path / "r", profile="test"):
        pass
    (tmp_path / "r" / "index.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError):
        await zwerm.Node(tmp_path / "r").open()
    assert (tmp_path / "r" / "repo.lock").read_bytes() == b""


async def test_numbers_for_monitoring(node) -> None:
    await node.add(b"counted")
    numbers = await node.numbers()
    assert (numbers["blocks"], numbers["pins"]) == (2, 1)
    assert numbers["storage_bytes"] > 0


async def test_history_can_be_left_off(tmp_path: Path) -> None:
    async with zwerm.Node(tmp_path / "r", profile="test", overrides={"history.record": False}) as node:
        await node.add(b"x", to="/x")
        assert node.history.head is None


async def test_the_loop_is_never_kept_waiting_for_the_disk(node, folder: Path) -> None:
    from zwerm.node import importing, maintenance, merge, upload  # noqa: F401 -- importing reads files too

    with blockbuster_ctx():
        cid = await node.add(folder, to="/holiday")
        await node.add(in_pieces(os.urandom(3_000_000), 100_000))
        assert await read(node, "/holiday/diary.txt") == b"dear diary"
        assert [entry.name for entry in await collected(node.ls(cid))] == ["beach", "diary.txt"]
        assert (await node.verify()).ok
        await node.repo_stat()
        await node.numbers()
        await collected(node.export_car(cid))
