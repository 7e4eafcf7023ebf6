"""kill -9 at any moment: every change that was acknowledged is there, with its version, whole and signed."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.ipfs.mfs.room import disk_room
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.versions.log import Version
from zwerm.multiformats.cid import CID

ROOT = Path(__file__).parents[3]


def killed(folder: Path, seed: int) -> list[tuple[CID, CID]]:
    """Let a process change files and kill it at a random moment; return what it had acknowledged."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ipfs.mfs.crash_child", str(folder), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    acknowledged: list[tuple[CID, CID]] = []
    try:
        assert process.stdout.readline() == "ready\n"
        delay = random.Random(seed).uniform(0.0, 0.4)
        timer = threading.Timer(delay, process.kill)
        timer.start()
        for line in process.stdout:
            if line.endswith("\n"):  # one that was cut off by the kill says nothing
                version, root = line.split()
                acknowledged.append((CID.from_text(version), CID.from_text(root)))
        timer.join()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    return acknowledged


async def check(folder: Path, acknowledged: list[tuple[CID, CID]]) -> int:
    """Look for everything that was acknowledged; return how many versions there are."""
    async with disk_room(folder) as room:
        verified = await room.history.verify()
        assert (verified.valid, verified.problems, verified.gap) == (True, [], None)
        log = [found async for found in await room.history.log("/") if isinstance(found, Version)]
        position = {version.cid: version.position for version in log}
        for version, root in acknowledged:
            assert version in position, "an acknowledged version is gone"
            assert log[position[version]].commit.root == root
        if log:
            assert await room.files.root() == log[0].commit.root
        # Every block of the tree as it is, and of a few versions before, is there and hashes to its name.
        roots = [await room.files.root(), *(version.commit.root for version in log[:3])]
        async for cid, _ in walk(room.source, roots):
            room.store.get(cid, verify=True)
        return len(log)


async def kill_and_check(folder: Path, times: int, seed: int) -> None:
    everything: list[tuple[CID, CID]] = []
    versions = 0
    for number in range(times):
        acknowledged = killed(folder, seed + number)
        everything += acknowledged
        before, versions = versions, await check(folder, everything)
        # Besides them there may be the one that was being made when the process died.
        assert versions - before - len(acknowledged) in (0, 1)
    assert len(everything) > times, "the child was always killed before it had done anything"


@pytest.mark.slow
async def test_killed_twenty_times_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    await kill_and_check(tmp_path / "repository", 20, seed=1)


@pytest.mark.full
@pytest.mark.timeout(1_800)
async def test_killed_two_hundred_times_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    for batch in range(10):
        await kill_and_check(tmp_path / f"repository {batch}", 20, seed=1_000 * (batch + 1))
