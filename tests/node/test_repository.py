"""The repository on the disk: made on first use, locked, healed, and never taken from somebody else."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from zwerm.core.errors import StorageError
from zwerm.node import migrations
from zwerm.node.atomic import write_atomically
from zwerm.node.lock import RepositoryLock, RepositoryLocked
from zwerm.node.migrations import NewerRepository, migrate, read_version
from zwerm.node.repository import ForeignRepository, Repository, default_path, is_kubo_repository


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "repository"


def snapshot(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_first_use_makes_it_private_and_whole(path: Path) -> None:
    with Repository.open(path) as repository:
        identity = repository.identity
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE((path / "key").stat().st_mode) == 0o600
        assert repository.blocks_path.is_dir()
        assert read_version(path) == migrations.VERSION
    with Repository.open(path) as again:
        assert again.identity == identity
        assert [entry.name for entry in again.keystore().entries()] == ["self"]


def test_a_second_opener_is_told_who_has_it(path: Path) -> None:
    with Repository.open(path, purpose="zwerm up"):
        with pytest.raises(RepositoryLocked, match=rf"process {os.getpid()} \(zwerm up\)") as caught:
            Repository.open(path)
        assert str(path) in str(caught.value)
    Repository.open(path).close()


def _hold(path: Path, ready, done) -> None:
    with RepositoryLock.acquire(path, purpose="other"):
        ready.set()
        done.wait(30)


def test_a_patient_opener_waits_for_the_other_process_and_a_dead_one_holds_nothing(path: Path) -> None:
    Repository.open(path).close()
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(path, ready, done))
    other.start()
    assert ready.wait(30)
    with pytest.raises(RepositoryLocked, match=f"process {other.pid} "):
        Repository.open(path)
    done.set()
    Repository.open(path, patience=30).close()
    other.join(30)

    ready.clear(), done.clear()
    other = context.Process(target=_hold, args=(path, ready, done))
    other.start()
    assert ready.wait(30)
    other.kill()
    other.join(30)
    Repository.open(path).close()


@pytest.mark.parametrize(
    "kept",
    [
        set(),
        {"repo.lock"},
        {"repo.lock", "key"},
        {"repo.lock", "key", "config.toml"},
        {"blocks", "keystore", "repo.lock"},
        {"index.sqlite", "repo.lock"},
    ],
    ids=lambda kept: "+".join(sorted(kept)) or "nothing",
)
def test_a_creation_that_was_cut_off_heals(path: Path, kept: set[str]) -> None:
    with Repository.open(path) as repository:
        identity = repository.identity
    for entry in list(path.iterdir()):
        if entry.name not in kept:
            entry.rmdir() if entry.is_dir() else entry.unlink()
    (path / ".key.0a1b2c3d.tmp").write_bytes(b"half a key")
    with Repository.open(path) as repository:
        assert (repository.identity == identity) == ("key" in kept)
        assert read_version(path) == migrations.VERSION
    Repository.open(path).close()
    assert not (path / ".key.0a1b2c3d.tmp").exists()


def test_a_torn_version_file_is_a_creation_that_was_cut_off(path: Path) -> None:
    Repository.open(path).close()
    (path / "version").write_bytes(b"")
    Repository.open(path).close()
    assert read_version(path) == migrations.VERSION


def test_a_lost_configuration_is_made_again_and_a_lost_key_is_said(path: Path) -> None:
    Repository.open(path).close()
    (path / "config.toml").unlink()
    Repository.open(path).close()
    assert (path / "config.toml").exists()
    (path / "key").write_bytes(b"\x08\x01nonsense")
    with pytest.raises(StorageError, match="key is damaged"):
        Repository.open(path)
    (path / "key").unlink()
    with pytest.raises(StorageError, match="key is missing"):
        Repository.open(path)


def test_a_newer_repository_is_refused_untouched(path: Path) -> None:
    Repository.open(path).close()
    (path / "version").write_text("99\n")
    before = snapshot(path)
    with pytest.raises(NewerRepository, match="version 99, this zwerm knows up to 1; update zwerm") as caught:
        Repository.open(path)
    assert "\n" not in str(caught.value)
    assert snapshot(path) == before


def test_a_version_that_is_no_number_is_damage(path: Path) -> None:
    Repository.open(path).close()
    (path / "version").write_text("two\n")
    with pytest.raises(StorageError, match="expected a number"):
        Repository.open(path)


@pytest.mark.parametrize(
    "files",
    [
        {"datastore_spec": "{}", "version": "15\n", "config": "{}"},
        {"config": json.dumps({"Identity": {"PeerID": "12D3..."}, "Addresses": {}}), "version": "1\n"},
    ],
    ids=["datastore_spec", "identity in config"],
)
def test_a_kubo_repository_is_recognised_and_left_alone(path: Path, files: dict[str, str]) -> None:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    before = snapshot(path)
    assert is_kubo_repository(path)
    with pytest.raises(ForeignRepository, match="repository of Kubo"):
        Repository.open(path)
    assert snapshot(path) == before


def test_a_directory_with_other_files_is_left_alone(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")
    with pytest.raises(ForeignRepository, match=r"thesis\.txt lies there"):
        Repository.open(path)
    assert [entry.name for entry in path.iterdir()] == ["thesis.txt"]


def test_a_file_in_its_place_is_said(path: Path) -> None:
    path.write_text("x")
    with pytest.raises(ForeignRepository, match="is a file"):
        Repository.open(path)


def test_a_place_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot open repository") as caught:
        Repository.open(tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)


def test_a_profile_is_remembered_from_the_creation_on(path: Path) -> None:
    with Repository.open(path, profile="test") as repository:
        assert repository.config.profile == "test"
    with Repository.open(path, overrides={"log.level": "debug"}) as repository:
        assert repository.config.profile == "test"
        assert repository.config.text("log.level") == "debug"


def test_migrations_run_in_order_and_go_on_where_they_stopped(path: Path) -> None:
    Repository.open(path).close()
    ran: list[str] = []

    def failing(_: Path) -> None:
        raise StorageError("cut off")

    with pytest.raises(StorageError, match="cut off"):
        migrate(path, 1, known=3, steps={1: lambda _: ran.append("one"), 2: failing})
    assert read_version(path) == 2
    assert migrate(path, 2, known=3, steps={2: lambda _: ran.append("two")}) == [3]
    assert ran == ["one", "two"]
    with pytest.raises(StorageError, match="no migration leads on"):
        migrate(path, 0, known=3, steps={})


def test_the_environment_says_where_it_is() -> None:
    assert default_path({"ZWERM_PATH": "/data/node"}) == Path("/data/node")
    assert default_path({}) == Path.home() / ".zwerm"


def test_a_failed_replacement_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "inside").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        write_atomically(tmp_path / "d", b"new", mode=0o600)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["d"]
