"""`peers`: connecting, what is said of a connection, and closing it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.harness import Daemon


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    running = Daemon(tmp_path_factory.mktemp("other") / "repository")
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


def address_of(daemon: Daemon) -> str:
    addresses = daemon.app("GET", "peers").json["addresses"]
    found: str = next(own["address"] for own in addresses if own["transport"] == "tcp")
    return found


def test_a_peer_is_connected_described_and_closed(daemon: Daemon, other: Daemon) -> None:
    address = address_of(other)
    peer = address.rpartition("/")[2]
    made = daemon.app("POST", "peers/connect", {"address": f" {address} "})
    assert made.status == 200
    assert made.json["peer"]["peer"] == peer
    shown = next(each for each in daemon.app("GET", "peers").json["peers"] if each["peer"] == peer)
    assert shown["transport"] == "tcp"
    assert shown["direction"] == "outbound"
    assert shown["near"]
    assert not shown["relayed"]
    assert f"{shown['address']}/p2p/{peer}" == address
    assert daemon.app("POST", "peers/disconnect", {"peer": peer}).json == {"peer": peer}
    assert daemon.app("POST", "peers/disconnect", {"peer": peer}).status == 404


def test_a_peer_that_is_known_is_found_by_its_id_alone(daemon: Daemon, other: Daemon) -> None:
    address = address_of(other)
    peer = address.rpartition("/")[2]
    daemon.app("POST", "peers/connect", {"address": address})
    daemon.app("POST", "peers/disconnect", {"peer": peer})
    assert daemon.app("POST", "peers/connect", {"address": peer}).status == 200


@pytest.mark.parametrize("text", ["", "nonsense", "/ip4/127.0.0.1/tcp/1", "/ip4/300.0.0.1/tcp/1/p2p/x"])
def test_what_is_no_address_of_a_peer_is_refused(daemon: Daemon, text: str) -> None:
    answer = daemon.app("POST", "peers/connect", {"address": text})
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad-address")
    assert daemon.app("POST", "peers/disconnect", {"peer": text}).status == 400


def test_a_peer_that_does_not_answer_is_told_with_the_reason(daemon: Daemon) -> None:
    stranger = "12D3KooWNv8AKkeLaTsXq2ZU9YkwDKejZGHW4fesnSNzCBp9TD9h"
    answer = daemon.app("POST", "peers/connect", {"address": f"/ip4/127.0.0.1/tcp/1/p2p/{stranger}"})
    assert (answer.status, answer.json["error"]["code"]) == (502, "unreachable")
    assert "tcp/1" in answer.json["error"]["details"]
