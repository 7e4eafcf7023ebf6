"""`internals` and `captures`: the node's WebRTC connections, and files of what they send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemon.harness import Daemon

PCAPNG = b"\n\r\r\n"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    only = {"addresses.swarm": ["/ip4/127.0.0.1/udp/0/webrtc-direct"]}  # or another way would win
    running = Daemon(tmp_path_factory.mktemp("other") / "repository", overrides=only)
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


def connect(daemon: Daemon, other: Daemon) -> str:
    """Connect by WebRTC; the other's peer ID."""
    addresses = other.app("GET", "peers").json["addresses"]
    address: str = addresses[0]["address"]
    assert daemon.app("POST", "peers/connect", {"address": address}).status == 200
    return address.rpartition("/")[2]


def connection(daemon: Daemon, peer: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in daemon.app("GET", "internals").json["connections"] if one["peer"] == peer
    )
    return found


def test_a_connection_is_shown_as_get_stats_shows_it(daemon: Daemon, other: Daemon) -> None:
    peer = connect(daemon, other)
    first, second = connection(daemon, peer), connection(daemon, peer)
    assert first["id"] == second["id"]
    assert first["direction"] == "outbound"
    records = {record["id"]: record for record in second["records"]}
    transport = next(record for record in records.values() if record["type"] == "transport")
    assert transport["iceState"] in ("connected", "completed")
    assert transport["dtlsState"] == "connected"
    pair = records[transport["selectedCandidatePairId"]]
    assert pair["bytesSent"] > 0
    assert records[pair["remoteCandidateId"]]["address"] == "127.0.0.1"
    daemon.app("POST", "peers/disconnect", {"peer": peer})
    assert daemon.app("GET", "internals").json["total"] == 0


def test_a_capture_is_begun_ended_downloaded_and_deleted(daemon: Daemon, other: Daemon) -> None:
    started = daemon.app("POST", "captures", {"keys": True}).json
    name = started["running"]
    again = daemon.app("POST", "captures", {})
    assert (again.status, again.json["error"]["code"]) == (409, "busy")
    peer = connect(daemon, other)
    assert daemon.app("GET", "internals").json["capture"]["running"] == name
    daemon.app("POST", "peers/disconnect", {"peer": peer})
    (kept,) = daemon.app("POST", "captures/stop", {}).json["files"]
    assert kept["name"] == name
    data = daemon.app("GET", f"captures/{name}").body
    assert data.startswith(PCAPNG)
    assert b"CLIENT_RANDOM" in data
    assert len(data) == kept["size"] > 2000
    assert daemon.app("DELETE", f"captures/{name}").json == {"running": None, "failure": "", "files": []}
    assert daemon.app("GET", f"captures/{name}").status == 404


def test_what_runs_already_is_captured_too_and_without_keys_none_are_written(daemon: Daemon, other: Daemon) -> None:
    peer = connect(daemon, other)
    name = daemon.app("POST", "captures", {}).json["running"]
    daemon.app("POST", "peers/disconnect", {"peer": peer})
    (kept,) = daemon.app("POST", "captures/stop", {}).json["files"]
    data = daemon.app("GET", f"captures/{name}").body
    assert len(data) == kept["size"] > 500
    assert b"CLIENT_RANDOM" not in data
    daemon.app("DELETE", f"captures/{name}")


@pytest.mark.parametrize("name", ["..%2Fkey", "key", "20260101-000000.pcapng", "x" * 300])
def test_nothing_else_of_the_repository_is_given(daemon: Daemon, name: str) -> None:
    for method in ("GET", "DELETE"):
        assert daemon.app(method, f"captures/{name}").status == 404
