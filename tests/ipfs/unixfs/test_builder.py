"""Building files: the same tree however the bytes come and whoever hashes them, in bounded memory."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore import LocalSource, PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import FileChanged
from zwerm.ipfs.unixfs.hashers import GROUP, Hashers
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.multiformats import multicodec

PROFILES_OF_ALL_KINDS = [
    *PROFILES.values(),
    Profile(chunker="size-7", max_links=3),
    Profile(chunker="size-7", max_links=3, raw_leaves=False),
    Profile(chunker="size-7", max_links=3, layout=Layout.TRICKLE),
    Profile(chunker="size-7", max_links=3, layout=Layout.TRICKLE, raw_leaves=False, cid_version=0),
    Profile(chunker="rabin-16-32-64", max_links=5, hash_code=multicodec.BLAKE3),
    Profile(chunker="size-50", inline_limit=60),
]


def build(data: bytes, profile: Profile, store: Blocks | None = None, **options: object) -> object:
    builder = FileBuilder(store or NoStore(), profile, **options)  # type: ignore[arg-type]
    builder.write(data)
    return builder.finish()


@given(st.lists(st.binary(max_size=60)), st.sampled_from(PROFILES_OF_ALL_KINDS))
def test_what_is_written_reads_back_however_it_comes(pieces: list[bytes], profile: Profile) -> None:
    store = Blocks()
    builder = FileBuilder(store, profile)
    for piece in pieces:
        builder.write(piece)
    entry = builder.finish()
    whole = b"".join(pieces)
    assert entry == build(whole, profile)
    assert (entry.size, entry.kind) == (len(whole), Kind.FILE)

    async def read() -> bytes:
        return await (await open_file(store, entry.cid)).read()

    assert run(read()) == whole


@pytest.mark.parametrize("profile", PROFILES_OF_ALL_KINDS[:3])
def test_threads_that_hash_change_nothing(profile: Profile) -> None:
    data = os.urandom(5 * GROUP + 12_345)
    with Hashers() as hashers:
        assert build(data, profile, hashers=hashers) == build(data, profile)


@pytest.mark.parametrize("profile", PROFILES_OF_ALL_KINDS)
@pytest.mark.parametrize("size", [0, 1, 49, 50, 51, 1000, 300_000])
def test_a_file_on_the_disk_is_the_file_that_is_written(tmp_path: Path, profile: Profile, size: int) -> None:
    if size == 300_000 and profile.chunker.startswith(("size-7", "size-5", "rabin")):
        size = 3000
    (tmp_path / "file").write_bytes(os.urandom(size))
    counted: list[int] = []
    with (tmp_path / "file").open("rb") as file, Hashers() as hashers:
        builder = FileBuilder(NoStore(), profile, hashers=hashers)
        builder.write_descriptor(file.fileno(), size, on_bytes=counted.append)
        assert builder.finish() == build((tmp_path / "file").read_bytes(), profile)
    assert sum(counted) == size


def test_bytes_may_come_before_those_of_a_descriptor(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from the disk")
    builder = FileBuilder(NoStore(), Profile(chunker="size-4"))
    builder.write(b"written, ")
    with (tmp_path / "file").open("rb") as file:
        builder.write_descriptor(file.fileno(), 13)
    assert builder.finish() == build(b"written, from the disk", Profile(chunker="size-4"))


@pytest.mark.parametrize("chunker", ["size-4", "rabin-16-32-64"])
def test_a_file_that_became_shorter_is_noticed(tmp_path: Path, chunker: str) -> None:
    (tmp_path / "file").write_bytes(b"short")
    with (tmp_path / "file").open("rb") as file:
        builder = FileBuilder(NoStore(), Profile(chunker=chunker))
        with pytest.raises(FileChanged, match="5 bytes are left"):
            builder.write_descriptor(file.fileno(), 6)


def test_every_block_is_put_once_and_none_is_missing() -> None:
    store = Blocks()
    entry = build(os.urandom(1000), Profile(chunker="size-7", max_links=3), store)
    assert len(store.data) == 143 + 48 + 16 + 6 + 2 + 1
    assert entry.total_size == sum(map(len, store.data.values()))  # type: ignore[attr-defined]


def test_inlined_blocks_are_in_their_names_and_not_in_the_store() -> None:
    store = Blocks()
    entry = build(b"x" * 20, Profile(inline_limit=32), store)
    assert store.data == {}
    assert entry.cid.digest == b"x" * 20  # type: ignore[attr-defined]


def test_an_only_leaf_with_metadata_is_one_block_that_carries_both() -> None:
    for profile in (DEFAULT, PROFILES["unixfs-v0-2015"]):
        store = Blocks()
        entry = build(b"data", profile, store, mode=0o600, mtime=Mtime(1, 2))
        (cid,) = store.data
        message, links = store.parsed(cid)
        assert (message.type, message.data, message.filesize, links) == (DataType.FILE, b"data", 4, ())
        assert (message.permissions, message.mtime) == (0o600, Mtime(1, 2))
        assert entry.total_size == len(store.data[cid])  # type: ignore[attr-defined]


def test_a_finished_builder_takes_no_more() -> None:
    builder = FileBuilder(NoStore())
    builder.finish()
    with pytest.raises(LocalProtocolError, match="finished already"):
        builder.finish()


class SlowHashers(Hashers):
    """Hashes nothing until it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.most_waiting = 0

    def submit(self, work: Callable[[], object]) -> Future[object]:  # type: ignore[override]
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        outer = self

        class OnDemand(Future[object]):
            def result(self, timeout: float | None = None) -> object:
                outer.waiting -= 1
                return work()

        return OnDemand()


