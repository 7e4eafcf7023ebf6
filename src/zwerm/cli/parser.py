"""Taking a command line apart as Kubo does: options anywhere, `--name=value`, `--name value`, `-rQ`, `--flag=false`.

The same tables serve the HTTP interface. argparse is not used: its flags take no `=false`, and it costs start-up time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from zwerm.cli.command import CliCommand, Option, OptionKind, Parsed, flag, option
from zwerm.daemon.rpc.errors import UsageError

GLOBAL_OPTIONS: Final = (
    flag("help", "h", text="Show what a command does, with examples."),
    flag("json", text="Write the answer as JSON, one document a line."),
    option("repo", "repo-dir", text="The repository's folder, instead of $ZWERM_PATH or ~/.zwerm."),
    option("api", text="Use this daemon: a multiaddr, or host:port; `none` uses the repository directly."),
    option("api-auth", text="The daemon's access token, when it asks for one."),
    flag("offline", text="Ask nobody on the network."),
    option("timeout", text="Give up after this long: 300ms, 1.5s, 2m, 1h."),
    option("cid-base", text="Multibase that CIDs of version 1 are written in."),
    flag("upgrade-cidv0-in-output", text="Write CIDs of version 0 as version 1."),
    option("encoding", "enc", text="`json` is the same as --json; `text` is the default."),
    flag("debug", "D", text="Show where an error came from."),
    flag("local", "L", text="The same as --offline."),
    flag("stream-channels", text="Accepted as Kubo does; answers always stream."),
)


class Options:
    """The options a line may hold, by each of their names."""

    def __init__(self, *groups: Iterable[Option]) -> None:
        self._by_name: dict[str, Option] = {}
        for group in groups:
            for entry in group:
                for name in entry.names:
                    self._by_name.setdefault(name, entry)

    def find(self, name: str, given: str) -> Option:
        """Return the option called `name`; a UsageError that suggests one when there is none."""
        entry = self._by_name.get(name)
        if entry is None:
            from difflib import get_close_matches

            near = get_close_matches(name, self._by_name, 1)
            hint = f"; did you mean --{near[0]}?" if near and len(name) > 1 else ""
            raise UsageError(f"unknown option {given!r}{hint}")
        return entry


def split(
    words: Sequence[str], options: Options, *, stop_at_argument: bool = False
) -> tuple[list[str], dict[str, Any]]:
    """Separate arguments from options; with `stop_at_argument` the rest of the line stays untouched after the first.

    Raises:
        UsageError: an unknown option, a value missing or not of its kind.
    """
    arguments: list[str] = []
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments += rest
            break
        if word.startswith("--"):
            _long(word, rest, options, found)
        elif word.startswith("-") and len(word) > 1 and not word[1].isdigit():
            _short(word, rest, options, found)
        else:
            arguments.append(word)
            if stop_at_argument:
                arguments += rest
                break
    return arguments, found


def _long(word: str, rest: list[str], options: Options, found: dict[str, Any]) -> None:
    name, equals, value = word[2:].partition("=")
    entry = options.find(name, word)
    if not equals:
        value = "true" if entry.kind is OptionKind.BOOL else _next(rest, word)
    _store(entry, value, found)


def _short(word: str, rest: list[str], options: Options, found: dict[str, Any]) -> None:
    letters, equals, value = word[1:].partition("=")
    for index, letter in enumerate(letters):
        entry = options.find(letter, word)
        last = index == len(letters) - 1
        if entry.kind is OptionKind.BOOL:
            _store(entry, value if equals and last else "true", found)
            continue
        if not last:
            value = letters[index + 1 :] + equals + value
        elif not equals:
            value = _next(rest, "-" + letter)
        _store(entry, value, found)
        return


def _next(rest: list[str], word: str) -> str:
    if not rest:
        raise UsageError(f"{word} needs a value")
    return rest.pop(0)


def _store(entry: Option, text: str, found: dict[str, Any]) -> None:
    if entry.kind is OptionKind.STRINGS:
        found.setdefault(entry.name, []).append(text)
    elif entry.name in found and entry.kind is not OptionKind.BOOL:
        raise UsageError(f"--{entry.name} was given twice")
    else:
        found[entry.name] = entry.parse(text)


def parse(command: CliCommand, words: Sequence[str]) -> tuple[Parsed, dict[str, Any]]:
    """Take the words after the command's own apart; return them and the global options among them."""
    arguments, found = split(words, Options(command.all_options(), GLOBAL_OPTIONS))
    own = {entry.name for entry in command.all_options()}
    given = {name: value for name, value in found.items() if name in own}
    return Parsed(command, tuple(arguments), given), {name: found[name] for name in found if name not in own}
