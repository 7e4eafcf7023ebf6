"""Every repository of these tests stays on the loopback, whatever the environment says."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZWERM_PROFILE", raising=False)
    monkeypatch.delenv("ZWERM_PATH", raising=False)
