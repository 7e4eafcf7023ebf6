"""The service and container files start what there is, with settings that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from zwerm.node.config import Config

PACKAGING = Path(__file__).parents[2] / "packaging"


def test_the_container_sets_keys_that_exist() -> None:
    text = (PACKAGING / "Containerfile").read_text()
    settings = dict(re.findall(r'"--set", "([a-z.]+)=([^"]+)"', text))
    assert len(settings) == 2
    config = Config(profile="server", overrides=settings)
    assert config.address("addresses.api").is_loopback
    exposed = set(re.search(r"^EXPOSE (.*)$", text, re.MULTILINE)[1].split())
    assert exposed == {str(config.address(key).port) for key in settings}


def test_the_linter_of_container_files_finds_nothing() -> None:
    """That it builds, and that what it builds runs, is shown by `tools/try-container`."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", PACKAGING / "Containerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_an_image_is_made_of_what_is_in_the_repository_alone() -> None:
    """What somebody installed or built in the checkout stays out: each line lets in one thing that is kept by git."""
    lines = (PACKAGING.parent / ".dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    assert all(list(PACKAGING.parent.glob(name)) for name in let_in)
    assert set(let_in) >= {"pyproject.toml", "setup.py", "src", "README.md", "LICENSE-*"}


def test_the_unit_waits_for_the_ready_message_and_gives_time_to_stop() -> None:
    text = (PACKAGING / "zwerm.service").read_text()
    assert "Type=notify" in text
    assert re.search(r"^ExecStart=/\S+/zwerm up$", text, re.MULTILINE)
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1]) > 5


def test_systemd_reads_the_unit_without_complaint(tmp_path: Path) -> None:
    text = (PACKAGING / "zwerm.service").read_text().replace("/usr/local/bin/zwerm", "/bin/true")
    unit = tmp_path / "zwerm.service"
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Unknown" not in done.stderr, done.stderr
