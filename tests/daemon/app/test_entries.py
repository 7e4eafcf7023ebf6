"""Listings as the pages show them: in the order a person expects, whole while that is cheap, page by page beyond."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.daemon.app import entries as module
from zwerm.daemon.app.entries import Listing, Listings, entry_document, media_type, natural, plain
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.status import FileEntry
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.directory.hamt import name_bytes
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID

SHARDED = Profile(hamt_threshold=0)


def file(blocks: Blocks, data: bytes, mtime: int | None = None) -> tuple[CID, int]:
    builder = FileBuilder(blocks, Profile(), mtime=None if mtime is None else Mtime(mtime))
    builder.write(data)
    entry = builder.finish()
    return entry.cid, entry.total_size


def directory(blocks: Blocks, content: Mapping[str, tuple[CID, int]], profile: Profile = Profile()) -> CID:  # noqa: B008
    writer = DirectoryWriter(blocks, profile)
    for name in sorted(content, key=name_bytes):
        writer.add(name, *content[name])
    return writer.finish().cid


async def listed(listings: Listings, cid: CID, sort: str = "name", order: str = "asc", **options) -> list[str]:
    found = await listings.read(cid, sort=sort, order=order, **{"after": None, "limit": 200} | options)
    return [entry.name for entry in found.entries]


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "10", "100"],
        ["IMG_9.jpg", "img_10.jpg", "IMG_11.jpg"],
        ["Äpfel", "apple", "Banana", "été", "zoo"],
        ["a", "a1", "a1b", "a2", "b"],
        ["v1.2", "v1.10", "v2"],
    ],
    ids=lambda names: names[0],
)
def test_names_sort_as_people_sort_them(names: list[str]) -> None:
    mixed = names[:]
    random.Random(1).shuffle(mixed)
    assert sorted(mixed, key=natural) == names


def test_names_of_digits_without_end_are_compared_as_text() -> None:
    assert natural("9" * 30)[0][0] == 1
    assert sorted(["9" * 30, "8", ""], key=natural) == ["", "8", "9" * 30]


def test_case_and_accents_are_apart() -> None:
    assert plain("ÄÖ ß Ñandú") == "ao ss nandu"


def test_a_type_is_guessed_from_the_name_or_not_at_all() -> None:
    assert media_type("photo.JPG") == "image/jpeg"
    assert media_type("README") is None


async def test_each_order_puts_directories_first() -> None:
    blocks = Blocks()
    below = directory(blocks, {"x": file(blocks, bytes(5_000))})
    content = {
        "b2.txt": file(blocks, bytes(10), mtime=300),
        "b10.jpg": file(blocks, bytes(30), mtime=100),
        "a.md": file(blocks, bytes(20)),
        "folder": (below, 5_100),
        "Archive": (directory(blocks, {}), 4),
    }
    root = directory(blocks, content)
    listings = Listings(blocks)
    assert await listed(listings, root) == ["Archive", "folder", "a.md", "b2.txt", "b10.jpg"]
    assert await listed(listings, root, order="desc") == ["folder", "Archive", "b10.jpg", "b2.txt", "a.md"]
    assert await listed(listings, root, sort="size") == ["Archive", "folder", "b2.txt", "a.md", "b10.jpg"]
    assert await listed(listings, root, sort="modified") == ["Archive", "folder", "a.md", "b10.jpg", "b2.txt"]
    assert await listed(listings, root, sort="type") == ["Archive", "folder", "b10.jpg", "a.md", "b2.txt"]


async def test_a_directory_is_sorted_once_and_a_few_are_remembered() -> None:
    blocks = Blocks()
    roots = [directory(blocks, {f"{number}": file(blocks, b"%d" % number)}) for number in range(module._CACHED + 1)]
    listings = Listings(blocks)
    for _ in range(2):
        blocks.asked.clear()
        await listed(listings, roots[0])
    assert blocks.asked == []
    for root in roots[1:]:
        await listed(listings, root)
    await listed(listings, roots[0])
    assert blocks.asked != []


@pytest.mark.parametrize("profile", [Profile(), SHARDED], ids=["one block", "sharded"])
async def test_a_large_directory_comes_in_pages_of_its_own_order(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SORTED_UP_TO", 300)
    blocks = Blocks()
    leaf = file(blocks, b"leaf")
    small = directory(blocks, {f"{number:04}": leaf for number in range(200)}, profile)
    large = directory(blocks, {f"{number:04}": leaf for number in range(2_000)}, profile)
    listings = Listings(blocks)
    assert (await listings.read(small, sort="name", order="asc", after=None, limit=10)).sorted
    names: list[str] = []
    page = Listing([], sorted=False, more=True)
    while page.more:
        after = names[-1] if names else None
        page = await listings.read(large, sort="name", order="asc", after=after, limit=300)
        assert not page.sorted
        assert len(page.entries) == 300 or not page.more
        names += [entry.name for entry in page.entries]
    assert sorted(names) == [f"{number:04}" for number in range(2_000)]


def test_an_entry_is_described() -> None:
    cid = CID.of(b"leaf")
    entry = FileEntry("a.txt", cid, 12, Kind.FILE, 4, 0o644, Mtime(1, 5), None)
    assert entry_document(FilePath(("d",)), entry) == {
        "name": "a.txt",
        "path": "/d/a.txt",
        "kind": "file",
        "size": 4,
        "cid": str(cid),
        "modified": "1970-01-01T00:00:01.000Z",
        "mode": 0o644,
        "type": "text/plain",
        "target": None,
    }
    described = entry_document(FilePath(), entry._replace(kind=Kind.DIRECTORY, mtime=None))
    assert (described["size"], described["type"], described["modified"]) == (12, None, None)
    assert entry_document(FilePath(), entry._replace(kind=None))["kind"] == "file"
