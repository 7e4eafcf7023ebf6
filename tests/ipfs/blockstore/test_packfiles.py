"""Pack files: open as long as somebody reads, counted as long as they take space, numbers never used twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles


@pytest.fixture
def holds() -> Holds:
    return Holds()


@pytest.fixture
def files(tmp_path: Path, holds: Holds) -> Iterator[PackFiles]:
    files = PackFiles(str(tmp_path), Disk(), holds)
    yield files
    files.close()


def make(files: PackFiles, size: int = 100) -> PackFile:
    file = files.create()
    os.pwrite(file.descriptor, bytes(size), 0)
    file.size = size
    return file


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_numbers_are_never_given_out_twice(files: PackFiles) -> None:
    first = make(files)
    files.release(first)
    files.remove(first.number)
    files.skip(7)
    files.add(9, 0)
    assert [first.number, make(files).number] == [1, 10]
    assert files.numbers() == [9, 10]


def test_a_removed_file_counts_until_its_last_reader_is_done(files: PackFiles, tmp_path: Path) -> None:
    file = make(files)
    assert files.acquire(file.number) is file
    files.remove(file.number)
    assert list(tmp_path.iterdir()) == []
    assert files.acquire(file.number) is None
    files.release(file)
    assert files.total() == 100
    descriptor = file.descriptor
    assert len(os.pread(descriptor, 100, 0)) == 100
    files.release(file)
    assert files.total() == 0
    assert not is_open(descriptor)


def test_a_lent_descriptor_outlives_every_hold_of_its_time(files: PackFiles, holds: Holds) -> None:
    file = make(files)
    descriptor = file.descriptor
    first, second = holds.begin(), holds.begin()
    files.lend(file)
    later = holds.begin()
    files.release(file)
    files.remove(file.number)
    for token in (first, second):
        assert files.total() == 100
        assert is_open(descriptor)
        holds.end(token)
    assert files.total() == 0
    assert not is_open(descriptor)
    holds.end(later)


def test_a_file_is_opened_again_for_writing_under_the_same_descriptor(files: PackFiles, tmp_path: Path) -> None:
    (tmp_path / "00000003.pack").write_bytes(b"abc")
    files.add(3, 3)
    reading = files.acquire(3)
    assert reading is not None
    descriptor = reading.descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pwrite(descriptor, b"x", 0)
    writing = files.acquire(3, writing=True)
    assert writing is reading
    assert writing.descriptor == descriptor
    os.pwrite(descriptor, b"x", 0)
    assert (tmp_path / "00000003.pack").read_bytes() == b"xbc"
    files.release(reading)
    files.release(writing)


def test_a_file_that_is_gone_is_an_os_error_and_removing_it_is_not(files: PackFiles) -> None:
    files.add(3, 50)
    with pytest.raises(FileNotFoundError):
        files.acquire(3)
    files.remove(3)
    assert files.total() == 0


def test_closing_waits_for_readers_and_refuses_new_ones(files: PackFiles) -> None:
    file = make(files)
    idle = make(files)
    files.release(idle)
    descriptors = file.descriptor, idle.descriptor
    files.close()
    assert [is_open(descriptor) for descriptor in descriptors] == [True, False]
    with pytest.raises(LocalProtocolError, match="the blockstore is closed"):
        files.acquire(file.number)
    files.release(file)
    assert not is_open(descriptors[0])


def test_a_file_that_somebody_else_wrote_to_gets_a_new_series(files: PackFiles) -> None:
    file = make(files)
    first = files.series(file)
    assert files.series(file) == first
    with files.writing(file):
        os.pwrite(file.descriptor, b"ours", 10)
        assert files.series(file) == first
    assert files.series(file) == first
    os.pwrite(file.descriptor, b"theirs", 10)
    second = files.series(file)
    assert second != first
    assert files.series(file) == second
    os.truncate(file.path, 50)
    with files.writing(file):  # which comes too late to make the change look like ours
        os.pwrite(file.descriptor, b"ours", 10)
    assert files.series(file) not in (first, second)


def test_no_two_files_share_a_series(files: PackFiles) -> None:
    assert len({files.series(make(files)) for _ in range(5)}) == 5
