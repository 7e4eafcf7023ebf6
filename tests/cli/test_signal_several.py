"""Two `zwerm signal` on one store and one bus: what one of them acknowledged outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.cli.test_signal import Signal, running, sign_in_again
from tests.daemon.calls.buses import BusServer, bus_server
from tests.daemon.calls.caller import Caller, CallError, People

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["redis", "nats"])
def bus(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    with bus_server(request.param) as server:
        yield server


@contextlib.asynccontextmanager
async def two(path: Path, bus: BusServer) -> AsyncIterator[tuple[tuple[Signal, People], tuple[Signal, People]]]:
    """Two processes, each with people of its own."""
    options = ("--store", path / "calls.sqlite", "--bus", bus.url, "--no-push")
    harness = Harness(path / "here")
    async with running(harness, *options) as one, running(harness, *options) as other:
        yield one, other


async def meet(ann: Caller, bob: Caller) -> None:
    """Wait until both processes know of both: each side sees the other online."""
    for one, other in ((ann, bob), (bob, ann)):
        states = (await one.ask("watch", names=[other.name]))["states"]
        if states[other.name] == "offline":
            await one.event("presence", name=other.name, state="available")


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_ring_goes_on_when_the_process_of_its_caller_ends(tmp_path: Path, bus: BusServer, how: str) -> None:
    async with two(tmp_path, bus) as ((first, here), (_, there)):
        ann, bob = await here.user("ann"), await there.user("bob")
        await meet(ann, bob)
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await asyncio.to_thread(first.end, signal.SIGKILL if how == "killed" else signal.SIGTERM)
        again = await sign_in_again(there, ann)
        await bob.ask("answer", call=call)  # before anybody has noticed: it is answered by the heir
        answered = await again.event("answered", call=call)
        assert answered["by"]["device"] == bob.endpoint
        await bob.ask("signal", to=again.endpoint, call=call, data="offer")
        assert (await again.event("signal"))["data"] == "offer"
        await again.ask("hang-up", call=call)
        await bob.event("ended", call=call)


async def test_a_ring_whose_caller_does_not_come_back_is_missed(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as ((first, here), (_, there)):
        ann, bob = await here.user("ann"), await there.user("bob")
        await meet(ann, bob)
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await asyncio.to_thread(first.end, signal.SIGTERM)
        await bob.event("ringing", call=call)
        with pytest.raises(CallError) as caught:
            await bob.ask("answer", call=call)
        assert caught.value.code == "try-again"
        await bob.ask("decline", call=call)
        (kept,) = (await bob.ask("history"))["calls"]
        assert (kept["call"], kept["with"]) == (call, "ann")


async def test_a_room_goes_on_when_its_process_is_killed(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as ((first, here), (_, there)):
        ann, bob = await here.user("ann"), await there.user("bob")
        room = await ann.ask("room-open", title="Friday", waiting=False)
        await ann.ask("room-join", link=room["link"], label="Ann")
        await meet(ann, bob)
        await bob.ask("room-join", link=room["link"], label="Bob")
        await asyncio.to_thread(first.end, signal.SIGKILL)
        assert [each["label"] for each in (await bob.event("room-let-in"))["members"]] == ["Bob"]
        again = await sign_in_again(there, ann)
        joined = await again.ask("room-join", link=room["link"], label="Ann")
        assert [each["label"] for each in joined["members"]] == ["Bob", "Ann"]
        assert (await bob.event("room-member"))["who"]["label"] == "Ann"


async def test_both_are_measured_as_one_service(tmp_path: Path, bus: BusServer) -> None:
    options = ("--store", tmp_path / "calls.sqlite", "--bus", bus.url, "--no-push", "--allow-load")
    harness = Harness(tmp_path / "here")
    async with running(harness, *options) as (first, here), running(harness, *options) as (second, there):
        await meet(await here.user("ann"), await there.user("bob"))
        urls = [f"http://{each.where}" for each in (first, second)]
        small = ("--users", "20", "--rate", "20", "--seconds", "1")
        found = json.loads((await asyncio.to_thread(harness.run, "--json", "load", "calls", *small, *urls)).out)
        assert (found["acknowledged"], found["lost"], found["never_rang"], found["unanswered"]) == (20, 0, 0, 0)
        assert found["processor_ms_each_ring"] > 0


def test_a_bus_that_cannot_be_is_said_in_one_line(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "here")
    for url in ("http://127.0.0.1", "redis://", "nats://127.0.0.1?prefix=a.b"):
        said = harness.run("signal", "--listen", "127.0.0.1:0", "--bus", url, status=None)
        assert said.status in (1, 2)
        assert "bus" in said.err
        assert "Traceback" not in said.err
