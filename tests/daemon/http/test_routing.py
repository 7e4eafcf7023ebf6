"""`/routing/v1/` on the gateway's listener of a running daemon."""

from __future__ import annotations

import json

import pytest

from tests.daemon.harness import Daemon

PEER = "12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"
CID = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"


def test_what_nobody_knows_is_an_empty_answer(daemon: Daemon) -> None:
    answer = daemon.get(daemon.gateway, f"/routing/v1/providers/{CID}", Accept="application/json")
    assert (answer.status, answer.json) == (200, {"Providers": []})
    assert answer.headers["access-control-allow-origin"] == "*"
    answer = daemon.get(daemon.gateway, f"/routing/v1/peers/{PEER}")
    assert (answer.status, answer.json) == (200, {"Peers": []})


def test_a_stream_ends_with_its_last_line(daemon: Daemon) -> None:
    answer = daemon.get(daemon.gateway, f"/routing/v1/providers/{CID}", Accept="application/x-ndjson")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "application/x-ndjson"
    head = daemon.request(
        "HEAD", daemon.gateway, f"/routing/v1/providers/{CID}", headers={"Accept": "application/x-ndjson"}
    )
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", f"providers/{CID}", 204),
        ("GET", "providers/x", 422),
        ("GET", "nothing", 400),
        ("PUT", f"ipns/{PEER}", 406),
        ("POST", f"peers/{PEER}", 400),
    ],
)
def test_every_status_reaches_the_client(daemon: Daemon, method: str, path: str, status: int) -> None:
    assert daemon.request(method, daemon.gateway, f"/routing/v1/{path}").status == status


def test_the_daemon_tells_who_it_is_in_no_dht_yet(daemon: Daemon) -> None:
    tables = daemon.rpc("stats/dht").lines
    assert [(table["Name"], table["IsServer"]) for table in tables] == [("wan", False), ("lan", True)]
    assert json.dumps(tables)
