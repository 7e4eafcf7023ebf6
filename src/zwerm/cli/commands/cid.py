"""`zwerm cid`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def _converted(session: Session, _parsed: Parsed, answer: Answer) -> int:
    failed = False
    for item in answer.items():
        if item["ErrorMsg"]:
            failed = True
            session.complain(f"{item['CidStr']}: {item['ErrorMsg']}")
        else:
            session.output.line(item["Formatted"])
    if failed:
        session.complain("Error: some of it could not be converted")
    return int(failed)


def _inspect(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        hashed = item["Multihash"]
        session.output.text(
            f"CID:        {item['Cid']}\n"
            f"Version:    {item['Version']}\n"
            f"Multibase:  {item['Multibase']['Name']} ({item['Multibase']['Prefix'] or 'implicit'})\n"
            f"Multicodec: {item['Multicodec']['Name']} ({item['Multicodec']['Code']:#x})\n"
            f"Multihash:  {hashed['Name']} ({hashed['Code']:#x}), {hashed['Length']} bytes\n"
            f"Digest:     {hashed['Digest']}\n"
            f"CIDv0:      {item['CidV0'] or 'none'}\n"
            f"CIDv1:      {item['CidV1']}\n"
        )


def rows(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print codes and names, in columns as asked."""
    for item in next(answer.items(), []):
        code = item["Code"]
        columns = []
        if parsed.flag("prefix"):
            columns.append(f"{chr(code) if chr(code).isprintable() else ' '} ")
        if parsed.flag("numeric"):
            columns.append(f"{code:7d} ")
        session.output.line(" ".join([*(column.rstrip() + " " for column in columns), item["Name"]]))


COMMANDS = (
    CliCommand(
        "cid format",
        rpc="cid/format",
        text=_converted,
        examples=(
            Example("cid format -v 1 -b base36 CID", "Write an address so that it fits a host name."),
            Example('cid format -f "%c %h" CID', "Show its codec and hash function."),
        ),
    ),
    CliCommand(
        "cid base32",
        rpc="cid/base32",
        text=_converted,
        examples=(Example("cid base32 QmCID", "Write an old address the new way."),),
    ),
    CliCommand(
        "cid inspect",
        rpc="cid/inspect",
        text=_inspect,
        examples=(Example("cid inspect CID", "Say everything that an address says."),),
    ),
    CliCommand(
        "cid bases",
        rpc="cid/bases",
        text=rows,
        examples=(Example("cid bases --prefix", "List the bases and their letters."),),
    ),
    CliCommand(
        "cid codecs",
        rpc="cid/codecs",
        text=rows,
        examples=(Example("cid codecs --numeric", "List the codecs and their numbers."),),
    ),
    CliCommand(
        "cid hashes", rpc="cid/hashes", text=rows, examples=(Example("cid hashes", "List the hash functions."),)
    ),
)
