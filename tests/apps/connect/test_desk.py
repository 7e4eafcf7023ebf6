"""Files between two desks over real sockets: asked, sent, stopped, resumed, and refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.apps.connect.pair import paste, people
from zwerm.apps.connect import desk
from zwerm.apps.connect.conversation import CodeMade
from zwerm.apps.connect.desk import FileState, Way
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.transfer.message import Reason

pytestmark = pytest.mark.asyncio


def make(folder: Path, name: str, size: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


async def test_files_go_both_ways_at_once_and_arrive_whole(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        await paste(left, right)
        sources = [
            make(tmp_path / "from", f"{name}.bin", size) for name, size in (("a", 3_000_000), ("b", 0), ("c", 9))
        ]
        back = make(tmp_path / "from", "back.bin", 2_000_000)
        for source in sources:
            await left.talk.desk.send(source)
        await right.talk.desk.send(back)
        for source in sources:
            await right.file(FileState.DONE, source.name)
            assert (right.folder / source.name).read_bytes() == source.read_bytes()
        await left.file(FileState.DONE, "back.bin")
        assert (left.folder / "back.bin").read_bytes() == back.read_bytes()
        moved = [moved for name, state, moved in left.moves if name == "a.bin" and state is FileState.MOVING]
        assert moved == sorted(moved)
        assert moved[-1] == 3_000_000


async def test_somebody_who_is_asked_takes_one_and_declines_the_other(tmp_path: Path) -> None:
    async with people(tmp_path, accepts_all=False) as (left, right):
        await paste(left, right)
        for name in ("a.bin", "b.bin"):
            await left.talk.desk.send(make(tmp_path / "from", name, 100))
        await right.file(FileState.OFFERED, "b.bin")
        right.talk.desk.decline(1)
        right.talk.desk.accept(2)
        assert (await left.file(FileState.ENDED)).reason is Reason.DECLINED
        await right.file(FileState.DONE, "b.bin")
        assert [path.name for path in right.folder.iterdir()] == ["b.bin"]
        for number in (1, 2, 3):
            with pytest.raises(LocalProtocolError):
                right.talk.desk.accept(number)
            with pytest.raises(LocalProtocolError):
                right.talk.desk.decline(number)
        assert right.talk.desk.is_all_over


async def test_what_was_moving_waits_for_the_next_link_and_goes_on(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        await paste(left, right)
        source = make(tmp_path / "from", "film.bin", 40_000_000)
        entry = await left.talk.desk.send(source)
        await left.moved(entry, 1_000_000)
        await left.talk.begin()
        await right.file(FileState.WAITING)
        assert entry.state is FileState.WAITING
        before = len(right.moves)
        codes = [(await one.told(CodeMade)).code for one in (left, right)]
        await left.talk.connect(codes[1])
        await right.talk.connect(codes[0])
        await right.file(FileState.DONE)
        moved = [moved for _, state, moved in right.moves[before:] if state is FileState.MOVING]
        assert moved[0] >= 1_000_000
        assert (right.folder / "film.bin").read_bytes() == source.read_bytes()
        assert [path.name for path in right.folder.iterdir()] == ["film.bin"]


async def test_a_file_sent_before_anybody_is_there_is_offered_when_they_come(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        entry = await left.talk.desk.send(make(tmp_path / "from", "early.bin", 10))
        assert entry.state is FileState.WAITING
        await paste(left, right)
        await right.file(FileState.DONE, "early.bin")


async def test_a_file_that_changes_while_it_is_offered_is_not_sent(tmp_path: Path) -> None:
    async with people(tmp_path, accepts_all=False) as (left, right):
        await paste(left, right)
        source = make(tmp_path / "from", "draft.txt", 1_000)
        await left.talk.desk.send(source)
        await right.file(FileState.OFFERED)
        source.write_bytes(b"something else")
        right.talk.desk.accept(1)
        assert (await right.file(FileState.ENDED)).reason is Reason.CHANGED
        assert (await left.file(FileState.ENDED)).reason is Reason.CHANGED


async def test_a_folder_that_cannot_be_written_is_told_to_both(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        right.folder.write_text("a file where the folder should be")
        await paste(left, right)
        await left.talk.desk.send(make(tmp_path / "from", "a.bin", 10))
        assert (await left.file(FileState.ENDED)).reason is Reason.CANNOT_WRITE
        assert (await right.file(FileState.ENDED)).reason is Reason.CANNOT_WRITE


async def test_a_damaged_part_is_told_and_gone(tmp_path: Path) -> None:
    async with people(tmp_path, accepts_all=False) as (left, right):
        await paste(left, right)
        entry = await left.talk.desk.send(make(tmp_path / "from", "a.bin", 1_000))
        await right.file(FileState.OFFERED)
        make(right.folder, f"a.bin.{entry.sha256[:6].hex()}.part", 500)
        right.talk.desk.accept(1)
        assert (await left.file(FileState.ENDED)).reason is Reason.DAMAGED
        assert list(right.folder.iterdir()) == []


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_either_side_stops_a_file_that_moves(tmp_path: Path, who: str) -> None:
    async with people(tmp_path) as (left, right):
        await paste(left, right)
        await left.talk.desk.send(make(tmp_path / "from", "film.bin", 40_000_000))
        await right.file(FileState.MOVING)
        (left if who == "sender" else right).talk.desk.decline(1)
        for one in (left, right):
            assert (await one.file(FileState.ENDED)).reason is Reason.STOPPED
        await left.talk.desk.send(make(tmp_path / "from", "next.bin", 10))
        await right.file(FileState.DONE, "next.bin")
        assert {entry.way for entry in right.talk.desk.entries} == {Way.IN}


async def test_files_that_are_remembered_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MAX_ENTRIES", 3)
    async with people(tmp_path, accepts_all=False) as (left, right):
        await paste(left, right)
        source = make(tmp_path / "from", "again.bin", 10)
        for number in range(1, 6):
            await left.talk.desk.send(source)
            await right.file(FileState.OFFERED)
            right.talk.desk.decline(number)
        assert [entry.number for entry in right.talk.desk.entries] == [3, 4, 5]
