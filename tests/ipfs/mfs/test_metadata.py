"""chmod, touch and chcid: metadata of UnixFS 1.5, and how directories are named."""

from __future__ import annotations

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.mfs.errors import FileMissing, NotADirectory
from zwerm.ipfs.mfs.journal import ChangeKind, Touch
from zwerm.ipfs.unixfs.chunker import MAX_CHUNK
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.multiformats import multicodec


@pytest.fixture
async def tree(room: Room) -> Room:
    await room.files.write("/d/raw", b"raw", create=True, parents=True)
    await room.files.write("/d/big", bytes(600_000), create=True)
    return room


@pytest.mark.parametrize("path", ["/d/raw", "/d/big", "/d", "/"])
async def test_permissions_and_time_are_set_and_content_stays(tree: Room, path: str) -> None:
    before = await tree.snapshot()
    change = await tree.files.chmod(path, 0o640)
    assert change.touches == (Touch(ChangeKind.MODE, path),)
    await tree.files.touch(path, Mtime(1_630_937_926, 5))
    found = await tree.files.stat(path)
    assert (found.mode, found.mtime) == (0o640, Mtime(1_630_937_926, 5))
    assert await tree.snapshot() == before
    assert (await tree.files.chmod(path, 0o640)).version is None


async def test_touch_without_a_time_means_now(tree: Room) -> None:
    await tree.files.touch("/d/raw")
    assert (await tree.files.stat("/d/raw")).mtime == Mtime.from_nanoseconds(tree.clock.nanoseconds())


async def test_a_time_follows_a_write_and_permissions_survive_it(tree: Room) -> None:
    await tree.files.chmod("/d/big", 0o600)
    await tree.files.touch("/d/big", Mtime(5))
    tree.clock.now += 10
    now = Mtime.from_nanoseconds(tree.clock.nanoseconds())
    for options in ({"offset": 9}, {"offset": 900_000}, {"truncate": True}, {"truncate": True, "offset": 3}):
        await tree.files.touch("/d/big", Mtime(5))
        await tree.files.write("/d/big", b"xyz", **options)
        found = await tree.files.stat("/d/big")
        assert (found.mode, found.mtime) == (0o600, now)
    assert await tree.read("/d/big") == b"\0\0\0xyz"


async def test_a_directory_keeps_its_metadata_when_names_come_and_go(tree: Room) -> None:
    await tree.files.chmod("/d", 0o700)
    await tree.files.touch("/d", Mtime(5))
    await tree.files.write("/d/new", b"x", create=True)
    found = await tree.files.stat("/d")
    assert (found.mode, found.mtime) == (0o700, Mtime(5))


async def test_no_permissions_are_taken_away_again(tree: Room) -> None:
    before = await tree.cid("/d/big")
    await tree.files.chmod("/d/big", 0o600)
    await tree.files.chmod("/d/big", 0)
    assert await tree.cid("/d/big") == before
    for mode in (-1, 0o10000):
        with pytest.raises(LocalProtocolError, match="expected 0 to 7777"):
            await tree.files.chmod("/d/big", mode)
    with pytest.raises(FileMissing):
        await tree.files.chmod("/none", 0o600)


async def test_bare_bytes_too_many_for_one_node_stay_a_block_below_it(tree: Room) -> None:
    block = Block.create(bytes(MAX_CHUNK + 200))
    tree.store.put([block])
    await tree.files.cp(f"/ipfs/{block.cid}", "/large")
    await tree.files.chmod("/large", 0o600)
    found = await tree.files.stat("/large")
    assert (found.mode, found.blocks, found.size) == (0o600, 1, MAX_CHUNK + 200)
    assert await tree.read("/large") == block.data


async def test_chcid_names_a_directory_anew_and_what_is_made_in_it_follows(tree: Room) -> None:
    await tree.files.chcid("/d", hash_code=multicodec.BLAKE2B_256)
    assert (await tree.cid("/d")).hash_code == multicodec.BLAKE2B_256
    await tree.files.write("/d/new", bytes(300_000), create=True)
    assert (await tree.cid("/d/new")).hash_code == multicodec.BLAKE2B_256
    await tree.files.chcid("/", cid_version=0)
    assert (await tree.cid("/")).version == 0
    assert await tree.read("/d/raw") == b"raw"


async def test_chcid_is_for_directories_and_without_a_wish_does_nothing(tree: Room) -> None:
    with pytest.raises(NotADirectory, match=r"^can only update directories$"):
        await tree.files.chcid("/d/raw", cid_version=0)
    assert (await tree.files.chcid("/d")).version is None
