"""What a terminal sees of a fetch, and what a pipe and a program do not."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import Daemon
from zwerm.cli import watch
from zwerm.multiformats.cid import CID

PATIENCE = 60.0  # seconds, of a busy machine
PEER = "12D3KooWMFSokNcF3ZEpADqAUfud8xtmjvkJpgqa8uTQrQZxeqAq"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Harness, Daemon]]:
    """A person's node, and one that it is connected with."""
    folder: Path = tmp_path_factory.mktemp("watch")
    giver = Daemon(folder / "giver").wait_ready()
    taker = Harness(folder / "taker")
    daemon = taker.start(overrides={"routing.dht": "off"})
    addresses = giver.rpc("swarm/addrs/local", id=True).json["Strings"]
    daemon.rpc("swarm/connect", next(address for address in addresses if "/tcp/" in address))
    yield taker, giver
    taker.stop()
    assert giver.stop() == 0, giver.errors


def begin(harness: Harness, *arguments: str, terminal: int) -> subprocess.Popen[bytes]:
    """Start a command at a terminal."""
    return subprocess.Popen(
        harness.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        cwd=harness.folder,
        env=harness.environment(TERM="xterm"),
    )


def read(descriptor: int) -> bytes:
    """Return what is there; nothing when the other side is gone."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def test_a_terminal_sees_who_is_asked_and_from_whom_it_came(pair: tuple[Harness, Daemon]) -> None:
    taker, giver = pair
    ours, theirs = pty.openpty()
    process = begin(taker, "get", str(CID.of(b"given later")), "-o", "later", terminal=theirs)
    os.close(theirs)
    seen = b""
    while b"asking 1 peer" not in seen:
        seen += read(ours)
    giver.add(b"given later")
    while more := read(ours):
        seen += more
    os.close(ours)
    assert process.wait(PATIENCE) == 0, seen
    identity = giver.rpc("id").json["ID"]
    assert f"from {identity} (tcp)".encode() in seen
    assert (taker.folder / "later").read_bytes() == b"given later"


def test_a_terminal_is_told_who_was_tried_in_vain(pair: tuple[Harness, Daemon]) -> None:
    taker, giver = pair
    ours, theirs = pty.openpty()
    process = begin(taker, "--timeout", "2s", "get", str(CID.of(b"never given")), "-o", "never", terminal=theirs)
    os.close(theirs)
    seen = b""
    while more := read(ours):
        seen += more
    os.close(ours)
    assert process.wait(PATIENCE) == 1
    identity = giver.rpc("id").json["ID"]
    assert f"asked in vain: {identity}".encode() in seen
    assert not (taker.folder / "never").exists()


def test_a_pipe_is_told_nothing_of_it(pair: tuple[Harness, Daemon]) -> None:
    taker, giver = pair
    result = taker.run("cat", giver.add(b"into a pipe"))
    assert (result.raw, result.err) == (b"into a pipe", "")
    assert "\n" not in taker.fails("--timeout", "1s", "cat", str(CID.of(b"not given to a pipe")))


def test_a_program_is_told_from_whom_it_came(pair: tuple[Harness, Daemon]) -> None:
    taker, giver = pair
    found = json.loads(taker.run("--json", "get", giver.add(b"for a program"), "-o", "program").out)
    (giver_of_it,) = found["From"]
    assert giver_of_it.keys() == {"Name", "Peer", "Address", "Transport", "Relayed", "Blocks", "Size"}
    assert (giver_of_it["Name"], giver_of_it["Blocks"]) == (giver.rpc("id").json["ID"], 1)
    assert json.loads(taker.run("--json", "get", taker.add("own"), "-o", "own").out)["From"] == []


def fetch(**changes: object) -> dict[str, object]:
    nothing = {"Phase": "looking", "From": [], "Asked": [], "Providers": 0, "Unreachable": [], "Others": []}
    return {**nothing, **changes}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "looking for somebody who has it"),
        ({"Phase": "asking", "Asked": [PEER]}, "asking 1 peer"),
        ({"Phase": "asking", "Asked": [PEER, "b"], "Providers": 1}, "1 provider found; asking 2 peers"),
        (
            {"Phase": "asking", "Asked": [], "Providers": 2, "Unreachable": [{"Peer": PEER, "Reason": "no"}]},
            "2 providers found, 1 not reached; asking 0 peers",
        ),
        ({"Phase": "failed", "Providers": 2}, "2 providers found, none reached; looking for others"),
    ],
    ids=["nobody yet", "a peer", "a provider", "one not reached", "none reached"],
)
def test_how_far_it_has_come_is_said_in_a_few_words(state: dict[str, object], words: str) -> None:
    assert watch.phase_line(fetch(**state)) == words


def test_a_failure_names_everybody_and_what_they_say_moves_no_cursor() -> None:
    giver = {"Name": "https://gateway.example", "Peer": False, "Transport": "http", "Relayed": False, "Size": 5}
    lines = watch.failure_lines(
        fetch(
            From=[giver],
            Asked=[PEER],
            Unreachable=[{"Peer": "12D3", "Reason": "refused\x1b[2J"}],
            Others=["gateway.example: 500"],
        )
    )
    assert list(lines) == [
        "  gave 5 B: https://gateway.example (http)",
        f"  asked in vain: {PEER}",
        "  not reached: 12D3: refused\\x1b[2J",
        "  gateway.example: 500",
    ]
