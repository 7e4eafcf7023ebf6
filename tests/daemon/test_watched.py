"""The watch over the daemons of these tests sees a loop that waits for the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from blockbuster import BlockingError

from tests.daemon.watched import watch
from zwerm.node.atomic import write_atomically


async def test_a_write_on_the_loop_is_an_error_and_one_in_a_thread_is_none(tmp_path: Path) -> None:
    watching = watch()
    watching.activate()
    try:
        with pytest.raises(BlockingError, match=r"os\.open"):
            write_atomically(tmp_path / "file", b"data", mode=0o600)
        await asyncio.to_thread(write_atomically, tmp_path / "file", b"data", mode=0o600)
    finally:
        watching.deactivate()
    assert (tmp_path / "file").read_bytes() == b"data"


async def test_whoever_is_named_may_wait(tmp_path: Path) -> None:
    watching = watch(("zwerm/node/atomic.py", ("write_atomically",)))
    watching.activate()
    try:
        write_atomically(tmp_path / "file", b"data", mode=0o600)
    finally:
        watching.deactivate()
