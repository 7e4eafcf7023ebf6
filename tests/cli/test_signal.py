"""`zwerm signal` as a process: two people ring each other; it ends well, and what a killed one promised is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Harness
from tests.daemon.calls.caller import Caller, People


class Signal:
    """A `zwerm signal` that is ready."""

    def __init__(self, harness: Harness, *options: str | Path) -> None:
        self.process = subprocess.Popen(
            harness.command("--json", "signal", "--listen", "127.0.0.1:0", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=harness.environment(),
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == "Signal is ready":
                break
        self.where = json.loads(lines[0])["url"].removeprefix("http://")
        self.socket_url = f"ws://{self.where}/api/calls/v1/socket"
        self.errors: list[Any] = []

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        _, written = self.process.communicate(timeout=30)
        self.errors = [json.loads(line) for line in written.splitlines()]
        return self.process.returncode


@contextlib.asynccontextmanager
async def running(harness: Harness, *options: str | Path) -> AsyncIterator[tuple[Signal, People]]:
    service = await asyncio.to_thread(Signal, harness, *options)
    everybody = People(service)
    try:
        yield service, everybody
    finally:
        await everybody.close()
        if service.process.poll() is None:
            await asyncio.to_thread(service.end, signal.SIGKILL)


async def sign_in_again(everybody: People, caller: Caller) -> Caller:
    again = await everybody.stranger()
    again.device, again.private, again.key = caller.device, caller.private, caller.key
    await again.hello()
    return again


@pytest.mark.slow
async def test_two_people_ring_each_other_and_the_service_ends_well(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "here")
    store = tmp_path / "accounts.sqlite"
    relay = ("--turn", "turn:turn.example.org", "--turn-secret", "s3cret")
    async with running(harness, "--store", store, *relay) as (service, everybody):
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await bob.ask("answer", call=call)
        await ann.event("answered")
        (server,) = (await ann.ask("relay"))["iceServers"]
        assert server["urls"] == ["turn:turn.example.org"]
        assert server["username"].endswith(":ann")
        assert await asyncio.to_thread(service.end) == 0
        assert await ann.closed() == "stopping"
        assert [line["message"] for line in service.errors] == ["stopping"]


@pytest.mark.slow
async def test_a_call_that_was_acknowledged_is_kept_when_the_process_is_killed(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "here")
    store = tmp_path / "accounts.sqlite"
    async with running(harness, "--store", store) as (service, everybody):
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await asyncio.to_thread(service.end, signal.SIGKILL)
    async with running(harness, "--store", store) as (_, everybody):
        again = await sign_in_again(everybody, bob)
        (kept,) = (await again.ask("history"))["calls"]
        assert (kept["call"], kept["with"], kept["missed"]) == (call, "ann", True)


@pytest.mark.slow
def test_options_that_cannot_be_are_said_in_one_line(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "here")
    for options, words in (
        (("--smtp", "http://mail"), "mail server"),
        (("--origin", "calls.example.org"), "origin"),
        (("--turn", "turn:a"), "--turn-secret"),
        (("--store", tmp_path / "nowhere" / "x.sqlite"), "database"),
        (("extra",), "one argument too many"),
    ):
        said = harness.run("signal", "--listen", "127.0.0.1:0", *options, status=None)
        assert said.status in (1, 2)
        assert words in said.err
        assert len(said.err.splitlines()) <= 3
        assert "Traceback" not in said.err
