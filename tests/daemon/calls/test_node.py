"""The calls service inside a node: on the web app's address, with its relay, and not there unless asked for."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from tests.daemon.calls.buses import bus_server
from tests.daemon.calls.caller import People
from tests.daemon.harness import Daemon
from zwerm.daemon.calls.node import NodeCalls
from zwerm.node.address import Address
from zwerm.node.config import Config
from zwerm.node.repository import Repository


class Served:
    """Where a daemon serves calls."""

    def __init__(self, daemon: Daemon) -> None:
        self.where = daemon.web
        self.socket_url = f"ws://{daemon.web}/api/calls/v1/socket"


def maps(daemon: Daemon) -> str:
    """What the process has loaded."""
    return Path(f"/proc/{daemon.process.pid}/maps").read_text()


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
async def test_a_node_of_one_machine_serves_calls_unasked_and_loads_nothing_for_them_before(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "repository").wait_ready()
    everybody = People(Served(daemon))
    try:
        assert "sqlalchemy" not in maps(daemon)
        assert not (tmp_path / "repository" / "calls.sqlite").exists()
        await everybody.user("ann")
        assert "sqlalchemy" in maps(daemon)
        assert daemon.app("PUT", "settings", {"calls.enabled": False}).status == 200
        assert daemon.get(daemon.web, "/api/calls/v1/schema.json").status == 404
    finally:
        await everybody.close()
        assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("host", "given", "wanted"),
    [
        ("127.0.0.1", None, True),
        ("127.0.0.1", "false", False),
        ("0.0.0.0", None, False),
        ("0.0.0.0", "true", True),
        ("192.0.2.1", None, False),
    ],
    ids=["this machine", "switched off", "everybody unasked", "everybody as asked", "one address unasked"],
)
def test_where_strangers_come_calls_have_to_be_asked_for(
    tmp_path: Path, host: str, given: str | None, wanted: bool
) -> None:
    config = Config(overrides={} if given is None else {"calls.enabled": given})
    with Repository.open(tmp_path / "repository") as repository:
        assert NodeCalls(config, repository, Address(host, 8088), None).is_wanted is wanted
        assert NodeCalls(config, repository, None, None).is_wanted is (given == "true")


@pytest.mark.slow
async def test_a_node_starts_its_calls_at_once_when_it_has_accounts(tmp_path: Path) -> None:
    for _ in range(2):
        daemon = Daemon(tmp_path / "repository").wait_ready()
        everybody = People(Served(daemon))
        try:
            is_there = b"\nzwerm_calls_users 0\n" in daemon.get(daemon.api, "/metrics").body
            assert is_there is (tmp_path / "repository" / "calls.sqlite").exists()
            if not is_there:
                await everybody.user("ann")
        finally:
            await everybody.close()
            assert daemon.stop() == 0
    assert is_there


@pytest.mark.slow
async def test_clients_of_peerjs_are_served_when_that_is_asked_for(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "repository", overrides={"calls.peerjs": "true"}).wait_ready()
    try:
        answer = daemon.get(daemon.web, "/peerjs/id")
        assert (answer.status, len(answer.body)) == (200, 36)
        assert daemon.get(daemon.web, "/peerjs/id", Origin="https://elsewhere.example").status == 200
        assert daemon.get(daemon.web, "/api/calls/v1/events", Origin="https://e.example").status == 403
        async with aiohttp.ClientSession() as http:
            url, query = f"ws://{daemon.web}/peerjs", {"key": "peerjs", "token": "t0ken"}
            origin = {"Origin": "https://elsewhere.example"}
            async with (
                http.ws_connect(url, params=query | {"id": "ann"}, headers=origin) as ann,
                http.ws_connect(url, params=query | {"id": "bob"}, headers=origin) as bob,
            ):
                for each in (ann, bob):
                    assert json.loads(await each.receive_str(timeout=20)) == {"type": "OPEN"}
                await ann.send_str('{"type":"OFFER","dst":"bob","payload":{"sdp":"x"}}')
                said = json.loads(await bob.receive_str(timeout=20))
                assert said == {"type": "OFFER", "dst": "bob", "src": "ann", "payload": {"sdp": "x"}}
    finally:
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.errors


@pytest.mark.slow
async def test_without_being_asked_a_node_serves_no_clients_of_peerjs(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "repository").wait_ready()
    try:
        assert daemon.get(daemon.web, "/peerjs/id").status == 404
    finally:
        daemon.stop()


@pytest.mark.slow
async def test_nodes_with_one_store_and_one_bus_are_one_service(tmp_path: Path) -> None:
    with bus_server("redis") as bus:
        shared = {"calls.enabled": "true", "calls.store": str(tmp_path / "calls.sqlite"), "calls.bus": bus.url}
        daemons = [Daemon(tmp_path / f"repository-{n}", overrides=shared).wait_ready() for n in range(2)]
        places = [People(Served(daemon)) for daemon in daemons]
        try:
            ann, bob = [await place.user(name) for place, name in zip(places, ("ann", "bob"), strict=True)]
            if (await ann.ask("watch", names=["bob"]))["states"]["bob"] == "offline":
                await ann.event("presence", name="bob", state="available")
            call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await bob.event("ringing", call=call)
            await bob.ask("answer", call=call)
            assert (await ann.event("answered", call=call))["by"]["device"] == bob.endpoint
        finally:
            for place in places:
                await place.close()
            statuses = [daemon.stop() for daemon in daemons]
        assert statuses == [0, 0]
        assert not [daemon.errors for daemon in daemons if "Traceback" in daemon.errors]
