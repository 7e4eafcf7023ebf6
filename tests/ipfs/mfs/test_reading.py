"""The reading half of the file system: what is given, what is said instead, and what is kept meanwhile."""

from __future__ import annotations

import re

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import LocalProtocolError, ZwermError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.mfs.errors import FileMissing, NotADirectory, NotAFile
from zwerm.ipfs.mfs.reading import content_path
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
