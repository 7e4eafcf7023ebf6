"""The appender: a buffer, large writes, the next file, and what must be synced."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.check_blockstore import block
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.appender import Appender
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Place
from zwerm.ipfs.blockstore.pack import HEADER, scan
from zwerm.ipfs.blockstore.packfiles import PackFiles


class Halting(Disk):
    """Writes at most so many bytes at once, and in all."""

    at_once = 1 << 30
    room = 1 << 30

    def write(self, descriptor: int, buffers: Sequence[Any], offset: int) -> int:
        data = b"".join(buffers)[: min(self.at_once, self.room)]
        if not data:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return super().write(descriptor, [data], offset)


@pytest.fixture
def disk() -> Halting:
    return Halting()


@pytest.fixture
def files(tmp_path: Path, disk: Halting) -> Iterator[PackFiles]:
    files = PackFiles(str(tmp_path), disk, Holds())
    yield files
    files.close()


def add(appender: Appender, item: Block) -> Place:
    return appender.append(bytes(item.cid), item.cid.multihash, item.data, 0)


def keys_in(path: Path) -> list[bytes]:
    descriptor = os.open(path, os.O_RDONLY)
    found = [section.cid.multihash for section in scan(descriptor, len(HEADER), path.stat().st_size) if section.intact]
    os.close(descriptor)
    return found


def test_blocks_wait_in_the_buffer_and_lie_where_it_was_said(files: PackFiles, disk: Halting, tmp_path: Path) -> None:
    appender = Appender(files, disk, 1 << 20)
    items = [block(number, 1_000) for number in range(10)]
    places = [add(appender, item) for item in items]
    assert appender.unwritten == {item.cid.multihash: item.data for item in items}
    assert appender.buffered == 10 * 1_038
    appender.write_out()
    assert appender.unwritten == {}
    data = (tmp_path / "00000001.pack").read_bytes()
    for item, place in zip(items, places, strict=True):
        assert data[place.offset : place.offset + place.size] == item.data
    appender.close()


def test_short_writes_are_gone_on_with(files: PackFiles, disk: Halting, tmp_path: Path) -> None:
    disk.at_once = 333
    appender = Appender(files, disk, 1 << 20)
    items = [block(number, 1_000) for number in range(10)]
    for item in items:
        add(appender, item)
    appender.write_out()
    assert keys_in(tmp_path / "00000001.pack") == [item.cid.multihash for item in items]
    appender.close()


def test_a_failed_write_is_taken_back_and_tried_again(files: PackFiles, disk: Halting, tmp_path: Path) -> None:
    appender = Appender(files, disk, 1 << 20)
    items = [block(number, 1_000) for number in range(10)]
    for item in items:
        add(appender, item)
    disk.room = 4_000
    with pytest.raises(StorageError, match="cannot write blocks: the disk is full"):
        appender.write_out()
    assert (tmp_path / "00000001.pack").stat().st_size == len(HEADER)
    assert len(appender.unwritten) == 10
    disk.room = 1 << 30
    appender.write_out()
    assert keys_in(tmp_path / "00000001.pack") == [item.cid.multihash for item in items]
    appender.close()


def test_no_pack_grows_past_its_size_unless_one_block_does(files: PackFiles, disk: Halting, tmp_path: Path) -> None:
    appender = Appender(files, disk, 5_000)
    for number in range(20):
        add(appender, block(number, 1_000))
    add(appender, block(20, 9_000))
    add(appender, block(21, 10))
    appender.write_out()
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert sizes == [26 + 4 * 1_038] * 5 + [26 + 9_038, 26 + 47]
    appender.close()


def test_what_must_be_synced_is_told_once_and_stays_open_for_it(files: PackFiles, disk: Halting) -> None:
    appender = Appender(files, disk, 3_000)
    for number in range(6):
        add(appender, block(number, 1_000))
    appender.write_out()
    first = appender.take_unsynced()
    assert [(item.file.number, item.size, item.is_new) for item in first] == [(n, 2_102, True) for n in (1, 2, 3)]
    assert all(item.file.descriptor >= 0 for item in first)
    assert appender.take_unsynced() == []
    appender.put_back(first)
    add(appender, block(6, 500))
    appender.write_out()
    again = appender.take_unsynced()
    assert [(item.file.number, item.size, item.is_new) for item in again][2] == (3, 2_640, True)
    assert not appender.leave(3)
    appender.release(again)
    assert appender.has(3)
    assert appender.leave(3)
    assert not appender.has(3)
    add(appender, block(7, 500))
    assert appender.number == 4
    appender.close()


def test_a_pack_is_gone_on_with(files: PackFiles, disk: Halting, tmp_path: Path) -> None:
    appender = Appender(files, disk, 5_000)
    add(appender, block(1, 100))
    appender.write_out()
    appender.close()
    appender.resume(1)
    add(appender, block(2, 100))
    appender.write_out()
    assert [(item.file.number, item.is_new) for item in appender.take_unsynced()] == [(1, False)]
    assert keys_in(tmp_path / "00000001.pack") == [block(1, 100).cid.multihash, block(2, 100).cid.multihash]
