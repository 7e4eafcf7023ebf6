"""`zwerm history`."""

from __future__ import annotations

from datetime import datetime

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed, flag
from zwerm.cli.commands.dag import export
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def moment(text: str) -> str:
    """A commit's time by the clock on this wall."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _log(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print one line a version: how far back, its name, when, what, and the words that go with it."""
    whole = parsed.flag("long")
    for item in answer.items():
        if "Gap" in item:
            session.output.line(f"... older versions are not here; the history goes on at commit {item['Gap']}")
            continue
        back = f"~{item['Number']}" if item["Number"] else "now"
        line = f"{back:5} {item['Short']}  {moment(item['Time'])}  {item['Kind']:8}"
        line += f" {safe(item['Message'])}" if item["Message"] else ""
        session.output.line(line.rstrip() + ("" if item["Kept"] else "  (content dropped)"))
        if whole:
            session.output.text(
                f"      commit  {item['Commit']}\n      author  {item['Author'] or 'unknown'}\n"
                f"      path    {safe(item['Path'])}\n      content {item['Cid'] or 'none'}\n"
            )


def _verified(session: Session, _parsed: Parsed, answer: Answer) -> int:
    valid = True
    for item in answer.items():
        valid = item["Valid"]
        for problem in item["Problems"]:
            session.output.line(f"{problem['Severity']}: {problem['Commit']}: {safe(problem['Text'])}")
        authors = ", ".join(item["Authors"]) or "nobody"
        session.output.line(
            f"{item['Commits']} commits, {'all signed and whole' if valid else 'NOT valid'}, by {authors}"
        )
        if item["Gap"]:
            session.output.line(f"older versions are not here; the history goes on at commit {item['Gap']}")
    return int(not valid)


def _adopted(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"{safe(item['Path'])} goes on from there")


COMMANDS = (
    CliCommand(
        "history",
        rpc="history",
        text=_log,
        options=(flag("long", "l", text="Show commits, authors and addresses too."),),
        details="A version is named behind an @: PATH@~2 is two versions back, PATH@2026-05-01 the one of that day, "
        "PATH@abcdefabcdef the one that the list shows so. Every command that takes a path takes such a one.",
        examples=(
            Example("history /site", "List the versions of a folder, newest first."),
            Example("history -l -n 3 /notes/today.txt", "Show the last three versions of a file in full."),
            Example("cat /notes/today.txt@~1", "Show the version before."),
        ),
    ),
    CliCommand(
        "history verify",
        rpc="history/verify",
        text=_verified,
        examples=(Example("history verify", "Check that every version is whole and signed."),),
    ),
    CliCommand(
        "history export",
        rpc="history/export",
        text=export,
        examples=(Example("history export /site > site.car", "Write a folder with all its versions to an archive."),),
    ),
    CliCommand(
        "history adopt",
        rpc="history/adopt",
        text=_adopted,
        examples=(Example("history adopt COMMIT /site", "Go on from a history that came in an archive."),),
    ),
)
