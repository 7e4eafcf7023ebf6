"""The same input has the same CID here, in Helia and in Kubo (IPIP-499)."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks
from tests.peers.lines import LinePeer
from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs import DEFAULT, PROFILES, DirectoryBuilder, Entry, FileBuilder, Layout, NoStore, Profile, layout
from zwerm.ipfs.unixfs.builder import leaves
from zwerm.ipfs.unixfs.chunker.rabin import RabinChunker
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.directory.basic import base_size, link_size
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("unixfs-peers")]

KIB = 1024
CHUNK = 256 * KIB

# What Helia is told to build as our profile: `default` is not one of its names.
HELIA: dict[str, dict[str, str]] = {
    "default": {},
    "unixfs-v0-2015": {"profile": "unixfs-v0-2015"},
    "unixfs-v1-2025": {"profile": "unixfs-v1-2025"},
}
CHUNKS = {"unixfs-v0-2015": CHUNK, "unixfs-v1-2025": 1024 * KIB}

NAMES = [
    "plain", "with space", " ", "~", "#%?&+", "-rf", "…", "naïve", "nai\u0308ve", "Ελλάδα", "日本語", "עברית", "🐝",
    "🏳️\u200d🌈", "\u202etxt.exe", "a" * 255, "é" * 127, "\\", "'\"`", "\x01\x7f", "new\nline", "tab\t", "CON", "\uffff",
]  # fmt: skip


def content(size: int) -> bytes:
    """Bytes that nothing can deduplicate."""
    return hashlib.shake_128(b"unixfs").digest(size)


def build(data: bytes, profile: Profile, **metadata: object) -> Entry:
    builder = FileBuilder(NoStore(), profile, **metadata)  # type: ignore[arg-type]
    builder.write(data)
    return builder.finish()


@pytest.fixture(scope="module")
def helia() -> Iterator[LinePeer]:
    with LinePeer.node("unixfs.mjs") as peer:
        yield peer


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinePeer]:
    with LinePeer.python("kubo.py", str(tmp_path_factory.mktemp("kubo") / "repo")) as peer:
        peer.answer()  # it is up
        yield peer


def in_helia(helia: LinePeer, profile: str, entries: list[dict[str, object]], **options: object) -> CID:
    question = {"op": "add", "entries": entries, **HELIA[profile], "options": options}
    return CID.from_text(helia.ask(question)["cid"])


def in_kubo(kubo: LinePeer, path: Path) -> CID:
    return CID.from_text(kubo.ask(["only-hash", str(path)])["result"])


SIZES = [0, 1, 255, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK - 1, 4 * CHUNK, 4 * CHUNK + 1, 174 * CHUNK, 174 * CHUNK + 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("profile", PROFILES)
def test_files_are_those_of_helia(helia: LinePeer, tmp_path: Path, profile: str, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(size))
    ours = Importer(NoStore(), PROFILES[profile]).add_path(path)
    assert ours.cid == in_helia(helia, profile, [{"path": "file", "file": str(path)}])
    assert ours.size == size


@pytest.mark.parametrize("size", SIZES)
def test_files_are_those_of_kubo(kubo: LinePeer, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(size))
    assert Importer(NoStore(), PROFILES["unixfs-v0-2015"]).add_path(path).cid == in_kubo(kubo, path)


@pytest.mark.parametrize("profile", CHUNKS)
def test_a_file_of_more_than_1024_chunks_is_that_of_helia(helia: LinePeer, tmp_path: Path, profile: str) -> None:
    """Holes on the disk are zeros in the file, so the chunks are many and cheap."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(1025 * CHUNKS[profile] + 1)
    ours = Importer(NoStore(), PROFILES[profile]).add_path(path)
    assert ours.cid == in_helia(helia, profile, [{"path": "file", "file": str(path)}])


