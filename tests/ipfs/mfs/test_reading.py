"""The reading half of the file system: what is given, what is said instead, and what is kept meanwhile."""

from __future__ import annotations

import re

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import LocalProtocolError, ZwermError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.mfs.errors import FileMissing, NotADirectory, NotAFile
from zwerm.ipfs.mfs.files import Files
from zwerm.ipfs.mfs.reading import content_path
from zwerm.ipfs.names import ResolvedName
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


async def test_a_file_is_read_whole_or_in_part(room: Room) -> None:
    await room.files.write("/a", b"foo\n", create=True)
    assert await room.read("/a") == b"foo\n"
    assert await room.read("/a", offset=1) == b"oo\n"
    assert await room.read("/a", count=2) == b"fo"
    assert await room.read("/a", offset=1, count=200) == b"oo\n"
    assert await room.read("/a", offset=4) == b""
    assert await room.read("/a", count=0) == b""


@pytest.mark.parametrize(
    ("path", "options", "kind", "sentence"),
    [
        ("/none", {}, FileMissing, "/none: file does not exist"),
        ("/d", {}, NotAFile, "/d was not a file"),
        ("/", {}, NotAFile, "/ was not a file"),
        ("/a/b", {}, NotADirectory, "/a/b: cannot access a/b: Not a directory"),
        ("/a", {"offset": -3}, LocalProtocolError, "cannot specify negative offset"),
        ("/a", {"offset": 5}, LocalProtocolError, "offset was past end of file (5 > 4)"),
        ("/a", {"count": -1}, LocalProtocolError, "cannot specify negative 'count'"),
    ],
)
async def test_read_says_why_it_cannot_before_the_first_byte(
    room: Room, path: str, options: dict[str, int], kind: type[ZwermError], sentence: str
) -> None:
    await room.files.write("/a", b"foo\n", create=True)
    await room.files.mkdir("/d")
    with pytest.raises(kind, match="^" + re.escape(sentence) + "$"):
        await room.files.read(path, **options)


async def test_a_path_into_a_block_is_no_file(room: Room) -> None:
    block = Block.create(dag_cbor.encode({"a": {"b": 1}}), multicodec.DAG_CBOR)
    room.store.put([block])
    with pytest.raises(NotUnixFS, match="lies inside a block"):
        await room.files.stat(f"/ipfs/{block.cid}/a")


async def test_what_is_looked_at_is_kept_until_it_was_looked_at(room: Room) -> None:
    await room.files.write("/d/a", b"a", create=True, parents=True)
    reading, listing = await room.files.read("/d/a"), await room.files.ls("/d")
    await anext(reading)
    await anext(listing)
    assert {await room.cid("/d/a"), await room.cid("/d")} <= set(room.files.roots())
    await reading.aclose()
    await listing.aclose()
    assert room.files.roots() == [await room.files.root()]


@pytest.mark.parametrize("text", ["/a", "/ipfs", "/ipfs/notes", "/ipfs/", "/ipns", "relative", ""])
def test_a_path_of_the_files_is_no_content_path(text: str) -> None:
    assert content_path(text) is None


@pytest.mark.parametrize("text", ["/ipfs/{}", "ipfs://{}/a", "/ipns/example.org/a"])
def test_a_content_path_is_one_in_every_spelling(text: str) -> None:
    assert content_path(text.format(CID.of(b"x"))) is not None


async def test_something_exists_or_does_not(room: Room) -> None:
    await room.files.write("/d/a", b"a", create=True, parents=True)
    assert [await room.files.exists(path) for path in ("/", "/d", "/d/a")] == [True] * 3
    assert [await room.files.exists(path) for path in ("/x", "/d/x", "/d/a/x", "/x/y")] == [False] * 4


async def test_a_directory_is_listed_by_the_bytes_of_its_names_when_asked(room: Room) -> None:
    for name in ("é", "b", "😀", "a", "B"):
        await room.files.write(f"/d/{name}", b"data", create=True, parents=True)
    assert [entry.name async for entry in await room.files.ls("/d", sort=True)] == ["B", "a", "b", "é", "😀"]
    assert [entry.kind async for entry in await room.files.ls("/d")] == [None] * 5
    assert {entry.size async for entry in await room.files.ls("/d", long=True)} == {4}
    behind = [entry.name async for entry in await room.files.ls("/d", after="a")]
    assert behind == [entry.name async for entry in await room.files.ls("/d")][2:]


async def test_a_file_is_listed_as_itself(room: Room) -> None:
    await room.files.write("/d/a", b"data", create=True, parents=True)
    (entry,) = [entry async for entry in await room.files.ls("/d/a")]
    assert (entry.name, entry.cid, entry.size) == ("a", await room.cid("/d/a"), 4)


async def test_how_much_of_a_tree_is_here(room: Room) -> None:
    await room.files.write("/d/a", b"a" * 1_000, create=True, parents=True)
    await room.files.write("/d/b", b"b" * 500, create=True)
    await room.files.flush("/")
    whole = await room.files.stat("/d", with_local=True)
    assert whole.local
    room.store.delete([await room.cid("/d/a")])
    part = await room.files.stat("/d", with_local=True)
    assert not part.local
    assert part.local_size == whole.local_size - 1_000 == whole.cumulative_size - 1_000
    assert (await room.files.stat("/d")).local is None


async def test_a_name_is_followed_at_most_twice(room: Room) -> None:
    await room.files.write("/d/a", b"a", create=True, parents=True)
    await room.files.flush("/")
    directory = await room.cid("/d")
    asked: list[str] = []

    class Names:
        async def resolve(self, name: str) -> ResolvedName:
            asked.append(name)
            if name == "first.example":
                return ResolvedName(ContentPath.from_text("/ipns/second.example"))
            return ResolvedName(ContentPath.of(directory))

    files = Files(room.database, room.store, room.source, names=Names())
    assert (await files.stat("/ipns/first.example/a")).cid == await room.cid("/d/a")
    assert asked == ["first.example", "second.example"]
    await files.close()
