"""`commands`, `shutdown` and `diag/*`: the API about itself."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, Any

from zwerm import __version__
from zwerm.daemon.rpc import registry
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Command, Context, Option, argument, command, flag
from zwerm.daemon.rpc.text import NO_TIME, moment_text
from zwerm.daemon.rpc.values import parse_duration

if TYPE_CHECKING:
    from zwerm.daemon.rpc.requests import Request, Requests


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
        "net": {"online": context.node.network is not None},
    }


@command(
    "diag/cmds",
    "List the requests that the running node has in hand and had lately",
    options=[flag("verbose", "v", text="Show their arguments too.", display=True)],
)
async def diag_cmds(context: Context) -> list[dict[str, Any]]:
    return [_request(request) for request in _requests(context).listed()]


@command("diag/cmds/clear", "Forget the requests that have ended")
async def diag_cmds_clear(context: Context) -> None:
    _requests(context).clear()


@command(
    "diag/cmds/set-time",
    "Say how long requests that have ended are listed",
    arguments=[argument("time", "A duration such as 30m; an hour from each start of the node on.")],
)
async def diag_cmds_set_time(context: Context, time: str) -> None:
    _requests(context).keep(parse_duration(time))


def _requests(context: Context) -> Requests:
    if context.requests is None:
        raise CommandError("no daemon is running; there are no requests")
    return context.requests


def _request(request: Request) -> dict[str, Any]:
    return {
        "ID": request.number,
        "Command": request.command,
        "Args": list(request.arguments),
        "Options": request.options,
        "Active": request.ended is None,
        "StartTime": moment_text(request.began),
        "EndTime": NO_TIME if request.ended is None else moment_text(request.ended),
    }
