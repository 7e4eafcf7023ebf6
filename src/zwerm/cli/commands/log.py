"""`zwerm log`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.remote import write_chunks
from zwerm.cli.session import Session


def _level(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(item.get("Message", ""))
        levels = item.get("Levels", {})
        for part, level in sorted(levels.items()):
            session.output.line(f"{part}: {level}" if len(levels) > 1 else level)


def _ls(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for part in item["Strings"]:
            session.output.line(part)


COMMANDS = (
    CliCommand(
        "log level",
        rpc="log/level",
        text=_level,
        details="The change holds until the node stops; the setting log.level says what it begins with.",
        examples=(
            Example("log level all debug", "Let the running node tell everything it does."),
            Example("log level http error", "Let one part of it tell failures only."),
        ),
    ),
    CliCommand(
        "log tail",
        rpc="log/tail",
        text=write_chunks,
        details="Each line is a JSON object. How much there is, is what `log level` says. Ctrl-C ends it.",
        examples=(
            Example("log tail", "Follow what the running node writes to its log."),
            Example("log tail | grep gateway", "Follow one part of it."),
        ),
    ),
    CliCommand("log ls", rpc="log/ls", text=_ls, examples=(Example("log ls", "List the parts of the node."),)),
)
