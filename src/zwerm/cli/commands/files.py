"""`zwerm files`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.listing import mode_text
from zwerm.cli.output import human_size, safe
from zwerm.cli.remote import write_chunks
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError

_UNKNOWN = "not set"


def _ls(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for entry in item["Entries"] or ():
            if parsed.flag("long"):
                name = entry["Name"] + ("/" if entry["Type"] == 1 else "")
                session.output.line(f"{safe(name)}\t{entry['Hash']}\t{entry['Size']}")
            else:
                session.output.line(safe(entry["Name"]))


def _stat(session: Session, parsed: Parsed, answer: Answer) -> None:
    template = _template(parsed)
    for item in answer.items():
        session.output.line(_filled(template, item))
        if item.get("WithLocality"):
            here, whole = item["SizeLocal"], item["CumulativeSize"]
            share = 100 * here / whole if whole else 100
            session.output.line(f"Local: {human_size(here)} of {human_size(whole)} ({share:.2f}%)")


def _template(parsed: Parsed) -> str:
    chosen = [name for name in ("hash", "size", "format") if parsed.options.get(name)]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} cannot be given together")
    if chosen == ["hash"]:
        return "<hash>"
    if chosen == ["size"]:
        return "<cumulsize>"
    default = next(entry.default for entry in parsed.command.all_options() if entry.name == "format")
    return str(parsed.options.get("format") or default)


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %Y, %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # content of others may say what is beyond the calendar
        return f"{seconds} seconds"


def _filled(template: str, item: dict[str, Any]) -> str:
    mode = int(item.get("Mode", "0"), 8)
    kind = "d" if item["Type"] == "directory" else "-"
    seconds = item.get("Mtime")
    moment = _UNKNOWN if seconds is None else _moment(seconds)
    values = {
        "hash": item["Hash"],
        "size": item["Size"],
        "cumulsize": item["CumulativeSize"],
        "childs": item["Blocks"],
        "type": item["Type"],
        "mode": mode_text(mode, kind) if mode else _UNKNOWN,
        "mode-octal": f"{mode & 0o777:04o}" if mode else _UNKNOWN,
        "mtime": moment,
        "mtime-secs": _UNKNOWN if seconds is None else seconds,
        "mtime-nsecs": _UNKNOWN if seconds is None else item.get("MtimeNsecs", 0),
    }
    for name, value in values.items():
        template = template.replace(f"<{name}>", str(value))
    return template


def _flush(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Cid"])


COMMANDS = (
    CliCommand(
        "files ls",
        rpc="files/ls",
        text=_ls,
        examples=(Example("files ls -l /", "List the tree's folders and files with addresses and sizes."),),
    ),
    CliCommand(
        "files stat",
        rpc="files/stat",
        text=_stat,
        examples=(
            Example("files stat --hash /site", "Print the address of a folder as it is now."),
            Example("files stat --with-local /ipfs/ADDRESS", "Say how much of it is here."),
        ),
    ),
    CliCommand(
        "files read",
        rpc="files/read",
        text=write_chunks,
        examples=(Example("files read /notes/today.txt", "Show a file."),),
    ),
    CliCommand(
        "files write",
        rpc="files/write",
        examples=(
            Example(
                "files write --create --parents /notes/today.txt today.txt", "Write a file of the disk into the tree."
            ),
            Example("files write --create --truncate /log < log", "Replace a file by what comes on standard input."),
        ),
    ),
    CliCommand("files mkdir", rpc="files/mkdir", examples=(Example("files mkdir -p /photos/2026", "Make a folder."),)),
    CliCommand(
        "files cp",
        rpc="files/cp",
        examples=(
            Example("files cp /ipfs/ADDRESS /photos/beach", "Put content into the tree under a name."),
            Example("files cp /site /site-before", "Copy a folder, which takes no space."),
        ),
    ),
    CliCommand("files mv", rpc="files/mv", examples=(Example("files mv /draft /site", "Rename a folder."),)),
    CliCommand(
        "files rm", rpc="files/rm", examples=(Example("files rm -r /draft", "Remove a folder; its history stays."),)
    ),
    CliCommand(
        "files flush",
        rpc="files/flush",
        text=_flush,
        examples=(Example("files flush /site", "Make a folder durable, print its address."),),
    ),
    CliCommand(
        "files chcid",
        rpc="files/chcid",
        examples=(Example("files chcid --cid-version=1 /site", "Address a folder by CID version 1."),),
    ),
    CliCommand(
        "files chmod", rpc="files/chmod", examples=(Example("files chmod 0644 /site/index.html", "Set permissions."),)
    ),
    CliCommand(
        "files touch",
        rpc="files/touch",
        examples=(Example("files touch /site/index.html", "Set the modification time to now."),),
    ),
)
