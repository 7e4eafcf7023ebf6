"""What a command of the line is: the words, what they take, how the answer is shown.

Most commands are an RPC command with examples and a way to print; their arguments and options come from its table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from zwerm.daemon.rpc.registry import Argument, Command, Option, OptionKind, find, flag, option

if TYPE_CHECKING:
    from zwerm.cli.client import Answer
    from zwerm.cli.session import Session

__all__ = ["Argument", "CliCommand", "Example", "Option", "OptionKind", "Parsed", "flag", "option"]


class Example(NamedTuple):
    """One line of `--help` that can be typed as it stands."""

    line: str  # without the program's name
    meaning: str


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """A command line taken apart. Options hold what was given, by long name; defaults are the command's own."""

    command: CliCommand
    arguments: tuple[str, ...]
    options: dict[str, Any]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Whether a truth-valued option is on."""
        return bool(self.options.get(name, default))


@dataclasses.dataclass(frozen=True, slots=True)
class CliCommand:
    """A command, `words` as typed after `zwerm`.

    With `rpc` and no `run` the RPC command is called and `text` prints its answer; with `run` that function does all.
    """

    words: str
    examples: tuple[Example, ...]
    rpc: str | None = None
    summary: str = ""  # the RPC command's when empty
    details: str = ""  # a paragraph or two for --help
    arguments: tuple[Argument, ...] | None = None  # the RPC command's when None
    options: tuple[Option, ...] = ()  # besides those of the RPC command; never sent to it
    without: frozenset[str] = frozenset()  # RPC options that make no sense here
    text: Callable[[Session, Parsed, Answer], int | None] | None = None
    run: Callable[[Session, Parsed], int | None] | None = None
    hidden: bool = False  # works, and is in no list: old names

    def remote(self) -> Command | None:
        """Return the RPC command behind it."""
        return find(self.rpc) if self.rpc else None

    def one_line(self) -> str:
        remote = self.remote()
        return self.summary or (remote.summary if remote else "")

    def all_arguments(self) -> tuple[Argument, ...]:
        if self.arguments is not None:
            return self.arguments
        remote = self.remote()
        return remote.arguments if remote else ()

    def all_options(self) -> tuple[Option, ...]:
        """Its own options, then those of the RPC command that it keeps."""
        remote = self.remote()
        own = {name for entry in self.options for name in entry.names}
        kept = remote.options if remote else ()
        return (
            *self.options,
            *(entry for entry in kept if entry.name not in self.without and entry.name not in own),
        )

    def sent(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return those of `options` that the RPC command knows."""
        remote = self.remote()
        own = {entry.name for entry in self.options}
        known = {entry.name for entry in remote.options} if remote else set()
        return {name: value for name, value in options.items() if name in known and name not in own}
