"""`zwerm shutdown`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example

COMMANDS = (CliCommand("shutdown", rpc="shutdown", examples=(Example("shutdown", "Stop the running node."),)),)
