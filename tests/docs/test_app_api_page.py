"""`docs/app-api.md` names every request that the app API answers, and every way it can fail."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from zwerm.daemon.app import api, failure
from zwerm.daemon.app.request import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "app-api.md").read_text("utf-8")

for part in api._PARTS:
    importlib.import_module(f"zwerm.daemon.app.{part}")


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for path, methods in ROUTES.items() for method in methods], ids=str
)
def test_every_request_is_described(method: str, path: str) -> None:
    name = re.escape(path.rstrip("/"))
    below = "/ID" if path.endswith("/") else ""
    assert re.search(rf"`{method} (/api/app/)?{name}{below}[?`\s{{]", PAGE) or (
        path == "files/copy" and "`POST files/copy`" in PAGE
    )


@pytest.mark.parametrize("code", failure._STATUS)
def test_every_error_is_described_with_its_status(code: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `") and f"`{code}`" in line)
    assert f"| {failure._STATUS[code]} |" in row
