"""`commands`, `shutdown`, `diag/*`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Context, find, load_all
from zwerm.daemon.rpc.requests import Requests


async def test_the_tree_holds_every_command(rpc: Rpc) -> None:
    tree = await rpc.call("commands")
    assert tree["Name"] == "ipfs"

    def paths(row: dict, prefix: str = "") -> set[str]:
        found = set()
        for child in row["Subcommands"]:
            path = f"{prefix}{child['Name']}"
            found |= {path} | paths(child, f"{path}/")
        return found

    assert set(load_all()) <= paths(tree)
    flags = await rpc.call("commands", flags=True)
    add = next(row for row in flags["Subcommands"] if row["Name"] == "add")
    assert {"Names": ["recursive", "r"]} in add["Options"]


async def test_shutdown_needs_a_daemon(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="no daemon is running"):
        await rpc.call("shutdown")
    stopped: list[bool] = []
    await invoke(find("shutdown"), Context(rpc.node, stop=lambda: stopped.append(True)))
    assert stopped == [True]


async def test_the_system_is_described(rpc: Rpc) -> None:
    found = await rpc.call("diag/sys")
    assert found["environment"]["IPFS_PATH"] == str(rpc.node.repository.path)
    assert found["diskinfo"]["free_space"] > 0


async def test_requests_are_listed_as_kubo_lists_them(rpc: Rpc) -> None:
    known = Requests()
    context = Context(rpc.node, requests=known)
    with known.entered("add", [], {"pin": "true"}), known.entered("cat", ["/a"], {}):
        pass
    with known.entered("repo/gc", [], {}):
        first, second, third = await invoke(find("diag/cmds"), context)
    assert (first["Command"], first["Options"], first["Active"]) == ("add", {"pin": "true"}, False)
    assert (second["Args"], second["ID"]) == (["/a"], first["ID"] + 1)
    assert first["StartTime"] <= second["StartTime"] <= second["EndTime"] <= first["EndTime"]
    assert (third["Active"], third["EndTime"]) == (True, "0001-01-01T00:00:00Z")


async def test_requests_can_be_forgotten_at_once_or_sooner(rpc: Rpc) -> None:
    known = Requests()
    context = Context(rpc.node, requests=known)
    for _ in range(2):
        with known.entered("cat", [], {}):
            pass
    await invoke(find("diag/cmds/clear"), context)
    assert await invoke(find("diag/cmds"), context) == []
    with known.entered("cat", [], {}):
        pass
    await invoke(find("diag/cmds/set-time"), context, ["0s"])
    assert await invoke(find("diag/cmds"), context) == []
    with pytest.raises(UsageError, match="duration 'soon'"):
        await invoke(find("diag/cmds/set-time"), context, ["soon"])


@pytest.mark.parametrize(
    ("command", "arguments"), [("diag/cmds", []), ("diag/cmds/clear", []), ("diag/cmds/set-time", ["1h"])]
)
async def test_without_a_daemon_there_are_no_requests(rpc: Rpc, command: str, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="no daemon is running; there are no requests"):
        await rpc.call(command, *arguments)
