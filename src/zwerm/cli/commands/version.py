"""`zwerm version`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _print(session: Session, parsed: Parsed, answer: Answer) -> None:
    kubo = session.settings.program == "ipfs"
    for item in answer.items():
        number = item["Version"] if kubo else item["Zwerm"]
        if parsed.flag("all"):
            session.output.text(
                f"zwerm version: {item['Zwerm']}\nKubo version: {item['Version']}\nRepo version: {item['Repo']}\n"
                f"System version: {item['System']}\nPython version: {item['Python']}\n"
            )
        elif parsed.flag("repo"):
            session.output.line(item["Repo"])
        elif parsed.flag("number"):
            session.output.line(number)
        else:
            session.output.line(f"{session.settings.program} version {number}")


def _deps(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"{item['Path']}@{item['Version']}")


COMMANDS = (
    CliCommand(
        "version",
        rpc="version",
        text=_print,
        examples=(
            Example("version", "Show the version of zwerm."),
            Example("version --all", "Show all versions: of Kubo's API that is spoken, of the repository, of Python."),
        ),
    ),
    CliCommand(
        "version deps",
        rpc="version/deps",
        text=_deps,
        examples=(Example("version deps", "List the libraries in use."),),
    ),
)
