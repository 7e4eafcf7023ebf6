"""`zwerm id`."""

from __future__ import annotations

import json

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _print(session: Session, parsed: Parsed, answer: Answer) -> None:
    template = parsed.options.get("format")
    for item in answer.items():
        if template is None:
            session.output.line(json.dumps(item, indent="\t", ensure_ascii=False))
            continue
        text = template.replace("<id>", item["ID"]).replace("<aver>", item["AgentVersion"])
        text = text.replace("<pubkey>", item["PublicKey"]).replace("<addrs>", "\n".join(item["Addresses"]))
        text = text.replace("<protocols>", "\n".join(item["Protocols"]))
        session.output.text(text.replace("\\n", "\n").replace("\\t", "\t"))


COMMANDS = (
    CliCommand(
        "id",
        rpc="id",
        text=_print,
        examples=(
            Example("id", "Show the node's ID, key and versions."),
            Example('id -f "<id>\\n"', "Show only the ID."),
        ),
    ),
)
