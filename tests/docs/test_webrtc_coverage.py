"""docs/webrtc-coverage.md: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webrtc-coverage.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([a-z0-9_/]+\.py)`", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_shows_something_is_there(path: str) -> None:
    assert (ROOT / path if path.startswith("tools/") else ROOT / "tests" / path).is_file()


def test_every_claim_is_shown_or_said_not_to_be() -> None:
    rows = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| claim", "| peer"))
    ]
    assert len(rows) > 40
    assert [row for row in rows if not re.search(r"`[^`]+\.py`|not there", row)] == []
