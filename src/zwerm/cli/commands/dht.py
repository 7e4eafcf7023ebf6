"""`zwerm dht`."""

from __future__ import annotations

import dataclasses

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.commands import routing
from zwerm.cli.session import Session


def _peers(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["ID"])


COMMANDS = (
    CliCommand(
        "dht query",
        rpc="dht/query",
        text=_peers,
        details="The public DHT is asked, or the local network's while nobody of the public one is known.",
        examples=(Example("dht query 12D3KooWPEER", "List the servers nearest to an ID, nearest first."),),
    ),
    *(
        dataclasses.replace(
            each,
            words=each.words.replace("routing", "dht"),
            rpc=(each.rpc or "").replace("routing", "dht"),
            details="Kubo's older name of `routing`.",
            examples=tuple(Example(one.line.replace("routing", "dht"), one.meaning) for one in each.examples),
            hidden=True,
        )
        for each in routing.COMMANDS
        if each.rpc != "routing/reprovide"
    ),
)
