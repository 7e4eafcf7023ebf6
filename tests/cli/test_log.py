"""`zwerm log` and `zwerm diag`: what a running node does, and what it says of it."""

from __future__ import annotations

import json
import signal
import subprocess

from tests.cli.harness import Harness
from tests.daemon.harness import PATIENCE


def test_levels_are_shown_and_changed(served: Harness) -> None:
    parts = served.run("log", "ls").lines
    assert {"daemon", "http"} <= set(parts)
    assert served.run("log", "level", "http", "error").out == "Changed log level of 'http' to 'error'\n"
    assert served.run("log", "level", "http").out == "error\n"
    assert "http: error" in served.run("log", "level", "all").lines
    served.run("log", "level", "all", "info")


def test_the_log_is_followed_until_ctrl_c(served: Harness) -> None:
    served.run("log", "level", "all", "debug")
    with subprocess.Popen(
        served.command("log", "tail"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=served.environment(),
        text=True,
    ) as process:
        assert served.daemon is not None
        assert process.stdout is not None
        while not any(row["Command"] == "log/tail" for row in served.daemon.rpc("diag/cmds").json):
            assert process.poll() is None
        served.run("id")
        messages = (json.loads(process.stdout.readline())["message"] for _ in range(1_000))
        assert any("/api/v0/id" in message for message in messages)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr is not None
        assert process.stderr.read() == "Error: interrupted; nothing is left half done\n"
    served.run("log", "level", "all", "info")


def test_requests_are_listed_in_columns(served: Harness) -> None:
    served.run("diag", "cmds", "clear")
    served.run("pin", "ls", "--type", "direct")
    head, *rows = served.run("diag", "cmds", "-v").lines
    assert head.split() == ["Command", "Active", "StartTime", "RunTime", "Arguments"]
    words = [row.split() for row in rows]
    pin = next(row for row in words if row[0] == "pin/ls")
    assert (pin[1], pin[4]) == ("false", "--type=direct")
    assert pin[3].endswith("s")
    assert [row[:2] for row in words if row[1] == "true"] == [["diag/cmds", "true"]]
    assert "Arguments" not in served.run("diag", "cmds").out
    served.run("diag", "cmds", "set-time", "0s")
    assert [row.split()[0] for row in served.run("diag", "cmds").lines[1:]] == ["diag/cmds"]
    served.run("diag", "cmds", "set-time", "1h")


def test_without_a_node_there_is_nothing_to_follow(local: Harness) -> None:
    assert "no daemon is running" in local.fails("log", "tail")
    assert "no daemon is running" in local.fails("diag", "cmds")
    assert json.loads(local.run("diag", "sys").out)["runtime"]["os"] == "linux"