def test_no_more_than_a_few_mebibytes_are_under_way() -> None:
    with SlowHashers() as hashers:
        builder = FileBuilder(NoStore(), hashers=hashers)
        for _ in range(40):
            builder.write(bytes(GROUP))
        builder.finish()
        assert hashers.most_waiting == hashers.ahead + 1


class FullStore:
    """Refuses everything after so many blocks."""

    def __init__(self, room: int) -> None:
        self.room = room

    def put(self, blocks: Iterable[Block]) -> None:
        self.room -= len(list(blocks))
        if self.room < 0:
            raise ResourceLimitError("the quota is reached")


@pytest.mark.parametrize("room", [0, 5, 20])
def test_a_full_store_ends_the_work_with_its_own_error(room: int) -> None:
    with Hashers() as hashers:
        builder = FileBuilder(FullStore(room), hashers=hashers)
        with pytest.raises(ResourceLimitError, match="quota"):
            build_many(builder)
    assert not any(thread.name.startswith("zwerm-hash") for thread in threading.enumerate())


def build_many(builder: FileBuilder) -> None:
    for _ in range(10):
        builder.write(os.urandom(GROUP))
    builder.finish()


@pytest.fixture
def packs(tmp_path: Path) -> Iterator[PackBlockstore]:
    database = Database(tmp_path / "index.sqlite")
    store = PackBlockstore(tmp_path / "blocks", database)
    yield store
    store.close()
    database.close()


@pytest.mark.parametrize(
    ("profile", "size"),
    [
        (Profile(), 5 * GROUP + 77),
        (Profile(), 262_145),
        (Profile(chunker="size-1000"), 3 * GROUP + 1),
        (Profile(chunker="size-1500000"), 4 * GROUP),
        (Profile(inline_limit=100), 2 * GROUP + 100),
        (Profile(raw_leaves=False), 2 * GROUP),
        (Profile(keep_mtime=True), 262_144),
    ],
    ids=["many groups", "a byte too many", "small chunks", "one chunk a group", "inlined end", "wrapped", "one leaf"],
)
def test_a_file_on_the_disk_that_is_lent_part_by_part_becomes_what_its_bytes_do(
    packs: PackBlockstore, tmp_path: Path, profile: Profile, size: int
) -> None:
    data = random.Random(size).randbytes(size // 2) * 2  # halves that are alike: some blocks come twice
    data += bytes(size - len(data))
    (tmp_path / "file").write_bytes(data)
    mtime = Mtime(7, 8)
    written = FileBuilder(NoStore(), profile, mtime=mtime)
    written.write(data)
    expected = written.finish()
    with Hashers() as hashers, (tmp_path / "file").open("rb") as file:
        for store in (packs, NoStore()):
            builder = FileBuilder(store, profile, hashers=hashers, mtime=mtime)
            taken: list[int] = []
            builder.write_descriptor(file.fileno(), size, on_bytes=taken.append)
            assert builder.finish() == expected
            assert sum(taken) == size

    async def read() -> bytes:
        opened = await open_file(LocalSource(packs, verify=True), expected.cid)
        return b"".join([piece async for piece in opened.stream()])

    assert asyncio.run(read()) == data


def test_a_file_that_becomes_shorter_while_it_is_lent_is_refused(packs: PackBlockstore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3 * GROUP))
    with Hashers() as hashers, (tmp_path / "file").open("rb") as file:
        builder = FileBuilder(packs, hashers=hashers)
        with pytest.raises(FileChanged, match=f"{3 * GROUP} bytes are left"):
            builder.write_descriptor(file.fileno(), 9 * GROUP)
