"""`zwerm ping`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _print(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Text"] or f"Pong received: time={item['Time'] / 1_000_000:.3f} ms")
        session.output.flush()


COMMANDS = (
    CliCommand(
        "ping",
        rpc="ping",
        text=_print,
        examples=(Example("ping -n 3 12D3KooWPEER", "Measure three round trips to a node."),),
    ),
)
