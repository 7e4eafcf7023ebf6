"""`zwerm signal` as processes of one service, which a test can kill."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.daemon.calls.caller import Caller, People

# The push services of tests are on loopback, where `zwerm signal` sends nothing.
_PUSHES_TO_LOOPBACK = """
import functools, sys
from zwerm.cli.main import main
from zwerm.daemon.calls import options
options.WebPush = functools.partial(options.WebPush, allow_private=True, schemes=("http://", "https://"))
sys.exit(main())
"""


class SignalProcess:
    """One process that is ready."""

    def __init__(self, folder: Path, options: tuple[str, ...], *, pushes_to_loopback: bool = False) -> None:
        program = ["-c", _PUSHES_TO_LOOPBACK] if pushes_to_loopback else ["-m", "zwerm"]
        command = [sys.executable, *program, "--json", "signal", "--listen", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder
        )
        assert self.process.stdout is not None
        self.url = str(json.loads(self.process.stdout.readline())["url"])
        assert self.process.stdout.readline() == "Signal is ready\n"
        self.where = self.url.removeprefix("http://")
        self.socket_url = f"ws://{self.where}/api/calls/v1/socket"

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=30)


@contextlib.asynccontextmanager
async def processes(
    count: int, folder: Path, *options: str, pushes_to_loopback: bool = False
) -> AsyncIterator[list[tuple[SignalProcess, People]]]:
    """So many processes, and nobody there yet."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            one = await asyncio.to_thread(SignalProcess, folder, options, pushes_to_loopback=pushes_to_loopback)
            stack.callback(one.kill)
            everybody = People(one)
            stack.push_async_callback(everybody.close)
            found.append((one, everybody))
        yield found


async def sees(caller: Caller, name: str, state: str) -> None:
    """Wait until somebody's process knows that somebody is in a state."""
    async with asyncio.timeout(20):
        while (await caller.ask("watch", names=[name]))["states"][name] != state:  # noqa: ASYNC110 -- it sets no event
            await asyncio.sleep(0.05)
