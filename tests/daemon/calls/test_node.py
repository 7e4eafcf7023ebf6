"""The calls service inside a node: on the web app's address, with its relay, and not there unless asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.calls.caller import People
from tests.daemon.harness import Daemon


class Served:
    """Where a daemon serves calls."""

    def __init__(self, daemon: Daemon) -> None:
        self.where = daemon.web
        self.socket_url = f"ws://{daemon.web}/api/calls/v1/socket"


@pytest.mark.slow
async def test_a_node_serves_calls_and_hands_out_credentials_of_its_relay(tmp_path: Path) -> None:
    overrides = {"calls.enabled": "true", "turn.enabled": "true"}
    daemon = Daemon(tmp_path / "repository", overrides=overrides).wait_ready()
    everybody, stopped = People(Served(daemon)), False
    try:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        (server,) = (await ann.ask("relay"))["iceServers"]
        assert server["username"].endswith(":ann")
        assert server["urls"][0].startswith("turn:127.0.0.1:")
        assert (tmp_path / "repository" / "calls.sqlite").is_file()
        assert b"\nzwerm_calls_users 2\n" in daemon.get(daemon.api, "/metrics").body
        daemon.send()
        stopped = True
        assert await ann.closed() == "stopping"
    finally:
        await everybody.close()
        status = daemon.wait() if stopped else daemon.stop()
    assert status == 0
    assert "Traceback" not in daemon.errors


@pytest.mark.slow
def test_a_node_that_was_not_asked_serves_no_calls_and_loads_nothing_for_them(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "repository").wait_ready()
    try:
        assert daemon.get(daemon.web, "/api/calls/v1/socket").status == 404
        maps = Path(f"/proc/{daemon.process.pid}/maps").read_text()
        assert "sqlalchemy" not in maps
        assert not (tmp_path / "repository" / "calls.sqlite").exists()
    finally:
        assert daemon.stop() == 0
