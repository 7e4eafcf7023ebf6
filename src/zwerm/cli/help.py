"""What `--help` shows, made from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from zwerm.cli.columns import table, terminal_width
from zwerm.cli.command import Argument, CliCommand, Option, OptionKind
from zwerm.cli.commands import TABLE
from zwerm.cli.parser import GLOBAL_OPTIONS


def family_help(program: str, name: str, commands: Sequence[CliCommand]) -> str:
    """The list of a family's commands."""
    shown = [command for command in commands if not command.hidden]
    width = max(len(command.words) for command in shown) + 3
    lines = [
        f"{program} {name}: {TABLE[name].summary}",
        "",
        f"Usage: {program} {name} COMMAND [options] [arguments]",
        "",
    ]
    lines += table([(command.words, command.one_line()) for command in shown], terminal_width(), width)
    lines += ["", "Examples"]
    lines += [f"  $ {program} {command.examples[0].line}" for command in shown if command.examples]
    return "\n".join(lines) + "\n"


def command_help(program: str, command: CliCommand, siblings: Iterable[CliCommand] = ()) -> str:
    """All about one command."""
    options = command.all_options()
    usage = " ".join(
        [program, command.words, *(["[options]"] if options else []), *map(_argument_usage, command.all_arguments())]
    )
    lines = [f"{program} {command.words}: {command.one_line()}", "", f"Usage: {usage}"]
    width = terminal_width()
    if command.details:
        for paragraph in command.details.split("\n\n"):
            lines += ["", *wrap(paragraph, width)]
    if command.all_arguments():
        lines += ["", "Arguments"]
        rows = [(f"<{entry.name}>", entry.description) for entry in command.all_arguments()]
        lines += table(rows, width)
    if options:
        lines += ["", "Options", *table([(option_usage(entry), option_text(entry)) for entry in options], width)]
    others = [other for other in siblings if other is not command and not other.hidden]
    if others:
        lines += ["", "More commands", *table([(other.words, other.one_line()) for other in others], width)]
    lines += ["", "Examples"]
    lines += table([(f"$ {program} {example.line}", example.meaning) for example in command.examples], width)
    shared = ", ".join("--" + entry.name for entry in GLOBAL_OPTIONS[:9])
    lines += ["", *wrap(f"Options of every command: {shared}", width, break_on_hyphens=False)]
    return "\n".join(lines) + "\n"


def _argument_usage(argument: Argument) -> str:
    name = f"<{argument.name}>" + ("..." if argument.variadic else "")
    return name if argument.required and not argument.stdin else f"[{name}]"


def option_usage(entry: Option) -> str:
    """The option as it is typed: `-r, --recursive`, `-o, --offset <int>`."""
    names = sorted(entry.names, key=len)
    text = ", ".join(("-" if len(name) == 1 else "--") + name for name in names)
    return text if entry.kind is OptionKind.BOOL else f"{text} <{entry.kind.value}>"


def option_text(entry: Option) -> str:
    """What an option does, and its default when that is worth saying."""
    if entry.default in (None, False, "") or "\n" in str(entry.default):
        return entry.description
    default = "true" if entry.default is True else entry.default
    return f"{entry.description} Default: {default}."
