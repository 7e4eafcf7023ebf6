"""`zwerm diag`."""

from __future__ import annotations

import json

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _sys(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(json.dumps(item, indent=2, ensure_ascii=False))


COMMANDS = (
    CliCommand(
        "diag sys",
        rpc="diag/sys",
        text=_sys,
        examples=(Example("diag sys", "Show the system the node runs on, for a report."),),
    ),
)
