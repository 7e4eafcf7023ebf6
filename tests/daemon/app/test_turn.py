"""`turn` of the app API: the relay of a node, where it is, and credentials that end by themselves."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.daemon.harness import Daemon
from zwerm.webrtc.stun.uri import ServerUri
from zwerm.webrtc.turn.aio import Allocation
from zwerm.webrtc.turn.credentials import Credential, time_limited


@pytest.fixture(scope="module")
def relaying(tmp_path_factory: pytest.TempPathFactory):
    running = Daemon(
        tmp_path_factory.mktemp("relay") / "repository",
        overrides={"turn.enabled": "true", "turn.secret": "north", "turn.user_quota": "2"},
    ).wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


async def allocate(url: str, credential: Credential) -> None:
    async with asyncio.timeout(20), await Allocation.open(ServerUri.from_text(url), credential) as allocation:
        assert allocation.relayed


def test_a_node_without_a_relay_says_so(daemon) -> None:
    assert daemon.app("GET", "turn").json["running"] is False
    for path in ("turn/credentials", "turn/check"):
        answer = daemon.app("POST", path, {})
        assert answer.status == 404
        assert "No relay runs" in answer.json["error"]["what"]


def test_where_the_relay_is_stands_in_the_answer_and_on_the_screen(relaying) -> None:
    shown = relaying.app("GET", "turn").json
    assert shown["running"]
    assert shown["realm"] == "zwerm"
    assert [url.partition("?")[2] for url in shown["urls"]] == ["", "transport=tcp"]
    assert [line for line in relaying.output if line.startswith("Relay: ")] == [
        f"Relay: {url}" for url in shown["urls"]
    ]
    assert shown["numbers"]["allocations"] == 0


async def test_a_credential_opens_the_relay_until_it_ends(relaying) -> None:
    made = relaying.app("POST", "turn/credentials", {"user": "28224511", "lifetime": 600}).json
    ends, _, user = made["username"].partition(":")
    assert user == "28224511"
    assert made["lifetime"] == 600
    assert made["iceServers"][0]["username"] == made["username"]
    assert made["iceServers"][0]["credential"] == made["credential"]
    assert Credential(made["username"], made["credential"]) == time_limited("north", user, int(ends))
    for url in made["iceServers"][0]["urls"]:
        await allocate(url, Credential(made["username"], made["credential"]))


@pytest.mark.parametrize(
    "wish",
    [{"user": ""}, {"user": 5}, {"user": "a:b"}, {"lifetime": 59}, {"lifetime": 86_401}, {"lifetime": True}],
    ids=["no name", "a number", "a colon", "too short", "too long", "a truth value"],
)
def test_a_credential_that_cannot_be_is_refused(relaying, wish: dict[str, object]) -> None:
    answer = relaying.app("POST", "turn/credentials", wish)
    assert answer.status == 400
    assert answer.json["error"]["details"] == next(iter(wish))


def test_without_a_session_there_is_no_credential(relaying) -> None:
    assert relaying.request("POST", relaying.web, "/api/app/turn/credentials", b"{}").status == 401


def test_the_relay_tests_itself_when_it_is_asked_to(relaying) -> None:
    assert relaying.app("POST", "turn/check").json["findings"] == [
        {"good": True, "words": "two clients met through the relay", "verdict": "met", "values": {}}
    ]


def test_its_numbers_stand_among_those_of_the_node(relaying) -> None:
    page = relaying.get(relaying.web, "/metrics").body
    assert b"\nzwerm_turn_allocations 0\n" in page
    assert b"# TYPE zwerm_turn_allocations_made_total counter\n" in page


def test_its_secret_is_not_shown(relaying) -> None:
    rows = {row["key"]: row["value"] for row in relaying.app("GET", "settings").json["settings"]}
    assert rows["turn.secret"] == "********"
    assert rows["turn.enabled"] is True


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_a_taken_port_is_named_with_the_others(start, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        daemon = start(ready=False, overrides={"turn.enabled": "true", "addresses.turn": address})
        assert f"{address} (turn) is in use by another program" in daemon.wait_failure()


def test_workers_of_a_node_relay_and_end_with_it(start) -> None:
    daemon = start(overrides={"turn.enabled": "true", "turn.workers": "2"})
    made = daemon.app("POST", "turn/credentials", {}).json
    asyncio.run(allocate(made["iceServers"][0]["urls"][0], Credential(made["username"], made["credential"])))
    assert daemon.app("GET", "turn").json["numbers"]["workers"] == 2
    assert daemon.stop() == 0
