"""Power loss at any call, with whatever had not been synced lost, torn or out of order, costs nothing acknowledged.

The program of `workload` is recorded; the recording is cut in many places and ways; each time the repository is opened
and compared with what had been acknowledged at the cut. Then the same with one kind of sync left out at a time: each
must show a loss, or the sync would protect nothing.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.blockstore.workload import Expectation
from tests.sim.power_loss import Mode, Recording, record
from zwerm.ipfs.blockstore.disk import Sync

pytestmark = pytest.mark.slow

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="zwerm-power-", dir=MEMORY))
    yield path
    shutil.rmtree(path)


def run_workload(folder: Path, seed: int, left_out: str = "") -> Recording:
    repository = folder / "repository"
    repository.mkdir()
    arguments = ["-m", "tests.ipfs.blockstore.workload", str(repository), str(seed), "tour"]
    return record([*arguments, *([left_out] if left_out else [])], repository)


def problems_after(recording: Recording, position: int, mode: Mode, seed: int, folder: Path) -> list[str]:
    image = folder / "image"
    recording.image(position, mode, seed, image)
    expectation = Expectation()
    for at, line in recording.lines:
        if at <= position:
            expectation.see(json.loads(line))
    try:
        return expectation.problems(image)
    finally:
        shutil.rmtree(image)


def cuts(recording: Recording, count: int, seed: int) -> list[tuple[int, Mode]]:
    chance = random.Random(seed)
    places = recording.unsynced_positions()
    return [(chance.choice(places) - chance.randint(0, 1), chance.choice(list(Mode))) for _ in range(count)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_power_cut_anywhere_loses_nothing_acknowledged(seed: int, folder: Path) -> None:
    recording = run_workload(folder, seed)
    assert len(recording.lines) > 90
    for position, mode in cuts(recording, 500, seed):
        assert problems_after(recording, position, mode, seed, folder) == [], (position, mode)


@pytest.mark.full
def test_a_power_cut_at_every_call_loses_nothing_acknowledged(folder: Path) -> None:
    recording = run_workload(folder, 4)
    for position in recording.unsynced_positions():
        for mode in Mode:
            assert problems_after(recording, position, mode, position, folder) == [], (position, mode)


@pytest.mark.parametrize("left_out", [*(sync.name for sync in Sync), "SQLITE"])
def test_without_any_one_sync_something_is_lost(left_out: str, folder: Path) -> None:
    for seed in range(1, 9):
        recording = run_workload(folder, seed, left_out)
        for position, _ in recording.lines:
            for mode in (Mode.NOTHING, Mode.CONTENTS, Mode.UNCUT):
                if problems_after(recording, position, mode, seed, folder):
                    return
        shutil.rmtree(folder / "repository")
    pytest.fail(f"nothing was ever lost without {left_out}")
