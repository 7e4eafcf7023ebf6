"""`zwerm refs`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _print(session: Session, _parsed: Parsed, answer: Answer) -> int:
    failed = False
    for item in answer.items():
        if item["Err"]:
            failed = True
            session.complain(f"Error: {item['Err']}")
        else:
            session.output.line(safe(item["Ref"]))
    return int(failed)


COMMANDS = (
    CliCommand(
        "refs",
        rpc="refs",
        text=_print,
        examples=(
            Example("refs ADDRESS", "List the addresses that a block links to."),
            Example("refs -r -u ADDRESS", "List everything below it, each once."),
            Example('refs --format="<src> <linkname> <dst>" ADDRESS', "List links with their names."),
        ),
    ),
    CliCommand(
        "refs local", rpc="refs/local", text=_print, examples=(Example("refs local | wc -l", "Count the blocks here."),)
    ),
)
