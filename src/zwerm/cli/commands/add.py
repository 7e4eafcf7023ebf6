"""`zwerm add`."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.progress import Progress
from zwerm.cli.session import Session

_KUBO_PROFILE = "unixfs-v0-2015"  # what `ipfs add` does when nothing else is said


def _run(session: Session, parsed: Parsed) -> None:
    quiet = parsed.flag("quiet") or parsed.flag("quieter") or parsed.flag("silent")
    wanted = parsed.options.get("progress")
    changes: dict[str, Any] = {}
    if session.settings.program == "ipfs" and "profile" not in parsed.options:
        changes["profile"] = _KUBO_PROFILE
    shown = wanted if wanted is not None else (False if quiet or session.settings.json else None)
    with session.progress("adding", wanted=shown) as bar:
        changes["progress"] = bar.shown or bool(wanted)
        if bar.shown:
            _measure(parsed.arguments, parsed.flag("recursive"), bar)
        with closing(remote.call(session, parsed, **changes)) as answer:
            if session.settings.json:
                remote.show(session, parsed, answer)
            else:
                _print(session, parsed, answer, bar)


def _text(session: Session, parsed: Parsed, answer: Answer) -> None:
    with session.progress("adding", wanted=False) as bar:
        _print(session, parsed, answer, bar)


def _print(session: Session, parsed: Parsed, answer: Answer, bar: Progress) -> None:
    quiet, quieter = parsed.flag("quiet"), parsed.flag("quieter")
    last = ""
    before = current = 0  # bytes of the files before this one, and of this one
    name = None
    for item in answer.items():
        if "Hash" in item:
            last = item["Hash"]
            if not (quieter or parsed.flag("silent")):
                bar.line(session.output, last if quiet else f"added {last} {safe(item['Name'])}")
            continue
        if item["Name"] != name or item["Bytes"] < current:
            before, name = before + current, item["Name"]
        current = item["Bytes"]
        bar.update(before + current)
    if quieter and last and not parsed.flag("silent"):
        session.output.line(last)


def _measure(paths: Sequence[str], recursive: bool, bar: Progress) -> None:
    """Find out meanwhile how much there is, so that the bar can say how long it takes."""

    def measure() -> None:
        try:
            bar.total = sum(_size(path, recursive) for path in paths)
        except OSError:
            return  # the add itself says what is wrong

    if paths and list(paths) != ["-"]:
        threading.Thread(target=measure, name="measure", daemon=True).start()


def _size(path: str, recursive: bool) -> int:
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    if not recursive:
        return 0
    total = 0
    folders = [path]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


COMMANDS = (
    CliCommand(
        "add",
        rpc="add",
        run=_run,
        text=_text,
        details="Content gets an address made from its bytes: the same bytes have the same address everywhere. "
        "What is added is kept until it is unpinned. With --to it also appears among the node's files, "
        "as a new version of what was there.",
        examples=(
            Example("add report.pdf", "Keep a file, print its address."),
            Example("add -r holiday", "Keep a folder with all that is in it."),
            Example("add -Q -w song.ogg", "Print only the address of a folder that gives the file its name."),
            Example("add -r --to /site public", "Keep a folder as the newest version of /site."),
            Example("add --profile unixfs-v0-2015 report.pdf", "Get the address that a plain `ipfs add` gives."),
            Example("add --only-hash disk.img", "Only say what the address would be."),
        ),
    ),
)
