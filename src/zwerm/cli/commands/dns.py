"""`zwerm dns`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _print(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Path"])


COMMANDS = (
    CliCommand(
        "dns",
        rpc="dns",
        text=_print,
        details="`resolve` and `name resolve` do this too; this is Kubo's older word for it.",
        examples=(Example("dns example.org", "Show the address that the DNSLink of a domain leads to."),),
    ),
)
