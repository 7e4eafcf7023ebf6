"""Commands that are an RPC command: arguments from the line, uploads from the disk, the answer printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zwerm.cli.client import Answer
from zwerm.cli.command import Argument, Parsed
from zwerm.cli.output import complain
from zwerm.cli.session import Session
from zwerm.daemon.rpc import disk
from zwerm.daemon.rpc.body import DiskBody, StreamBody
from zwerm.daemon.rpc.errors import CommandError, UsageError


def run(session: Session, parsed: Parsed) -> int | None:
    """Carry a command out and print what it gives."""
    answer = call(session, parsed)
    try:
        return show(session, parsed, answer)
    finally:
        answer.close()


def call(session: Session, parsed: Parsed, **changes: Any) -> Answer:
    """Start the RPC command of a line; `changes` are options besides those given."""
    command = parsed.command
    assert command.rpc is not None  # noqa: S101 -- only such commands come here
    texts, files = bind(command.all_arguments(), parsed.arguments, session)
    options = command.sent(parsed.options) | {name.replace("_", "-"): value for name, value in changes.items()}
    return session.call(command.rpc, texts, options, body(command.all_arguments(), files, session, parsed.options))


def show(session: Session, parsed: Parsed, answer: Answer) -> int | None:
    """Print an answer: JSON lines with --json, else as the command does."""
    if session.settings.json and not answer.raw:
        for item in answer.items():
            session.output.json(item)
        return None
    if parsed.command.text is not None:
        return parsed.command.text(session, parsed, answer)
    for _ in answer.items():
        pass  # a command that says nothing; failures come out of the iteration
    return None


def write_chunks(session: Session, _parsed: Parsed, answer: Answer) -> None:
    """Copy a raw answer to standard output."""
    for chunk in answer.chunks():
        session.output.data(chunk)


def bind(arguments: Sequence[Argument], given: Sequence[str], session: Session) -> tuple[list[str], list[str]]:
    """Separate texts from paths of files; what is missing and may come from standard input is read there.

    Raises:
        UsageError: too few or too many.
    """
    texts: list[str] = []
    files: list[str] = []
    rest = list(given)
    required = sum(1 for argument in arguments if argument.required)
    for argument in arguments:
        required -= argument.required
        target = files if argument.file else texts
        if not argument.required and len(rest) <= required:
            continue
        if argument.variadic and rest:
            keep = len(rest) - required
            target += rest[:keep]
            rest = rest[keep:]
        elif rest:
            target.append(rest.pop(0))
        elif argument.stdin and not argument.file:
            target += _lines(session, argument)
        elif argument.required and not argument.file:
            raise UsageError(f"<{argument.name}> is missing")
    if rest:
        raise UsageError(f"{rest[0]!r} is one argument too many")
    return texts, files


def body(
    arguments: Sequence[Argument], files: Sequence[str], session: Session, options: dict[str, Any]
) -> DiskBody | StreamBody | None:
    """Return what is uploaded: the files named, or standard input when none is or `-` is."""
    argument = next((entry for entry in arguments if entry.file), None)
    if argument is None or (not files and not argument.required):
        return None
    if not files or list(files) == ["-"]:
        if session.reads_terminal():
            complain("reading from the keyboard; end with Ctrl-D on an empty line")
        return StreamBody(0, options.get("stdin-name", ""))
    paths = [Path(file) for file in files]
    if not argument.recursive and (folder := next((path for path in paths if path.is_dir()), None)) is not None:
        raise CommandError(f"{folder} is a folder, expected a file")
    follow = bool(options.get("dereference-args") or options.get("dereference-symlinks"))
    if len(paths) == 1 and disk.is_stream(disk.named_status(paths[0], follow=follow)):
        return StreamBody(os.open(paths[0], os.O_RDONLY), paths[0].name)
    rules = options.get("ignore-rules-path")
    named = DiskBody(
        paths,
        recursive=bool(options.get("recursive")) and argument.recursive,
        hidden=bool(options.get("hidden")),
        ignore=options.get("ignore", ()),
        ignore_rules_path=Path(rules) if rules else None,
        dereference_arguments=bool(options.get("dereference-args")),
        dereference_symlinks=bool(options.get("dereference-symlinks")),
        keep_mode=bool(options.get("preserve-mode")),
        keep_mtime=bool(options.get("preserve-mtime")),
    )
    disk.check_named(named)
    return named


def _lines(session: Session, argument: Argument) -> Iterator[str]:
    if session.reads_terminal():
        if argument.required:
            raise UsageError(f"<{argument.name}> is missing")
        return
    found = False
    for line in sys.stdin:
        if text := line.strip():
            found = True
            yield text
    if argument.required and not found:
        raise UsageError(f"<{argument.name}> is missing, and standard input gave none")
