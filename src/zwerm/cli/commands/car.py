"""`zwerm car`: the archive commands under the name of the thing."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example
from zwerm.cli.commands.dag import export, import_

COMMANDS = (
    CliCommand(
        "car export",
        rpc="dag/export",
        text=export,
        examples=(
            Example("car export CID > site.car", "Write everything below an address to an archive."),
            Example("car export /site > site.car", "The same for one of the node's own folders."),
        ),
    ),
    CliCommand(
        "car import",
        rpc="dag/import",
        text=import_,
        examples=(Example("car import site.car", "Take an archive in, and keep its roots."),),
    ),
)
