"""`Files` as a whole: Kubo's own published hashes, reading, large directories, names of every kind."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ipfs.mfs.room import Room, memory_room, note_puts
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.mfs.files import Files
from zwerm.ipfs.names import NameNotFound, ResolvedName
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEGACY = PROFILES["unixfs-v0-2015"]
BLAKE = dataclasses.replace(DEFAULT, hash_code=multicodec.BLAKE2B_256)

# Kubo, test/sharness/t0250-files-api.sh: FILE_HASH, CATS_HASH and ROOT_HASH of each of its runs.
KUBO = {
    "CIDv0": (
        (LEGACY, LEGACY, {}, {}),
        "QmQdQt9qooenjeaNhiKHF3hBvmNteB4MQBtgu3jxgf9c7i",
        "Qma88m8ErTGkZHbBWGqy1C7VmEmX8wwNDWNpGyCaNmEgwC",
        "QmcwKfTMCT7AaeiD92hWjnZn9b6eh9NxnhfSzN5x2vnDpt",
    ),
    "raw leaves": (
        (LEGACY, DEFAULT, {}, {"raw_leaves": True}),
        "bafybeibkrazpbejqh3qun7xfnsl7yofl74o4jwhxebpmtrcpavebokuqtm",
        "QmPJkzbCoBuL379TbHgwF1YbVHnKgiDa5bjqYhe6Lovdms",
        "QmTHzLiSouBHVTssS8xRzmfWGAvTGhPEjtPdB6pWMQdxJX",
    ),
    "CIDv1 directories": (
        (LEGACY, DEFAULT, {"cid_version": 1}, {"cid_version": 1}),
        "bafybeibkrazpbejqh3qun7xfnsl7yofl74o4jwhxebpmtrcpavebokuqtm",
        "bafybeihsqinttigpskqqj63wgalrny3lifvqv5ml7igrirdhlcf73l3wvm",
        "QmTLdTaZNj8Mvq1cgYup59ZFJFv1KxptouFSZUZKeq7X3z",
    ),
    "CIDv1 root": (
        (DEFAULT, DEFAULT, {}, {}),
        "bafybeibkrazpbejqh3qun7xfnsl7yofl74o4jwhxebpmtrcpavebokuqtm",
        "bafybeihsqinttigpskqqj63wgalrny3lifvqv5ml7igrirdhlcf73l3wvm",
        "bafybeickjecu37qv6ue54ofk3n4rpm4g4abuofz7yc4qn4skffy263kkou",
    ),
    "blake2b-256 root": (
        (BLAKE, DEFAULT, {}, {}),
        "bafykbzaceca45w2i3o3q3ctqsezdv5koakz7sxsw37ygqjg4w54m2bshzevxy",
        "bafykbzaceaqvpxs3dfl7su6744jgyvifbusow2tfixdy646chasdwyz2boagc",
        "bafykbzaceaebvwrjdw5rfhqqh5miaq3g42yybnrw3kxxxx43ggyttm6xn2zek",
    ),
}


@pytest.mark.parametrize("run", KUBO)
async def test_what_kubos_own_tests_do_gives_kubos_hashes(tmp_path, run: str) -> None:
    (root, added, directories, written), file_hash, cats_hash, root_hash = KUBO[run]
    async with memory_room(tmp_path, root) as room:
        files = room.files
        await files.mkdir("/cats", **directories)
        await files.cp(f"/ipfs/{room.add(b'foo' + bytes([10]), added)}", "/cats/file1")
        await files.mkdir("/cats/this/is/a/dir", parents=True, **directories)
        await files.rm("/cats/this/is/a/dir", recursive=True)
        await files.write("/cats/ipfs", b"ipfs rocks\n", create=True, **written)
        await files.write("/cats/ipfs", b"is super cool\n", offset=5, **written)
        assert str(await room.cid("/cats/ipfs")) == file_hash
        await files.write("/cats/walrus", b"testing\n", create=True, flush=False, **written)
        assert str(await room.cid("/")) == root_hash
        assert str(await room.cid("/cats")) == cats_hash


@pytest.mark.parametrize(
    ("root", "profile"),
    [
        ("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", LEGACY),
        ("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", DEFAULT),
        ("bafykbzacebugfutjir6qie7apo5shpry32ruwfi762uytd5g3u2gk7tpscndq", BLAKE),
    ],
)
async def test_an_empty_root_has_kubos_hash(tmp_path, root: str, profile: Profile) -> None:
    async with memory_room(tmp_path, profile) as room:
        assert str(await room.files.root()) == root


@pytest.mark.parametrize("name", ["späße", "日本語", "e\u0301", "é", "😀", " ", "a b", "-r", "\n", "x" * 255, "..."])
async def test_any_name_that_a_file_system_takes_is_kept_as_it_is(room: Room, name: str) -> None:
    await room.files.write(f"/{name}", name.encode(), create=True)
    await room.files.mkdir(f"/d/{name}", parents=True)
    assert await room.names() == sorted(["d", name], key=str.encode)
    assert await room.read(f"/{name}") == name.encode()


async def test_names_that_are_no_utf8_come_with_content_and_can_be_used(room: Room) -> None:
    writer = DirectoryWriter(room.store)
    writer.add(b"\xff\xfe.txt".decode("utf-8", "surrogateescape"), room.add(b"odd"), 3)
    await room.files.place("/d", writer.finish().cid)
    (name,) = await room.names("/d")
    assert await room.read(f"/d/{name}") == b"odd"
    await room.files.write(f"/d/{name}", b"even", truncate=True)
    await room.files.mv(f"/d/{name}", "/better")
    assert await room.snapshot() == {"/better": b"even", "/d": None}


@pytest.mark.slow
async def test_a_name_added_to_a_large_directory_costs_only_the_path(tmp_path) -> None:
    async with memory_room(tmp_path) as room:
        writer = DirectoryWriter(room.store)
        leaf = room.add(b"leaf")
        for number in range(20_000):
            writer.add(f"name {number}", leaf, 4)
        await room.files.place("/large", writer.finish().cid)
        put = note_puts(room.store)
        await room.files.write("/large/one more", b"more", create=True)
        # The leaf, at most three shards, the root directory and the commit.
        assert len(put) <= 6
        assert sum(len(block.data) for block in put) < 60_000
        assert await room.read("/large/one more") == b"more"
        await room.files.rm("/large/name 7")
        assert not await room.files.exists("/large/name 7")


async def test_a_directory_is_sharded_as_it_grows_and_plain_again_as_it_shrinks(tmp_path) -> None:
    profile = dataclasses.replace(DEFAULT, hamt_threshold=1_000)
    async with memory_room(tmp_path, profile) as room:
        plain = await room.files.stat("/")
        async with room.files.batch():
            for number in range(40):
                await room.files.write(f"/file {number}", b"x", create=True)
        block = await room.source.get(await room.files.root())
        assert b"\x08\x05" in block  # UnixFS type HAMTShard
        async with room.files.batch():
            for number in range(40):
                await room.files.rm(f"/file {number}")
        assert await room.files.root() == plain.cid


async def test_a_name_is_resolved_for_cp_and_stat(tmp_path) -> None:
    class Names:
        def __init__(self) -> None:
            self.known: dict[str, CID] = {}

        async def resolve(self, name: str) -> ResolvedName:
            if name not in self.known:
                raise NameNotFound(name)
            return ResolvedName(ContentPath.of(self.known[name]))

    async with memory_room(tmp_path) as room:
        names = Names()
        files = Files(room.database, room.store, room.source, names=names)
        await files.write("/d/a", b"named", create=True, parents=True)
        names.known["example.org"] = (await files.stat("/d")).cid
        await files.cp("/ipns/example.org/a", "/copy")
        assert (await files.stat("/copy")).cid == (await files.stat("/ipns/example.org/a")).cid
        with pytest.raises(NameNotFound, match=r"cp: cannot get node from path /ipns/example\.com: "):
            await files.cp("/ipns/example.com", "/b")


async def test_without_a_journal_there_are_no_versions(tmp_path) -> None:
    async with memory_room(tmp_path, record=False) as room:
        assert (await room.files.mkdir("/a")).version is None
        assert room.history.head is None
        assert await room.names() == ["a"]
