"""`zwerm dag`."""

from __future__ import annotations

from typing import Any

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import human_size
from zwerm.cli.remote import write_chunks
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import CommandError, UsageError


def _get(session: Session, parsed: Parsed, answer: Answer) -> None:
    write_chunks(session, parsed, answer)
    if session.output.is_terminal:
        session.output.line()


def _put(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Cid"]["/"])


def _resolve(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line("/".join(filter(None, [item["Cid"]["/"], item["RemPath"]])))


def _stat(session: Session, parsed: Parsed, answer: Answer) -> None:
    last: dict[str, Any] = {}
    with session.progress("counting", wanted=parsed.options.get("progress")) as bar:
        for item in answer.items():
            last = item
            bar.update(item["TotalSize"])
    rows = last.get("DagStats", [])
    width = max((len(row["Cid"]) for row in rows), default=0)
    session.output.line(f"\n{'CID':{width}}\t{'Blocks':15}\tSize")
    for row in rows:
        session.output.line(f"{row['Cid']}\t{row['NumBlocks']:<15}\t{row['Size']}")
    session.output.text(
        f"\nSummary\nTotal Size: {last['TotalSize']} ({human_size(last['TotalSize'])})\n"
        f"Unique Blocks: {last['UniqueBlocks']}\n"
        f"Shared Size: {last['SharedSize']} ({human_size(last['SharedSize'])})\nRatio: {last['Ratio']:f}\n"
    )


def export(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Write an archive to standard output, never to a terminal."""
    if session.output.is_terminal:
        raise UsageError("an archive is no text; send it to a file with > NAME.car")
    with session.progress("exporting", wanted=parsed.options.get("progress")) as bar:
        for chunk in answer.chunks():
            session.output.data(chunk)
            bar.advance(len(chunk))


def import_(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Tell which roots are kept now."""
    silent = parsed.flag("silent")
    failed = None
    for item in answer.items():
        root, stats = item.get("Root"), item.get("Stats")
        if root and root["PinErrorMsg"]:
            failed = f"pinning root {root['Cid']['/']} FAILED: {root['PinErrorMsg']}"
        elif root and not silent:
            session.output.line(f"Pinned root\t{root['Cid']['/']}\tsuccess")
        elif stats and not silent:
            session.output.line(f"Imported {stats['BlockCount']} blocks ({stats['BlockBytesCount']} bytes)")
    if failed:
        raise CommandError(failed)


COMMANDS = (
    CliCommand(
        "dag get",
        rpc="dag/get",
        text=_get,
        examples=(
            Example("dag get CID", "Show a block as JSON."),
            Example("dag get CID/authors/0/name", "Show one value in it."),
        ),
    ),
    CliCommand(
        "dag put",
        rpc="dag/put",
        text=_put,
        examples=(
            Example(
                """dag put <<< '{"title": "Swarm", "cover": {"/": "CID"}}'""", "Store a value that links to content."
            ),
            Example("dag put --store-codec=dag-json --pin note.json", "Store a file's value as JSON, and keep it."),
        ),
    ),
    CliCommand(
        "dag resolve",
        rpc="dag/resolve",
        text=_resolve,
        examples=(Example("dag resolve CID/cover", "Show which block a path ends in, and the path inside it."),),
    ),
    CliCommand(
        "dag stat",
        rpc="dag/stat",
        text=_stat,
        examples=(Example("dag stat CID", "Count blocks and bytes below an address."),),
    ),
    CliCommand(
        "dag export",
        rpc="dag/export",
        text=export,
        examples=(Example("dag export CID > site.car", "Write everything below an address to an archive."),),
    ),
    CliCommand(
        "dag import",
        rpc="dag/import",
        text=import_,
        examples=(
            Example("dag import site.car", "Take an archive in, and keep its roots."),
            Example("dag import --stats --pin-roots=false *.car", "Take archives in without keeping them yet."),
        ),
    ),
)
