"""What a person is told when a command fails: one line, what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from zwerm.cli.output import safe
from zwerm.core.disk_failure import NO_SPACE, disk_error
from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import CommandNotFound, UsageError, error_body

FAILED, NOT_UNDERSTOOD = 1, 2


def describe(program: str, words: Sequence[str], error: BaseException) -> tuple[str, int]:
    """Return the line and the exit status for an error.

    What is neither of zwerm's nor of the system's is a bug, and the line says so.
    """
    if isinstance(error, (UsageError, CommandNotFound)):
        command = " ".join(_command_words(words))
        where = f"{program} {command} --help" if command else f"{program} --help"
        return f"Error: {safe(str(error))} (see `{where}`)", NOT_UNDERSTOOD
    if isinstance(error, OSError) and error.errno in NO_SPACE and error.filename is None:
        return f"Error: {disk_error('write the output', error)}", FAILED  # all other files are named
    if isinstance(error, (ZwermError, OSError)):
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))  # for people at a terminal
        return f"Error: {safe(error_body(error)[1]['Message'])}{notes}", FAILED
    detail = safe(f"{type(error).__name__}: {error}".splitlines()[0])
    return f"Error: a bug in zwerm ({detail}); with ZWERM_DEBUG=1 it shows where", FAILED


def _command_words(words: Sequence[str]) -> list[str]:
    """The words that name the command, as far as they do."""
    from zwerm.cli.commands import ALIASES, TABLE, load

    rest = [word for word in words if not word.startswith("-")]
    if not rest or ALIASES.get(rest[0], rest[0]) not in TABLE:
        return []
    names = {command.words for command in load(ALIASES.get(rest[0], rest[0]))}
    return rest[:2] if " ".join(rest[:2]) in names else rest[:1]
