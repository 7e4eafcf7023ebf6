"""`zwerm pubsub`: one process reads a topic while another sends to it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness


@pytest.fixture
def online(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path / "work")
    harness.start()
    yield harness
    harness.stop()


def test_what_one_process_sends_another_prints(online: Harness) -> None:
    reader = subprocess.Popen(
        online.command("pubsub", "sub", "nöws"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=online.folder,
        env=online.environment(),
    )
    with reader:
        try:
            while online.run("pubsub", "ls").lines != ["nöws"]:
                assert reader.poll() is None, reader.stderr and reader.stderr.read()
            online.run("pubsub", "pub", "nöws", data=b"h\xffllo\n")
            assert reader.stdout is not None
            assert reader.stdout.readline() == b"h\xffllo\n"
            assert online.run("pubsub", "reset").out == "messages forgotten: 1\n"
        finally:
            reader.kill()
    assert online.run("pubsub", "peers", "nöws").out == ""
    assert online.run("name", "pubsub", "state").out == "enabled\n"
    assert online.run("name", "pubsub", "subs").out == ""


def test_without_a_daemon_it_says_what_is_needed(tmp_path: Path) -> None:
    assert "zwerm up" in Harness(tmp_path / "work").fails("pubsub", "ls")
