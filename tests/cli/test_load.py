"""`zwerm load calls`: figures of a service of its own, or of one that lets itself be loaded, and of no other."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cli.harness import Harness
from tests.cli.test_signal import running

SMALL = ("--users", "20", "--rate", "20", "--seconds", "1")


def test_a_service_of_its_own_is_measured_and_nothing_is_lost(local: Harness) -> None:
    found = json.loads(local.run("--json", "load", "calls", *SMALL).out)
    assert (found["acknowledged"], found["lost"], found["never_rang"], found["unanswered"]) == (20, 0, 0, 0)
    assert found["refused"] == {}
    assert found["acknowledged_ms"]["p50"] <= found["acknowledged_ms"]["p90"] <= found["acknowledged_ms"]["p99"]
    assert found["memory"] > 10_000_000


async def test_a_service_that_allows_it_is_loaded_and_left_as_it_was(local: Harness, tmp_path: Path) -> None:
    async with running(local, "--store", tmp_path / "calls.sqlite", "--allow-load") as (service, everybody):
        await everybody.user("ann")
        for _ in range(2):  # the second finds nothing of the first
            ran = await asyncio.to_thread(local.run, "load", "calls", *SMALL, f"http://{service.where}")
            assert "20 acknowledged, 0 lost" in ran.out
        bob = await everybody.user("bob")
        await bob.ask("ring", to="ann", media=["audio"])


async def test_a_service_that_does_not_allow_it_is_not_loaded(local: Harness, tmp_path: Path) -> None:
    async with running(local, "--store", tmp_path / "calls.sqlite") as (service, _):
        ran = await asyncio.to_thread(local.run, "load", "calls", f"http://{service.where}", status=None)
        assert ran.status == 1
        assert "zwerm signal --allow-load" in ran.err


def test_what_cannot_be_a_service_is_said(local: Harness) -> None:
    ran = local.run("load", "calls", "here", status=None)
    assert "expected a form like http://" in ran.err
    ran = local.run("load", "calls", "--users", "10", "--seconds", "60", status=None)
    assert "take more users" in ran.err
