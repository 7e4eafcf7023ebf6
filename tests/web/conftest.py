"""One Chromium and one node for each test file; a test works in folders of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    running = WebDaemon(tmp_path_factory.mktemp("web") / "repository")
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a person has it on the desktop: names with spaces and accents, folders in folders, an empty one."""
    top = tmp_path / "holiday"
    (top / "day one").mkdir(parents=True)
    (top / "nothing yet").mkdir()
    (top / "notes.txt").write_text("Call Bram about the ladder.\nBuy seeds.\n")
    (top / "day one" / "zonsopgang é.txt").write_text("07:12\n")
    (top / "day one" / "plan.md").write_text("# Plan\n\nWalk along the **dyke**.\n")
    return top
