"""`zwerm repo`."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import human_size, safe
from zwerm.cli.session import Session


def stat(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print sizes in Kubo's columns; what is ours comes last."""
    human, only = parsed.flag("human"), parsed.flag("size-only")
    for item in answer.items():
        rows: list[tuple[str, str]] = [] if only else [("NumObjects", str(item["NumObjects"]))]
        rows += [(name, _size(item[name], human)) for name in ("RepoSize", "StorageMax")]
        if not only:
            rows += [("RepoPath", safe(item["RepoPath"])), ("Version", item["Version"])]
        if "BlocksSize" in item:
            rows += [("BlocksSize", _size(item["BlocksSize"], human)), ("DeadSize", _size(item["DeadSize"], human))]
            rows += [("Damaged", str(item["Damaged"]))] if item["Damaged"] else []
        for name, value in rows:
            session.output.line(f"{name + ':':12}{value}")


def _size(size: int, human: bool) -> str:
    return human_size(size) if human else str(size)


def _gc(session: Session, parsed: Parsed) -> int:
    with closing(remote.call(session, parsed, progress=True)) as answer:
        return _collected(session, parsed, answer)


def _collected(session: Session, parsed: Parsed, answer: Answer) -> int:
    quiet, silent = parsed.flag("quiet"), parsed.flag("silent")
    summary: dict[str, Any] = {}
    failed = False
    with session.progress("collecting") as bar:
        for item in answer.items():
            if session.settings.json:
                session.output.json(item)
            elif "Key" in item and not silent:
                bar.line(session.output, item["Key"]["/"] if quiet else f"removed {item['Key']['/']}")
            elif item.get("Error"):
                failed = True
                session.complain(f"Error: {item['Error']}")
            elif "Phase" in item:
                summary = item
                bar.update(item["Bytes"])
    if summary and not (quiet or silent or session.settings.json):
        session.complain(f"{summary['Blocks']} blocks removed, {human_size(summary['Bytes'])}")
    return int(failed)


def _check(session: Session, _parsed: Parsed, answer: Answer) -> None:
    with session.progress("verifying", unit="blocks") as bar:
        for item in answer.items():
            if item["Msg"]:
                bar.line(session.output, safe(item["Msg"]))
            else:
                bar.update(item["Progress"], item.get("Total"))


def _version(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Version"] if parsed.flag("quiet") else f"repository version {item['Version']}")


def _migrate(session: Session, parsed: Parsed) -> None:
    """Open the repository in this process: the one that a daemon has open is up to date."""
    if session.client.is_local:
        remote.run(session, parsed)
    else:
        _version(session, parsed, session.call("repo/version"))


def _ls(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Ref"])


COMMANDS = (
    CliCommand(
        "repo stat",
        rpc="repo/stat",
        text=stat,
        examples=(Example("repo stat -H", "Show how much is stored, and how much may be."),),
    ),
    CliCommand(
        "repo gc",
        rpc="repo/gc",
        run=_gc,
        text=_collected,
        without=frozenset({"progress"}),
        details="Kept are: what is pinned, the node's files, and their versions as far as the setting history.policy "
        "keeps them. The node goes on working meanwhile. Ctrl-C stops; the next run goes on from there.",
        examples=(Example("repo gc", "Remove what nothing keeps."), Example("repo gc -q | wc -l", "Count what goes.")),
    ),
    CliCommand(
        "repo verify",
        rpc="repo/verify",
        text=_check,
        examples=(Example("repo verify", "Read every block and check it against its address."),),
    ),
    CliCommand(
        "repo repair",
        rpc="repo/repair",
        text=_check,
        details="A damaged block is removed, so that it can be added or fetched again; its address is printed first.",
        examples=(Example("repo repair", "Verify, and remove what is damaged."),),
    ),
    CliCommand(
        "repo version", rpc="repo/version", text=_version, examples=(Example("repo version", "Show its version."),)
    ),
    CliCommand(
        "repo migrate",
        rpc="repo/migrate",
        run=_migrate,
        text=_version,
        details="Every command that opens a repository does this by itself; a later zwerm's is never touched.",
        examples=(Example("repo migrate", "Bring the repository up to date, say which version it has."),),
    ),
    CliCommand("repo ls", rpc="repo/ls", text=_ls, examples=(Example("repo ls", "List every block that is here."),)),
)
