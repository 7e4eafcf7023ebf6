"""Repositories of other versions: newer ones are refused, older ones brought here a step at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from zwerm.core.errors import StorageError
from zwerm.node.migrations import VERSION_NAME, NewerRepository, migrate, read_version


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / VERSION_NAME).write_text("1\n")
    return tmp_path


@pytest.mark.parametrize(("text", "version"), [("1\n", 1), ("12", 12), ("", None), ("\n", None)])
def test_the_version_is_a_number_in_a_file(repository: Path, text: str, version: int | None) -> None:
    (repository / VERSION_NAME).write_text(text)
    assert read_version(repository) == version


def test_a_repository_without_the_file_has_no_version(tmp_path: Path) -> None:
    assert read_version(tmp_path) is None


@pytest.mark.parametrize("data", [b"two", b"-1", b"1.0", b"1234567890", "١".encode()])
def test_what_is_no_number_is_damage(repository: Path, data: bytes) -> None:
    (repository / VERSION_NAME).write_bytes(data)
    with pytest.raises(StorageError, match=VERSION_NAME):
        read_version(repository)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / VERSION_NAME).mkdir()
    with pytest.raises(StorageError, match=f"cannot read .*{VERSION_NAME}"):
        read_version(tmp_path)


def test_each_step_is_passed_and_its_version_written_before_the_next(repository: Path) -> None:
    seen: list[int | None] = []
    steps = {version: lambda path: seen.append(read_version(path)) for version in (1, 2, 3)}
    assert migrate(repository, 1, known=4, steps=steps) == [2, 3, 4]
    assert seen == [1, 2, 3]
    assert read_version(repository) == 4


def test_a_step_that_fails_leaves_the_version_before_it(repository: Path) -> None:
    def fail(path: Path) -> None:
        raise StorageError("no room")

    with pytest.raises(StorageError, match="no room"):
        migrate(repository, 1, known=3, steps={1: lambda path: None, 2: fail})
    assert read_version(repository) == 2


def test_a_version_from_which_nothing_leads_on_is_said(repository: Path) -> None:
    with pytest.raises(StorageError, match="version 2, from which no migration leads on"):
        migrate(repository, 1, known=3, steps={1: lambda path: None})


def test_a_newer_one_is_refused_and_the_present_one_is_left_alone(repository: Path) -> None:
    with pytest.raises(NewerRepository, match="version 2, this zwerm knows up to 1"):
        migrate(repository, 2, known=1)
    assert migrate(repository, 1, known=1) == []
    assert read_version(repository) == 1
