"""`commands`, `shutdown` and `diag/*`: the API about itself."""

from __future__ import annotations

import asyncio
import platform
from typing import Any

from zwerm import __version__
from zwerm.daemon.rpc import registry
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Command, Context, Option, command, flag


@command(
    "commands",
    "List every command",
    options=[flag("flags", "f", text="Show the options too.")],
    without_node=True,
)
async def commands(_context: Context, flags: bool = False) -> dict[str, Any]:
    """Return the tree of commands, in Kubo's shape."""
    root = _row("ipfs", None, flags)
    root["Options"] = [_option(entry) for entry in registry.GLOBAL_OPTIONS] if flags else []
    for path, found in registry.load_all().items():
        place = root
        *parents, name = path.split("/")
        for parent in parents:
            place = _child(place, parent, None, flags)
        _child(place, name, found, flags)
    return root


def _child(place: dict[str, Any], name: str, found: Command | None, flags: bool) -> dict[str, Any]:
    for entry in place["Subcommands"]:
        if entry["Name"] == name:
            return entry if isinstance(entry, dict) else {}
    row = _row(name, found, flags)
    place["Subcommands"].append(row)
    return row


def _row(name: str, found: Command | None, flags: bool) -> dict[str, Any]:
    options = [_option(entry) for entry in found.options] if found and flags else []
    return {"Name": name, "Subcommands": [], "Options": options}


def _option(entry: Option) -> dict[str, Any]:
    return {"Names": list(entry.names)}


@command("shutdown", "Stop the running node")
async def shutdown(context: Context) -> None:
    if context.stop is None:
        raise CommandError("no daemon is running; there is nothing to stop")
    context.stop()


@command("diag/sys", "Show the system the node runs on")
async def diag_sys(context: Context) -> dict[str, Any]:
    import os
    import shutil

    path = context.node.repository.path
    disk = await asyncio.to_thread(shutil.disk_usage, path)
    return {
        "diskinfo": {"fstype": "", "total_space": disk.total, "free_space": disk.free},
        "environment": {"IPFS_PATH": str(path)},
        "runtime": {"arch": platform.machine(), "os": platform.system().lower(), "numcpu": os.cpu_count() or 1},
        "python": platform.python_version(),
        "ipfs_version": __version__,
        "net": {"online": False},
    }
