"""`zwerm restore`."""

from __future__ import annotations

from contextlib import closing

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import Argument, CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> None:
    arguments = list(parsed.arguments)
    if len(arguments) == 1 and "@" in arguments[0]:
        path, _, version = arguments[0].rpartition("@")
        arguments = [path, version]
    if len(arguments) != 2:
        raise UsageError("say what to restore and from when: PATH@VERSION")
    with closing(session.call("restore", arguments, parsed.command.sent(parsed.options))) as answer:
        remote.show(session, parsed, answer)


def _restored(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"restored {safe(item['Path'])} to {item['Cid']}")


COMMANDS = (
    CliCommand(
        "restore",
        rpc="restore",
        run=_run,
        text=_restored,
        details="The old content comes back as a new version, so nothing is lost and it can be undone in the same way.",
        arguments=(
            Argument("path@version", "What, and from when: ~N, a date, or a commit as `history` shows it."),
            Argument("version", "The version, when it does not stand behind an @.", required=False),
        ),
        examples=(
            Example("restore /notes/today.txt@~1", "Take the last change of a file back."),
            Example("restore /site@2026-05-01", "Make a folder what it was on that day."),
        ),
    ),
)
