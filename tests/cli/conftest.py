"""Command lines on a repository, with and without a daemon: the same must happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness


@pytest.fixture
def local(tmp_path: Path) -> Harness:
    """Commands that work on the repository themselves."""
    return Harness(tmp_path / "work")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Commands whose work a daemon does, one for a whole file."""
    harness = Harness(tmp_path_factory.mktemp("served"))
    harness.start()
    yield harness
    harness.stop()


@pytest.fixture(params=["local", "daemon"])
def zwerm(request: pytest.FixtureRequest) -> Harness:
    """Commands of which a test must see no difference."""
    return request.getfixturevalue("local" if request.param == "local" else "served")
