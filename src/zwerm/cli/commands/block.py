"""`zwerm block`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.remote import write_chunks
from zwerm.cli.session import Session


def _stat(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(f"Key: {item['Key']}\nSize: {item['Size']}\n")


def _put(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Key"])


def _rm(session: Session, _parsed: Parsed, answer: Answer) -> int:
    failed = False
    for item in answer.items():
        if item.get("Error"):
            failed = True
            session.complain(f"cannot remove {item['Hash']}: {item['Error']}")
        else:
            session.output.line(f"removed {item['Hash']}")
    if failed:
        session.complain("Error: some blocks not removed")
    return int(failed)


COMMANDS = (
    CliCommand(
        "block get",
        rpc="block/get",
        text=write_chunks,
        examples=(Example("block get CID > block", "Write a block's bytes."),),
    ),
    CliCommand(
        "block put",
        rpc="block/put",
        text=_put,
        examples=(
            Example("block put data.bin", "Store a file of at most 2 MiB as one block."),
            Example("block put --cid-codec=dag-pb --mhtype=blake3 node.bin", "Store it under another codec and hash."),
        ),
    ),
    CliCommand(
        "block rm", rpc="block/rm", text=_rm, examples=(Example("block rm CID", "Remove a block that nothing keeps."),)
    ),
    CliCommand(
        "block stat", rpc="block/stat", text=_stat, examples=(Example("block stat CID", "Show how large a block is."),)
    ),
)
