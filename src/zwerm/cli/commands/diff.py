"""`zwerm diff`."""

from __future__ import annotations

from typing import Any

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _print(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        if item.get("Lines"):
            session.output.text("\n".join(safe(line) for line in item["Lines"].splitlines()) + "\n")
            continue
        name = f"{item['Source']} -> {item['Path']}" if item["Source"] else item["Path"]
        sizes = " -> ".join(str(side["Size"]) for side in (item["Before"], item["After"]) if side)
        session.output.line(f"{item['Kind']:8} {safe(name)}" + (f"  ({sizes} bytes)" if _has_size(item) else ""))


def _has_size(item: dict[str, Any]) -> bool:
    return any(side and side["Type"] == "file" for side in (item["Before"], item["After"]))


COMMANDS = (
    CliCommand(
        "diff",
        rpc="diff",
        text=_print,
        examples=(
            Example("diff /site", "Show what the last change of a folder did."),
            Example("diff /site@2026-05-01", "Show what changed since that day."),
            Example("diff -p /notes/today.txt@~3 /notes/today.txt@~1", "Show the lines that differ."),
            Example("diff ADDRESS OTHER", "Compare any two folders or files."),
        ),
    ),
)
