"""The reference page of the commands, made from their tables: `docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zwerm.cli.command import Argument, CliCommand, Option
from zwerm.cli.commands import GROUPS, TABLE, load
from zwerm.cli.help import option_text, option_usage
from zwerm.cli.parser import GLOBAL_OPTIONS
from zwerm.daemon.rpc.absent import ABSENT

_HEAD: Final = """\
# Commands

`zwerm COMMAND --help` shows the same as this page. Where a command is Kubo's, so are its flags and what it prints; a
symbolic link named `ipfs` to `zwerm` behaves as `ipfs` (`IPFS_PATH`, `ipfs daemon`, `ipfs add` gives the address that
Kubo gives by default).

Commands go to the daemon of the repository when one runs, and work on the repository themselves otherwise; they print
the same. `--json` gives one JSON document a line. Exit status: 0 done, 1 failed, 2 not understood, 130 interrupted, 141
nobody reads the output. A failure is one line on standard error; `ZWERM_DEBUG=1` adds where it came from.

A path is an address (`bafy...`), `/ipfs/ADDRESS/a/b`, or one in the node's own tree of files (`/notes/a.txt`). Behind
an `@` stands a version of the latter: `/notes/a.txt@~1`, `@2026-05-01`, `@2026-05-01T12:00`, or a commit as `history`
shows it.
"""
_FOOT: Final = """
## What Kubo has and zwerm has not

Over HTTP these are status 500 with the sentence, on the command line exit status 1.

| commands | why |
|---|---|
"""
_END: Final = """
This page is made from the tables in `src/zwerm/daemon/rpc` and `src/zwerm/cli/commands`.
"""


def commands_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, "Options of every command:\n"]
    lines += _options(GLOBAL_OPTIONS)
    for group in GROUPS:
        lines.append(f"\n## {group.value}")
        for word, row in TABLE.items():
            if row.group is group:
                lines += [part for command in load(word) if not command.hidden for part in _command(command)]
    return "\n".join(lines) + "\n" + _FOOT + "\n".join(_absent()) + "\n" + _END


def _absent() -> list[str]:
    """Rows of what Kubo has and zwerm has not, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for path, reason in ABSENT.items():
        reasons.setdefault(reason, []).append(f"`{path.replace('/', ' ')}`")
    return [f"| {', '.join(names)} | {reason} |" for reason, names in reasons.items()]


def _command(command: CliCommand) -> list[str]:
    arguments = " ".join(_usage(argument) for argument in command.all_arguments())
    title = f"`{command.words}{' ' + arguments if arguments else ''}`"
    lines = [f"\n### {title}\n", command.one_line() + "."]
    if command.details:
        lines += ["", command.details]
    if command.rpc and not _is_local(command):
        lines += ["", f"RPC: `POST /api/v0/{command.rpc}`"]
    if command.all_arguments():
        lines += ["", *(f"* `<{entry.name}>`: {_cell(entry.description)}" for entry in command.all_arguments())]
    if command.all_options():
        lines += ["", *_options(command.all_options())]
    lines += ["", "```sh", *(f"zwerm {example.line}  # {example.meaning}" for example in command.examples), "```"]
    return lines


def _is_local(command: CliCommand) -> bool:
    remote = command.remote()
    return remote is not None and remote.local_only


def _usage(argument: Argument) -> str:
    name = f"<{argument.name}>" + ("..." if argument.variadic else "")
    return name if argument.required and not argument.stdin else f"[{name}]"


def _options(options: Iterable[Option]) -> list[str]:
    return [
        "| option | |",
        "|---|---|",
        *(f"| `{option_usage(entry)}` | {_cell(option_text(entry))} |" for entry in options),
    ]


def _cell(text: str) -> str:
    """Text that may stand in a table, and whose angle brackets are not taken for HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
