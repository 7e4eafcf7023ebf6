"""`zwerm pin`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _added(session: Session, parsed: Parsed, answer: Answer) -> None:
    how = "recursively" if parsed.flag("recursive", default=True) else "directly"
    for item in answer.items():
        if "Pins" not in item:
            session.complain(f"{item['Progress']} blocks")
            continue
        for address in item["Pins"]:
            session.output.line(f"pinned {address} {how}")


def _removed(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for address in item["Pins"]:
            session.output.line(f"unpinned {address}")


def _list(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        rows = item["Keys"].items() if "Keys" in item else [(item["Cid"], item)]
        for address, row in rows:
            if parsed.flag("quiet"):
                session.output.line(address)
            else:
                session.output.line(f"{address} {row['Type']}" + (f" {safe(row['Name'])}" if row.get("Name") else ""))


def _wanted(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for row in item["Wanted"]:
            words = [row["Cid"], row["Type"], row["Since"], safe(row["Name"])]
            session.output.line(" ".join(word for word in words if word))


def _updated(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"updated {item['Pins'][0]} to {item['Pins'][1]}")


def _verified(session: Session, parsed: Parsed, answer: Answer) -> int:
    broken = False
    for item in answer.items():
        broken = broken or not item["Ok"]
        if parsed.flag("quiet"):
            if not item["Ok"]:
                session.output.line(item["Cid"])
            continue
        session.output.line(f"{item['Cid']} {'ok' if item['Ok'] else 'broken'}")
        for node in item["BadNodes"]:
            session.output.line(f"  {node['Cid']}: {safe(node['Err'])}")
    return int(broken)


COMMANDS = (
    CliCommand(
        "pin add",
        rpc="pin/add",
        text=_added,
        examples=(
            Example("pin add ADDRESS", "Keep content, with everything below it."),
            Example("pin add --name=thesis ADDRESS", "Give the pin a name."),
        ),
    ),
    CliCommand(
        "pin rm",
        rpc="pin/rm",
        text=_removed,
        examples=(Example("pin rm ADDRESS", "Keep it no longer; `repo gc` removes it."),),
    ),
    CliCommand(
        "pin ls",
        rpc="pin/ls",
        text=_list,
        examples=(
            Example("pin ls --type=recursive --names", "List what is kept, with names."),
            Example("pin ls ADDRESS", "Say what keeps this block."),
        ),
    ),
    CliCommand(
        "pin wanted",
        rpc="pin/wanted",
        text=_wanted,
        examples=(
            Example("pin wanted", "List what is pinned as soon as somebody gives it; `pin rm` takes one off the list."),
        ),
    ),
    CliCommand(
        "pin update",
        rpc="pin/update",
        text=_updated,
        examples=(Example("pin update OLD NEW", "Keep the new version instead of the old one."),),
    ),
    CliCommand(
        "pin verify",
        rpc="pin/verify",
        text=_verified,
        examples=(Example("pin verify --verbose", "Check that everything kept is here and intact."),),
    ),
)
