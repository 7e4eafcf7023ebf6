"""`zwerm ls`."""

from __future__ import annotations

from typing import Any

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.listing import mode_text, moment_text
from zwerm.cli.output import safe, table
from zwerm.cli.session import Session

_FOLDERS = (1, 3, 5)  # directory, metadata, sharded directory


def _print(session: Session, parsed: Parsed, answer: Answer) -> None:
    several = len(parsed.arguments) > 1
    size, long, headers = parsed.flag("size", default=True), parsed.flag("long"), parsed.flag("headers")
    last = None
    for document in answer.items():
        for listed in document["Objects"]:
            rows: list[tuple[str, ...]] = []
            if listed["Hash"] != last:
                if several:
                    session.output.text(("\n" if last is not None else "") + safe(listed["Hash"]) + ":\n")
                if headers:
                    rows.append(_row(("Mode", "Hash", "Size", "ModTime", "Name"), size=size, long=long))
                last = listed["Hash"]
            rows += [_row(_cells(link), size=size, long=long) for link in listed["Links"]]
            for line in table(rows):
                session.output.line(line)


def _cells(link: dict[str, Any]) -> tuple[str, str, str, str, str]:
    folder = link["Type"] in _FOLDERS
    return (
        mode_text(link.get("Mode") or 0, "d" if folder else "l" if link["Type"] == 4 else "-"),
        link["Hash"],
        "-" if folder else str(link["Size"]),
        moment_text(link.get("ModTime")),
        safe(link["Name"]) + ("/" if folder else ""),
    )


def _row(cells: tuple[str, str, str, str, str], *, size: bool, long: bool) -> tuple[str, ...]:
    mode, address, length, moment, name = cells
    return (
        *((mode,) if long else ()),
        address,
        *((length,) if size else ()),
        *((moment,) if long else ()),
        name,
    )


COMMANDS = (
    CliCommand(
        "ls",
        rpc="ls",
        text=_print,
        examples=(
            Example("ls ADDRESS", "List a folder: address, size and name of each entry."),
            Example("ls -l ADDRESS/photos", "Show modes and times too, where they were kept."),
            Example("ls --stream --size=false ADDRESS", "List a folder of a million entries without waiting."),
        ),
    ),
)
