"""`zwerm resolve`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _print(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Path"])


COMMANDS = (
    CliCommand(
        "resolve",
        rpc="resolve",
        text=_print,
        examples=(
            Example("resolve /ipfs/ADDRESS/photos/beach.jpg", "Show the address of a file in a folder."),
            Example("resolve -r /ipns/example.org", "Show the address that a name stands for now."),
            Example("resolve /site", "Show the address of one of the node's own folders."),
        ),
    ),
)
