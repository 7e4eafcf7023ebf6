"""`commands`, `shutdown`, `diag/sys`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Context, find, load_all


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
