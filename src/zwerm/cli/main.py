"""`zwerm`: finds the command, runs it, turns every failure into one clear line and an exit status.

0 done, 1 failed, 2 not understood, 130 interrupted, 141 nobody reads the output. Nothing heavy is imported before the
command is known, so that `--help` is instant. Under the name `ipfs` it behaves as Kubo's command does.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from zwerm.cli.commands import ALIASES, TABLE, load

if TYPE_CHECKING:
    from zwerm.cli.command import CliCommand, Parsed
    from zwerm.cli.session import Session, Settings

_GARBAGE: Final = 20_000  # objects made before cycles are looked for: loading a command makes as many that stay

DONE, FAILED, NOT_UNDERSTOOD, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run one command line and return its exit status. Never raises; does not return from a process's own line."""
    if arguments is None:
        if sys.argv[1:2] != ["up"]:  # which lives long
            gc.set_threshold(_GARBAGE)
        _end(_main(sys.argv[1:], program))
    return _main(list(arguments), program)


def _main(words: list[str], program: str | None) -> int:
    if program is None:
        program = "ipfs" if os.path.basename(sys.argv[0]) == "ipfs" else "zwerm"
    _fill_descriptors()
    try:
        status = _run(program, words)
        _flush()
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except _interruptions():
        _say_interrupted()
        os._exit(INTERRUPTED)  # everything is closed; a thread that hangs on a pipe must not keep us
    except Exception as error:  # noqa: BLE001 -- the last line of defence: a person gets a sentence, not a traceback
        return _tell(program, words, error)
    return status


def _end(status: int) -> NoReturn:
    """End the process. Everything is closed and durable by now; taking the interpreter apart object by object would
    take a tenth of the time of a short command.
    """
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or BROKEN_PIPE
    os._exit(status)


def _run(program: str, words: list[str]) -> int:
    if not words or words[0] in ("--help", "-h", "help"):
        return _help(program, words[1:])
    if words[0] == "--version":
        words = ["version", *words[1:]]
    from zwerm.cli.parser import GLOBAL_OPTIONS, Options, split

    rest, given = (
        ([*words], {}) if not words[0].startswith("-") else split(words, Options(GLOBAL_OPTIONS), stop_at_argument=True)
    )
    if not rest:
        return _help(program, [])
    command, siblings, rest = _find(rest)
    if command is None:
        return _family_help(program, rest, siblings)
    if any(word in ("--help", "-h") for word in _before_separator(rest)):
        from zwerm.cli.help import command_help

        _print(command_help(program, command, siblings))
        return DONE
    from zwerm.cli.parser import parse

    parsed, more = parse(command, rest)
    return _execute(program, command, parsed, given | more)


def _find(words: list[str]) -> tuple[CliCommand | None, tuple[CliCommand, ...], list[str]]:
    """Return the command with the longest match, its siblings, and the words after it."""
    first = ALIASES.get(words[0], words[0])
    if first not in TABLE:
        _refuse_absent(words)
        from zwerm.daemon.rpc.errors import UsageError

        raise UsageError(f"there is no command {words[0]!r}{_near(words[0], TABLE)}")
    commands = load(first)
    for length in range(min(len(words), 3), 0, -1):
        path = " ".join([first, *words[1:length]])
        for command in commands:
            if command.words == path:
                return command, tuple(entry for entry in commands if len(commands) > 1), words[length:]
    return None, commands, [first, *words[1:]]


def _family_help(program: str, words: list[str], siblings: tuple[CliCommand, ...]) -> int:
    """Say what a family holds: as help when that was asked for, as a complaint otherwise."""
    from zwerm.cli.help import family_help

    others = [word for word in words[1:] if not word.startswith("-")]
    if not others:
        _print(family_help(program, words[0], siblings))
        return DONE if "--help" in words or "-h" in words else NOT_UNDERSTOOD
    _refuse_absent(words)
    from zwerm.daemon.rpc.errors import UsageError

    known = [command.words.partition(" ")[2] for command in siblings]
    raise UsageError(f"there is no command {words[0]} {others[0]}{_near(others[0], known)}")


def _refuse_absent(words: list[str]) -> None:
    """Say why a command of Kubo's is not here, when it is one."""
    from zwerm.daemon.rpc.absent import why_absent
    from zwerm.daemon.rpc.errors import CommandAbsent

    reason = why_absent("/".join(word for word in words[:3] if not word.startswith("-")))
    if reason is not None:
        raise CommandAbsent(reason)


def _execute(program: str, command: CliCommand, parsed: Parsed, given: dict[str, Any]) -> int:
    from zwerm.cli.session import Session

    if given.get("debug"):
        os.environ["ZWERM_DEBUG"] = "1"
    session = Session(_settings(program, given))
    try:
        try:
            status = _carry_out(session, command, parsed)
        finally:
            session.output.flush()  # what was found before a failure is shown before it
    finally:
        session.close()
    return status or DONE


def _carry_out(session: Session, command: CliCommand, parsed: Parsed) -> int | None:
    if command.run is not None:
        return command.run(session, parsed)
    from zwerm.cli.remote import run

    return run(session, parsed)


def _settings(program: str, given: dict[str, Any]) -> Settings:
    from zwerm.cli.client import repository_path
    from zwerm.cli.session import Settings
    from zwerm.daemon.rpc.errors import UsageError

    encoding = given.get("encoding", "text")
    if encoding not in ("json", "text"):
        raise UsageError(f"--encoding is {encoding!r}, expected json or text")
    shared = {name: given[name] for name in ("timeout", "cid-base", "upgrade-cidv0-in-output") if given.get(name)}
    if given.get("offline") or given.get("local"):
        shared["offline"] = True
    return Settings(
        program,
        repository_path(program, given.get("repo")),
        api=given.get("api"),
        api_auth=given.get("api-auth") or os.environ.get("ZWERM_TOKEN"),
        json=bool(given.get("json")) or encoding == "json",
        shared=shared,
    )


def _help(program: str, words: list[str]) -> int:
    if words:
        return _run(program, [*words, "--help"])
    from zwerm.cli.root_help import root_help

    _print(root_help(program))
    return DONE


def _fill_descriptors() -> None:
    """Open what was closed of the three standard descriptors, so that no file of the repository takes their numbers.

    Input and output are opened the wrong way round: whoever uses them is told that it is a bad descriptor.
    """
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 -- lives as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _before_separator(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def _near(word: str, known: Any) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _tell(program: str, words: list[str], error: Exception) -> int:
    """Say in one line what went wrong; return the exit status."""
    from zwerm.cli.failure import describe

    line, status = describe(program, words, error)
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()
    sys.stderr.write(line + "\n")
    if os.environ.get("ZWERM_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    return status


def _interruptions() -> tuple[type[BaseException], ...]:
    """What Ctrl-C is by the time it arrives here: where it met a task of the loop, that was cancelled."""
    from asyncio import CancelledError

    return KeyboardInterrupt, CancelledError


def _say_interrupted() -> None:
    """Below the ^C that a terminal shows, and on a line of its own."""
    from zwerm.cli.output import complain

    start = "\n" if sys.stderr is not None and sys.stderr.isatty() else ""
    complain(f"{start}Error: interrupted; nothing is left half done")


def _flush() -> None:
    sys.stdout.flush()


def _forget_output() -> None:
    """Point standard output nowhere, so that the interpreter's own last flush finds no broken pipe."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main())
