"""`zwerm multibase`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example
from zwerm.cli.commands.cid import rows
from zwerm.cli.remote import write_chunks

COMMANDS = (
    CliCommand(
        "multibase encode",
        rpc="multibase/encode",
        text=write_chunks,
        examples=(Example("multibase encode -b base16 file", "Write bytes as text."),),
    ),
    CliCommand(
        "multibase decode",
        rpc="multibase/decode",
        text=write_chunks,
        examples=(Example("multibase decode <<< maGVsbG8", "Write text as bytes."),),
    ),
    CliCommand(
        "multibase transcode",
        rpc="multibase/transcode",
        text=write_chunks,
        examples=(Example("multibase transcode -b base32 file", "Write text in another base."),),
    ),
    CliCommand(
        "multibase list", rpc="multibase/list", text=rows, examples=(Example("multibase list", "List the bases."),)
    ),
)
