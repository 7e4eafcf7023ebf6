"""`kill -9` at random moments of puts, pins, deletions, collections and compactions loses nothing acknowledged.

A child works on a repository and says what it has done through a pipe; after each kill the repository is opened,
compared with what was said, verified, and given to the next child.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ipfs.blockstore.workload import Expectation

pytestmark = pytest.mark.slow


def work_until_killed(folder: Path, seed: int, kind: str, expectation: Expectation, chance: random.Random) -> int:
    """Start a child, let it do some work, kill it in the middle of something; return how many events it told."""
    command = [sys.executable, "-m", "tests.ipfs.blockstore.workload", str(folder), str(seed), kind]
    events = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for line in child.stdout:
            events += 1
            expectation.see(json.loads(line))
            if events == 1:
                time.sleep(chance.random() ** 2 * 0.8)  # a moment that nothing announces
                child.kill()
        assert child.wait() == -9
    return events


def survive(folder: Path, kills: int, kind: str, seed: int) -> None:
    expectation = Expectation()
    chance = random.Random(seed)
    events = 0
    for number in range(kills):
        events += work_until_killed(folder, seed + number, kind, expectation, chance)
        assert expectation.problems(folder) == [], f"after kill {number} of seed {seed}"
    assert events > 10 * kills
    assert os.listdir(folder / "blocks")


@pytest.mark.parametrize("kind", ["alone", "beside collections"])
def test_ten_kills_lose_nothing_acknowledged(kind: str, tmp_path: Path) -> None:
    survive(tmp_path, 10, kind, 1)


@pytest.mark.full
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("kind", ["alone", "beside collections"])
def test_a_hundred_kills_lose_nothing_acknowledged(kind: str, tmp_path: Path) -> None:
    survive(tmp_path, 100, kind, 1_000)
