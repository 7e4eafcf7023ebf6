"""The lock of a repository: one holder, whose end frees it, and a message that names it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from zwerm.core.errors import StorageError
from zwerm.node.lock import LOCK_NAME, RepositoryLock, RepositoryLocked


def test_the_holder_is_named_and_the_lock_free_after_it(tmp_path: Path) -> None:
    with RepositoryLock.acquire(tmp_path, purpose="zwerm up") as lock:
        with pytest.raises(RepositoryLocked, match="is in use by") as caught:
            RepositoryLock.acquire(tmp_path, purpose="zwerm add")
        assert caught.value.holder == f"process {os.getpid()} (zwerm up)"
        lock.release()
        lock.release()
        RepositoryLock.acquire(tmp_path, purpose="zwerm add").release()
    assert (tmp_path / LOCK_NAME).read_bytes() == b""


def test_a_holder_that_left_no_text_is_another_process(tmp_path: Path) -> None:
    with RepositoryLock.acquire(tmp_path, purpose="zwerm up"):
        os.truncate(tmp_path / LOCK_NAME, 0)
        with pytest.raises(RepositoryLocked, match="in use by another process"):
            RepositoryLock.acquire(tmp_path, purpose="zwerm add")


def test_whoever_is_patient_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    first = RepositoryLock.acquire(tmp_path, purpose="first")
    taken: list[RepositoryLock] = []
    other = threading.Thread(
        target=lambda: taken.append(RepositoryLock.acquire(tmp_path, purpose="second", patience=60.0))
    )
    other.start()
    assert taken == []
    first.release()
    other.join(60)
    assert (tmp_path / LOCK_NAME).read_text() == f"process {os.getpid()} (second)\n"
    taken[0].release()


def test_a_shorter_name_leaves_nothing_of_the_longer_one_before(tmp_path: Path) -> None:
    RepositoryLock.acquire(tmp_path, purpose="a very long purpose").release()
    with RepositoryLock.acquire(tmp_path, purpose="p"):
        assert (tmp_path / LOCK_NAME).read_text() == f"process {os.getpid()} (p)\n"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b"")], ids=["missing", "a file"])
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, make) -> None:
    folder = tmp_path / "repository"
    make(folder)
    with pytest.raises(StorageError, match=f"cannot open repository {folder}"):
        RepositoryLock.acquire(folder, purpose="p")