def test_a_file_of_more_than_1024_chunks_is_that_of_kubo(kubo: LinePeer, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(1025 * CHUNK + 1)
    assert Importer(NoStore(), PROFILES["unixfs-v0-2015"]).add_path(path).cid == in_kubo(kubo, path)


@pytest.mark.parametrize("cid_version", [0, 1])
@pytest.mark.parametrize("raw_leaves", [False, True])
def test_versions_and_leaves_mix_as_in_helia(
    helia: LinePeer, tmp_path: Path, cid_version: int, raw_leaves: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(3 * CHUNK))
    profile = dataclasses.replace(DEFAULT, cid_version=cid_version, raw_leaves=raw_leaves)
    theirs = in_helia(
        helia, "default", [{"path": "file", "file": str(path)}], cidVersion=cid_version, rawLeaves=raw_leaves
    )
    assert build(content(3 * CHUNK), profile).cid == theirs


def make_tree(root: Path) -> None:
    for folder in ("empty", "one/two/three/four", "files"):
        (root / folder).mkdir(parents=True)
    (root / "one" / "two" / "three" / "four" / "leaf").write_text("leaf")
    (root / "one" / "beside").write_bytes(content(2 * CHUNK + 5))
    (root / "empty file").write_bytes(b"")
    (root / "one" / "symlink").symlink_to("../files")
    for name in NAMES:
        (root / "files" / name).write_text(name)


def tree_entries(root: Path) -> list[dict[str, object]]:
    """What Helia is told to make the same tree: what is in folders makes the folders, but for empty ones."""
    entries: list[dict[str, object]] = []
    for path in sorted(root.rglob("*")):
        entry: dict[str, object] = {"path": f"tree/{path.relative_to(root)}"}
        if path.is_symlink():
            entries.append(entry | {"link": os.readlink(path)})
        elif path.is_file():
            entries.append(entry | {"file": str(path)})
        elif not any(path.iterdir()):
            entries.append(entry)
    return entries


@pytest.mark.parametrize("profile", PROFILES)
def test_nested_folders_and_odd_names_are_those_of_helia(helia: LinePeer, tmp_path: Path, profile: str) -> None:
    make_tree(tmp_path)
    assert Importer(NoStore(), PROFILES[profile]).add_path(tmp_path).cid == in_helia(
        helia, profile, tree_entries(tmp_path)
    )


def test_nested_folders_and_odd_names_are_those_of_kubo(kubo: LinePeer, tmp_path: Path) -> None:
    make_tree(tmp_path)
    assert Importer(NoStore(), PROFILES["unixfs-v0-2015"]).add_path(tmp_path).cid == in_kubo(kubo, tmp_path)


def encoded(store: Blocks) -> dict[str, str]:
    return {str(cid): base64.b64encode(data).decode() for cid, data in store.data.items()}


def directory_of(profile: Profile, names: list[str]) -> CID:
    writer = DirectoryWriter(NoStore(), profile)
    for name in names:
        leaf = build(name.encode(), profile)
        writer.add(name, leaf.cid, leaf.total_size)
    return writer.finish().cid


@pytest.mark.parametrize(("profile", "count"), [*((profile, 10_000) for profile in PROFILES), ("default", 40_000)])
def test_large_directories_are_those_of_helia(helia: LinePeer, profile: str, count: int) -> None:
    ours = directory_of(PROFILES[profile], [f"file-{number}" for number in range(count)])
    assert ours == in_helia(helia, profile, [{"path": "d", "many": count, "prefix": "file-"}])


def test_a_directory_of_10000_entries_is_that_of_kubo(kubo: LinePeer, tmp_path: Path) -> None:
    """Inside another, whose link to it says how much lies below."""
    (tmp_path / "inner").mkdir()
    for number in range(10_000):
        (tmp_path / "inner" / f"file-{number}").write_text(f"file-{number}")
    assert Importer(NoStore(), PROFILES["unixfs-v0-2015"]).add_path(tmp_path).cid == in_kubo(kubo, tmp_path)


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_directory_is_sharded_from_the_same_byte_on_as_in_helia(helia: LinePeer, profile: str, more: int) -> None:
    """1,024 entries that fill the threshold to the last byte, and then one byte more."""
    settings = PROFILES[profile]
    names = [f"{number:0>200}" for number in range(1024)]
    missing = settings.hamt_threshold - base_size(settings, None, None) + more
    missing -= sum(link_size(settings, *link_of(name, settings)) for name in names)
    names = [f"{name}{'x' * (missing // 1024 + (number < missing % 1024))}" for number, name in enumerate(names)]
    entries = [{"path": f"d/{name}", "text": name} for name in names]
    ours = directory_of(settings, names)
    assert ours == in_helia(helia, profile, entries)
    assert asyncio.run(is_sharded(settings, names)) is bool(more)


@pytest.mark.parametrize(("more", "threshold"), [(-1, 262_144), (0, 262_143), (1, 262_144)])
def test_a_directory_is_sharded_where_kubo_did_but_for_one_byte(
    kubo: LinePeer, tmp_path: Path, more: int, threshold: int
) -> None:
    """Kubo 0.22 shards at the threshold; since IPIP-499 it is above it, for Kubo too."""
    names = [f"{number:0>222}" for number in range(1024)]  # with a CID of 34 bytes, 256 each
    names[0] = names[0][: 222 + more] + "x" * more
    for name in names:
        (tmp_path / name).write_text(name)
    profile = dataclasses.replace(PROFILES["unixfs-v0-2015"], hamt_threshold=threshold)
    assert directory_of(profile, names) == in_kubo(kubo, tmp_path)


def link_of(name: str, profile: Profile) -> tuple[bytes, bytes, int]:
    leaf = build(name.encode(), profile)
    return name.encode(), bytes(leaf.cid), leaf.total_size


async def is_sharded(profile: Profile, names: list[str]) -> bool:
    builder = DirectoryBuilder(profile)
    for name in names:
        leaf = build(name.encode(), profile)
        await builder.set(name, leaf.cid, leaf.total_size)
    return builder.sharded


@pytest.mark.parametrize("raw_leaves", [False, True])
@pytest.mark.parametrize("count", [2, 5, 6, 10, 11, 25, 26, 30, 31, 46, 50, 51, 125, 126, 127, 250, 400, 1000])
def test_trickle_trees_are_those_of_helia(helia: LinePeer, tmp_path: Path, count: int, raw_leaves: bool) -> None:
    """Helia makes leaves of type File unless told, and reduces a tree of one leaf, which Kubo does not."""
    path = tmp_path / "file"
    path.write_bytes(content(count * 10 - 3))
    profile = Profile(layout=Layout.TRICKLE, chunker="size-10", max_links=5, raw_leaves=raw_leaves)
    options = {
        "trickle": {"max": 5}, "chunk": 10, "rawLeaves": raw_leaves, "leafType": "raw", "reduceSingleLeafToSelf": False
    }  # fmt: skip
    theirs = in_helia(helia, "default", [{"path": "file", "file": str(path)}], **options)
    assert build(path.read_bytes(), profile).cid == theirs


@pytest.mark.parametrize("count", [2, 3, 4, 8, 9, 10, 27, 28, 81, 82, 100, 243, 244])
def test_deep_balanced_trees_are_those_of_helia(helia: LinePeer, tmp_path: Path, count: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(count * 10 - 3))
    profile = Profile(chunker="size-10", max_links=3)
    theirs = in_helia(helia, "default", [{"path": "file", "file": str(path)}], chunk=10, balanced={"max": 3})
    assert build(path.read_bytes(), profile).cid == theirs


@pytest.mark.parametrize(
    ("least", "average", "most"), [(16, 64, 128), (20_000, 40_000, 100_000), (87_381, 262_144, 393_216)]
)
def test_rabin_with_the_polynomial_of_helia_cuts_where_helia_does(
    helia: LinePeer, tmp_path: Path, least: int, average: int, most: int
) -> None:
    """Kubo's polynomial is another; its cuts are in tests/ipfs/unixfs/chunker/test_rabin.py."""
    data = content(min(400 * average, 5_000_000))
    path = tmp_path / "file"
    path.write_bytes(data)
    chunker = RabinChunker(least, average, most, 0x3DA3358B4DC173)
    tree = layout.tree(DEFAULT)
    for leaf in leaves(DEFAULT, chunker.receive_data(data) + chunker.finish()):
        tree.push(layout.Child(leaf.block.cid, leaf.size, leaf.size))
    root, _ = tree.finish(None, None)
    assert root is not None
    sizes = {"min": least, "avg": average, "max": most}
    assert root.cid == in_helia(helia, "default", [{"path": "file", "file": str(path)}], rabin=sizes)


@pytest.mark.parametrize("mode", [None, 0o644, 0o755, 0o600, 0o7777])
@pytest.mark.parametrize("mtime", [None, Mtime(0), Mtime(1_700_000_000, 123_456_789), Mtime(-5, 7)])
@pytest.mark.parametrize("size", [0, 10, 30])
def test_metadata_of_files_is_that_of_helia(
    helia: LinePeer, tmp_path: Path, size: int, mode: int | None, mtime: Mtime | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(size))
    entry: dict[str, object] = {"path": "file", "file": str(path)}
    if mode is not None:
        entry["mode"] = mode
    if mtime is not None:
        entry["mtime"] = {"secs": mtime.seconds} | ({"nsecs": mtime.nanoseconds} if mtime.nanoseconds else {})
    ours = build(content(size), Profile(chunker="size-10"), mode=mode, mtime=mtime)
    assert ours.cid == in_helia(helia, "default", [entry], chunk=10)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("count", [0, 3, 7000])
def test_metadata_of_directories_is_that_of_helia(helia: LinePeer, profile: str, count: int) -> None:
    """Sharded or not, the root carries it. Helia knows the directory only when it is given before what is in it."""
    settings = PROFILES[profile]
    writer = DirectoryWriter(NoStore(), settings, mode=0o700, mtime=Mtime(1_700_000_000, 5))
    for number in range(count):
        leaf = build(f"file-{number}".encode(), settings)
        writer.add(f"file-{number}", leaf.cid, leaf.total_size)
    entries: list[dict[str, object]] = [{"path": "d", "mode": 0o700, "mtime": {"secs": 1_700_000_000, "nsecs": 5}}]
    if count:
        entries.append({"path": "d", "many": count, "prefix": "file-"})
    assert writer.finish().cid == in_helia(helia, profile, entries)


@pytest.mark.parametrize("target", ["there", "../../up", "/absolute", "日本語", "x" * 1000])
def test_symlinks_are_those_of_helia(helia: LinePeer, tmp_path: Path, target: str) -> None:
    path = tmp_path / "link"
    path.symlink_to(target)
    assert Importer(NoStore()).add_path(path).cid == in_helia(helia, "default", [{"path": "link", "link": target}])


@pytest.mark.parametrize("profile", ["default", "unixfs-v1-2025"])
def test_a_directory_that_shrinks_and_grows_is_that_of_helia(helia: LinePeer, profile: str) -> None:
    """While it is sharded: Helia counts what is in shards twice when it asks whether one block would do again.

    That a directory returns to one block at the threshold, as in Kubo, is in tests/ipfs/unixfs/directory.
    """
    settings = PROFILES[profile]
    names = [f"{number:0>230}" for number in range(1400)]
    builder = DirectoryBuilder(settings)

    async def set_all(chosen: list[str]) -> CID:
        for name in chosen:
            leaf = build(name.encode(), settings)
            await builder.set(name, leaf.cid, leaf.total_size)
        return builder.finish(NoStore()).cid

    async def remove_all(chosen: list[str]) -> CID:
        for name in chosen:
            assert await builder.remove(name)
        return builder.finish(NoStore()).cid

    theirs = in_helia(helia, profile, [{"path": f"d/{name}", "text": name} for name in names])
    assert asyncio.run(set_all(names)) == theirs
    for first in (1300, 1000):
        question = {"op": "remove", "cid": str(theirs), "names": names[first : first + 100], **HELIA[profile]}
        theirs = CID.from_text(helia.ask(question)["cid"])
        assert asyncio.run(remove_all(names[first : first + 100])) == theirs
    chosen = [*names[1050:1150], *names[1300:]]  # some again, some that were never gone
    theirs = CID.from_text(helia.ask({"op": "set", "cid": str(theirs), "names": chosen, **HELIA[profile]})["cid"])
    assert asyncio.run(set_all(chosen)) == theirs


@pytest.mark.parametrize(
    "profile",
    [
        Profile(layout=Layout.TRICKLE),
        Profile(layout=Layout.TRICKLE, raw_leaves=False, cid_version=0, chunker="size-1000"),
        Profile(chunker="buzhash"),
        Profile(chunker="rabin", hash_code=multicodec.SHA2_512),
    ],
    ids=["one leaf under a root", "leaves of type Raw", "buzhash", "rabin and sha2-512"],
)
def test_helia_reads_files_that_it_does_not_write(helia: LinePeer, profile: Profile) -> None:
    store = Blocks()
    data = content(200_050)
    builder = FileBuilder(store, profile)
    builder.write(data)
    question = {"op": "read", "cid": str(builder.finish().cid), "blocks": encoded(store)}
    assert base64.b64decode(helia.ask(question)["text"]) == data


def test_helia_lists_directories_that_it_does_not_write(helia: LinePeer) -> None:
    profile = Profile(hamt_threshold=100)
    store = Blocks()
    writer = DirectoryWriter(store, profile)
    for name in NAMES:
        writer.add(name, CID.of(name.encode()), len(name))
        store.put([Block.create(name.encode())])
    question = {"op": "list", "cid": str(writer.finish().cid), "blocks": encoded(store)}
    assert sorted(helia.ask(question)["names"]) == sorted(NAMES)
