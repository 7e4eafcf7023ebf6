"""A node of each test's own to run commands on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.node.node import Node


@pytest.fixture
async def rpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rpc]:
    monkeypatch.delenv("ZWERM_PROFILE", raising=False)
    async with Node(tmp_path / "repository", profile="test") as node:
        yield Rpc(node)
