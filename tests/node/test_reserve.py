"""Room kept back for making room: how much, when it goes, and that it comes back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zwerm.core.errors import DiskFull
from zwerm.node import reserve as module
from zwerm.node.reserve import LEAST, MOST, RESERVE_NAME, Reserve, with_room

GIBIBYTE = 1 << 30


@pytest.fixture
def reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reserve:
    monkeypatch.setattr(module, "free_space", lambda _: GIBIBYTE)
    return Reserve(tmp_path / RESERVE_NAME)


@pytest.mark.parametrize(
    ("content", "size"),
    [(0, 0), (4 * LEAST - 4, 0), (4 * LEAST, LEAST), (4 * MOST, MOST), (GIBIBYTE, MOST)],
)
def test_it_is_a_part_of_what_the_repository_holds(reserve: Reserve, content: int, size: int) -> None:
    reserve.ensure(content)
    assert reserve.size == size


def test_it_really_takes_the_room(reserve: Reserve, tmp_path: Path) -> None:
    reserve.ensure(GIBIBYTE)
    assert (tmp_path / RESERVE_NAME).stat().st_blocks * 512 >= MOST


def test_it_grows_with_the_repository_in_large_steps_and_never_shrinks(reserve: Reserve) -> None:
    sizes = []
    for content in (4 * LEAST, 7 * LEAST, 8 * LEAST, LEAST):
        reserve.ensure(content)
        sizes.append(reserve.size)
    assert sizes == [LEAST, LEAST, 2 * LEAST, 2 * LEAST]


def test_a_limit_leaves_it_little_and_what_is_spared_is_spared(reserve: Reserve) -> None:
    reserve.ensure(GIBIBYTE, limit=64 * LEAST - 64)
    assert reserve.size == 0
    reserve.ensure(60 * LEAST, limit=64 * LEAST, spare=4 * LEAST)
    assert reserve.size == 0
    reserve.ensure(59 * LEAST, limit=64 * LEAST, spare=4 * LEAST)
    assert reserve.size == LEAST


def test_a_disk_with_little_room_is_left_alone(reserve: Reserve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_space", lambda _: 16 * LEAST - 16)
    reserve.ensure(GIBIBYTE)
    assert reserve.size == 0
    monkeypatch.setattr(module, "free_space", lambda _: 16 * LEAST)
    reserve.ensure(GIBIBYTE)
    assert reserve.size == LEAST


def test_a_disk_that_says_it_has_room_and_has_none_leaves_no_file(
    reserve: Reserve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve.ensure(GIBIBYTE)
    assert list(tmp_path.iterdir()) == []


def test_what_is_released_comes_back_when_its_last_user_is_done(reserve: Reserve, tmp_path: Path) -> None:
    reserve.ensure(GIBIBYTE)
    with reserve.released() as first:
        with reserve.released() as second:
            assert first
            assert second
            assert list(tmp_path.iterdir()) == []
        reserve.ensure(GIBIBYTE)
        assert reserve.size == 0
    assert reserve.size == MOST


def test_with_less_room_than_before_it_comes_back_smaller(reserve: Reserve, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve.ensure(GIBIBYTE)
    with reserve.released():
        monkeypatch.setattr(module, "free_space", lambda _: 3 * LEAST)
    assert reserve.size == 3 * LEAST


async def test_work_that_meets_a_full_disk_is_done_once_more_without_it(reserve: Reserve) -> None:
    seen = []

    async def work() -> str:
        seen.append(reserve.size)
        if len(seen) == 1:
            raise DiskFull("the disk is full")
        return "done"

    reserve.ensure(GIBIBYTE)
    assert await with_room(reserve, work) == "done"
    assert seen == [MOST, 0]
    assert reserve.size == MOST


@pytest.mark.parametrize("has_reserve", [True, False])
async def test_work_that_cannot_be_done_fails(reserve: Reserve, has_reserve: bool) -> None:
    calls = []

    async def work() -> None:
        calls.append(reserve.size)
        raise DiskFull("the disk is full")

    if has_reserve:
        reserve.ensure(GIBIBYTE)
    with pytest.raises(DiskFull, match="the disk is full"):
        await with_room(reserve, work)
    assert calls == ([MOST, 0] if has_reserve else [0])
    assert reserve.size == (MOST if has_reserve else 0)
