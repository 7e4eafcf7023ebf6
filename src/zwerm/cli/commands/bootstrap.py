"""`zwerm bootstrap`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _list(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for peer in item["Peers"]:
            session.output.line(peer)


def _added(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for peer in item["Peers"]:
            session.output.line(f"added {peer}")


def _removed(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for peer in item["Peers"]:
            session.output.line(f"removed {peer}")


_PEER = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWPEER"

COMMANDS = (
    CliCommand(
        "bootstrap", rpc="bootstrap", text=_list, examples=(Example("bootstrap", "List the peers asked first."),)
    ),
    CliCommand("bootstrap list", rpc="bootstrap/list", text=_list, examples=(Example("bootstrap list", "The same."),)),
    CliCommand(
        "bootstrap add",
        rpc="bootstrap/add",
        text=_added,
        examples=(Example(f"bootstrap add {_PEER}", "Ask this peer too."),),
    ),
    CliCommand(
        "bootstrap rm",
        rpc="bootstrap/rm",
        text=_removed,
        examples=(Example(f"bootstrap rm {_PEER}", "Ask it no more."),),
    ),
    CliCommand(
        "bootstrap rm all",
        rpc="bootstrap/rm/all",
        text=_removed,
        examples=(Example("bootstrap rm all", "Ask nobody."),),
    ),
)
