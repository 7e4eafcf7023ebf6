"""`zwerm bitswap`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.commands.routing import silent
from zwerm.cli.output import human_size
from zwerm.cli.session import Session


def stat(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print the figures as Kubo does."""
    for item in answer.items():
        size = human_size if parsed.flag("human") else str
        session.output.text(
            f"bitswap status\n"
            f"\tblocks received: {item['BlocksReceived']}\n"
            f"\tblocks sent: {item['BlocksSent']}\n"
            f"\tdata received: {size(item['DataReceived'])}\n"
            f"\tdata sent: {size(item['DataSent'])}\n"
            f"\tdup blocks received: {item['DupBlksReceived']}\n"
            f"\tdup data received: {size(item['DupDataReceived'])}\n"
            f"\twantlist [{len(item['Wantlist'])} keys]\n"
        )
        for cid in item["Wantlist"]:
            session.output.line(f"\t\t{cid['/']}")
        session.output.line(f"\tpartners [{len(item['Peers'])}]")
        for peer in item["Peers"] if parsed.flag("verbose") else ():
            session.output.line(f"\t\t{peer}")


def _wantlist(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for cid in item["Keys"]:
            session.output.line(cid["/"])


def _ledger(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(
            f"Ledger for {item['Peer']}\n"
            f"Debt ratio:\t{item['Value']:f}\n"
            f"Exchanges:\t{item['Exchanged']}\n"
            f"Bytes sent:\t{item['Sent']}\n"
            f"Bytes received:\t{item['Recv']}\n"
        )


COMMANDS = (
    CliCommand(
        "bitswap stat",
        rpc="bitswap/stat",
        text=stat,
        examples=(Example("bitswap stat --human", "Show how much came from other nodes, and went to them."),),
    ),
    CliCommand(
        "bitswap wantlist",
        rpc="bitswap/wantlist",
        text=_wantlist,
        examples=(
            Example("bitswap wantlist", "List the blocks this node is waiting for."),
            Example("bitswap wantlist --peer 12D3KooWPEER", "List those that another one is waiting for."),
        ),
    ),
    CliCommand(
        "bitswap ledger",
        rpc="bitswap/ledger",
        text=_ledger,
        examples=(Example("bitswap ledger 12D3KooWPEER", "Show what was exchanged with a node."),),
    ),
    CliCommand(
        "bitswap reprovide",
        rpc="bitswap/reprovide",
        text=silent,
        details="The same as `routing reprovide`, by Kubo's older name.",
        examples=(Example("bitswap reprovide", "Tell others again, now, what this node has."),),
    ),
)
