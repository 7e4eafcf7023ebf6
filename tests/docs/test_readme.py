"""README.md, followed word for word in an empty folder: what it says to type works."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.harness import PATIENCE, Daemon

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
TYPED = [line.removeprefix("$ ") for _, block in BLOCKS for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, but for what the README takes for granted: some photos."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"a cat")
    (tmp_path / "photos" / "blurred.jpg").write_bytes(b"perhaps a cat")
    shutil.copy(tmp_path / "photos" / "cat.jpg", tmp_path)
    return tmp_path


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("node") / "repository").wait_ready()
    try:
        yield daemon
    finally:
        daemon.stop()


def run(command: str, folder: Path, repository: Path) -> str:
    """Type one line of the README; what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWERM_")} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ZWERM_PATH": str(repository),
        "ZWERM_PROFILE": "test",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_its_commands_do_what_it_says(folder: Path, daemon: Daemon) -> None:
    first = next(line for line in TYPED if line.startswith("zwerm add -r photos"))
    printed = run(first, folder, daemon.path)
    assert re.search(r"^added bafkrei\w+ photos/cat\.jpg$", printed, re.MULTILINE)
    (address,) = re.findall(r"^added (bafybei\w+) photos$", printed, re.MULTILINE)
    assert daemon.get(daemon.gateway, f"/ipfs/{address}/cat.jpg").body == b"a cat"

    history = [line for line in TYPED if "/photos" in line]
    assert [line.split()[1] for line in history] == ["add", "add", "history", "diff", "restore"]
    added, cleaned, listed, compared, restored = history
    run(added, folder, daemon.path)
    (folder / "photos" / "blurred.jpg").unlink()
    run(cleaned, folder, daemon.path)
    shown = run(listed, folder, daemon.path)
    assert "first day" in shown
    assert "without the blurred ones" in shown
    assert "blurred.jpg" in run(compared, folder, daemon.path)
    assert "blurred.jpg" not in run("zwerm files ls /photos", folder, daemon.path)
    run(restored, folder, daemon.path)
    assert "blurred.jpg" in run("zwerm files ls /photos", folder, daemon.path)

    (sent,) = (line for line in TYPED if line.startswith("curl"))
    assert '"Name":"cat.jpg"' in run(sent.replace("127.0.0.1:5001", daemon.api), folder, daemon.path)


def test_its_program_runs(folder: Path) -> None:
    (program,) = (block for language, block in BLOCKS if language == "python")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWERM_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=folder,
        env=environment | {"ZWERM_PROFILE": "test"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.splitlines()[1:] == ["b'hello'"], done.stderr


def test_every_command_it_names_is_there(tmp_path: Path) -> None:
    printed = run("zwerm --help", tmp_path, tmp_path)
    for name in {line.split()[1] for line in TYPED if line.startswith("zwerm ")}:
        assert re.search(rf"^ +{name}\b", printed, re.MULTILINE), name


def test_the_pages_and_pictures_it_points_at_are_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
