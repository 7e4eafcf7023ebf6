"""`zwerm cat`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _write(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Copy to standard output, with a bar when that is no terminal but standard error is."""
    shown = parsed.options.get("progress")
    if shown is None and session.output.is_terminal:
        shown = False
    with session.progress("reading", answer.length, wanted=shown) as bar:
        for chunk in answer.chunks():
            session.output.data(chunk)
            bar.advance(len(chunk))


COMMANDS = (
    CliCommand(
        "cat",
        rpc="cat",
        text=_write,
        examples=(
            Example("cat bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "Show a file by its address."),
            Example("cat /notes/today.txt@~1", "Show the version before the last of one of the node's files."),
            Example("cat --offset 1000000 --length 500 ADDRESS > part", "Write a part of a file."),
        ),
    ),
)
