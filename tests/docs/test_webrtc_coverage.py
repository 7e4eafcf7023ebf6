"""docs/webrtc-coverage.md and docs/libp2p-coverage.md: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}-coverage.md").read_text("utf-8") for name in ("libp2p", "webrtc")}
NAMED = sorted({path for page in PAGES.values() for path in re.findall(r"`([a-z0-9_/]+\.py)`", page)})
ELSEWHERE = ("tools/", "benchmarks/")


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_shows_something_is_there(path: str) -> None:
    assert (ROOT / path if path.startswith(ELSEWHERE) else ROOT / "tests" / path).is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_claim_is_shown_or_said_not_to_be(name: str) -> None:
    rows = [
        line
        for line in PAGES[name].splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| claim", "| peer"))
    ]
    assert len(rows) > 40
    assert [row for row in rows if not re.search(r"`[^`]+\.py`|not there", row)] == []
