"""Rooms for the tests of the histories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ipfs.mfs.room import Room, memory_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with memory_room(tmp_path) as opened:
        yield opened
