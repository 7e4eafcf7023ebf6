"""`files write`: where the bytes go, what is refused before any is read, and what a slow or broken sender can do."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator

import pytest

from tests.ipfs.mfs.room import Room, stream
from zwerm.core.errors import LocalProtocolError, ResourceLimitError, ZwermError
from zwerm.ipfs.mfs.errors import BadPath, FileMissing, NotADirectory, NotAFile
from zwerm.ipfs.mfs.journal import ChangeKind, Touch
from zwerm.ipfs.mfs.writer import BATCH, MAX_FILE


def says(sentence: str) -> str:
    return "^" + re.escape(sentence) + "$"


async def test_a_file_is_made_when_asked_for_and_changed_when_it_is_there(room: Room) -> None:
    change = await room.files.write("/a", b"ipfs rocks\n", create=True)
    assert change.touches == (Touch(ChangeKind.ADDED, "/a"),)
    change = await room.files.write("/a", b"is super cool\n", offset=5)
    assert change.touches == (Touch(ChangeKind.CHANGED, "/a"),)
    assert await room.read("/a") == b"ipfs is super cool\n"
    await room.files.write("/a", b"fish", truncate=True)
    assert await room.read("/a") == b"fish"
    await room.files.write("/a", stream([b"s", b"", b"ea"]), offset=4)
    assert await room.read("/a") == b"fishsea"
    assert (await room.files.write("/a", b"fish")).version is None


async def test_a_gap_before_the_offset_is_zeros(room: Room) -> None:
    await room.files.write("/a", b"foobar", create=True)
    await room.files.write("/a", b"blah", offset=50)
    assert await room.read("/a") == b"foobar" + bytes(44) + b"blah"
    await room.files.write("/new", b"x", create=True, offset=3)
    assert await room.read("/new") == b"\0\0\0x"
    await room.files.write("/a", b"y", truncate=True, offset=2)
    assert await room.read("/a") == b"\0\0y"


async def test_count_takes_no_more_than_so_many_bytes(room: Room) -> None:
    await room.files.write("/a", b"abcdef", create=True, count=3)
    await room.files.write("/b", stream([b"ab", b"cd", b"ef"]), create=True, count=3)
    await room.files.write("/c", b"abc", create=True, count=0)
    assert [await room.read(path) for path in ("/a", "/b", "/c")] == [b"abc", b"abc", b""]


async def test_directories_on_the_way_are_made_when_asked_for(room: Room) -> None:
    with pytest.raises(FileMissing, match=says("file does not exist")):
        await room.files.write("/a/b/c", b"x", create=True)
    await room.files.write("/a/b/c", b"x", create=True, parents=True)
    assert await room.snapshot() == {"/a": None, "/a/b": None, "/a/b/c": b"x"}


async def test_a_new_file_is_named_as_asked_or_as_its_directory(room: Room) -> None:
    await room.files.mkdir("/old", cid_version=0)
    await room.files.write("/old/a", b"x", create=True)
    await room.files.write("/old/b", b"x", create=True, cid_version=1)
    await room.files.write("/old/c", b"x", create=True, raw_leaves=True)
    await room.files.write("/d", b"x", create=True, raw_leaves=False)
    cids = [str(await room.cid(path)) for path in ("/old/a", "/old/b", "/old/c", "/d")]
    assert [cid[:6] for cid in cids] == [cids[0][:6], "bafkre", "bafkre", "bafybe"]
    assert cids[0].startswith("Qm")


@pytest.mark.parametrize(
    ("path", "options", "kind", "sentence"),
    [
        ("/", {"create": True}, NotAFile, "/ was not a file"),
        ("/d", {"create": True}, NotAFile, "/d was not a file"),
        ("/none", {}, FileMissing, "file does not exist"),
        ("/none/", {"create": True}, FileMissing, "file does not exist"),
        ("/none/a", {"create": True}, FileMissing, "file does not exist"),
        ("/f/a", {"create": True, "parents": True}, NotADirectory, "cannot access f/a: Not a directory"),
        ("/f", {"offset": -1}, LocalProtocolError, "cannot have negative write offset"),
        ("/f", {"count": -1}, LocalProtocolError, "cannot have negative byte count"),
        ("/f", {"offset": MAX_FILE + 1}, LocalProtocolError, None),
        ("/x\0y", {"create": True}, BadPath, None),
        ("/\ud800", {"create": True}, BadPath, None),
    ],
)
async def test_what_cannot_be_is_refused_before_any_data_is_read(
    room: Room, path: str, options: dict[str, int], kind: type[ZwermError], sentence: str | None
) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    await room.files.mkdir("/d")
    await room.files.write("/f", b"abc", create=True)
    before = await room.files.root()
    with pytest.raises(kind, match=says(sentence) if sentence else None):
        await room.files.write(path, untouched(), **options)
    assert await room.files.root() == before


@pytest.mark.parametrize("options", [{"create": True}, {"truncate": True}, {"offset": 1}], ids=str)
async def test_a_sender_who_breaks_off_has_changed_nothing(room: Room, options: dict[str, bool]) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"xyz"
        raise ConnectionError

    path = "/new" if "create" in options else "/a"
    await room.files.write("/a", b"abc", create=True)
    with pytest.raises(ConnectionError):
        await room.files.write(path, broken(), **options)
    assert await room.snapshot() == {"/a": b"abc"}


@pytest.mark.parametrize("options", [{"create": True, "truncate": True}, {"offset": 1}], ids=str)
async def test_a_slow_sender_holds_up_nobody(room: Room, options: dict[str, bool]) -> None:
    await room.files.write("/a", b"abc", create=True)
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        waiting.set()
        await go_on.wait()
        yield b"y"

    async with asyncio.TaskGroup() as group:
        group.create_task(room.files.write("/a", slow(), **options))
        await waiting.wait()
        await room.files.write("/b", b"b", create=True)
        await room.files.write("/a", b"A")
        go_on.set()
    assert await room.read("/a") == (b"xy" if "truncate" in options else b"Axy")


async def test_what_happens_to_the_path_while_the_data_comes_counts(room: Room) -> None:
    await room.files.write("/a", b"abc", create=True)
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        waiting.set()
        await go_on.wait()
        yield b"x"

    async def write() -> None:
        with pytest.raises(NotAFile):
            await room.files.write("/a", slow(), truncate=True)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        await waiting.wait()
        await room.files.rm("/a")
        await room.files.mkdir("/a")
        go_on.set()


async def test_a_long_stream_into_an_existing_file_waits_in_the_store(room: Room) -> None:
    data = random.Random(1).randbytes(BATCH + 1_000_000)
    await room.files.write("/a", bytes(2_000_000), create=True)
    pieces = [data[start : start + 300_000] for start in range(0, len(data), 300_000)]
    await room.files.write("/a", stream(pieces), offset=1_000_000)
    assert await room.read("/a") == bytes(1_000_000) + data


async def test_a_file_is_cut_off_or_filled_up(room: Room) -> None:
    await room.files.write("/a", b"abcdef", create=True)
    await room.files.truncate("/a", 3)
    await room.files.truncate("/a", 5)
    assert await room.read("/a") == b"abc\0\0"
    assert (await room.files.truncate("/a", 5)).version is None
    with pytest.raises(FileMissing):
        await room.files.truncate("/b", 5)
    with pytest.raises(LocalProtocolError):
        await room.files.truncate("/a", -1)


async def test_a_write_beyond_the_quota_leaves_the_file_as_it_was(room: Room) -> None:
    await room.files.write("/a", b"abc", create=True)
    room.store.max_size = 100_000
    for options in ({"truncate": True}, {"offset": 2}):
        with pytest.raises(ResourceLimitError):
            await room.files.write("/a", random.Random(2).randbytes(200_000), **options)
    with pytest.raises(ResourceLimitError):
        await room.files.write("/new", random.Random(3).randbytes(2_000_000), create=True)
    assert await room.snapshot() == {"/a": b"abc"}
    assert (await room.history.verify()).valid
    room.store.max_size = None
    await room.files.write("/a", b"def")
    assert await room.read("/a") == b"def"
