"""Daemons for the tests: one that a whole file shares, and any number of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.harness import Daemon


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start daemons, by default on one repository of this test; all are ended with it."""
    started: list[Daemon] = []

    def begin(path: Path | None = None, *, ready: bool = True, **arguments: Any) -> Daemon:
        daemon = Daemon(path or tmp_path / "repository", **arguments)
        started.append(daemon)
        return daemon.wait_ready() if ready else daemon

    yield begin
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.wait()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for the tests of a file that do not end it."""
    running = Daemon(tmp_path_factory.mktemp("daemon") / "repository").wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors
