"""Completion scripts of shells, made from the tables; they ask nobody while you type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zwerm.cli.command import CliCommand, Option
from zwerm.cli.commands import TABLE, load
from zwerm.cli.parser import GLOBAL_OPTIONS


def _commands() -> list[CliCommand]:
    return [command for word in TABLE for command in load(word) if not command.hidden]


def _dashed(entry: Option) -> list[str]:
    return [("-" if len(name) == 1 else "--") + name for name in entry.names]


def _next_words() -> dict[str, list[str]]:
    """The words that may follow each beginning of a command."""
    following: dict[str, list[str]] = {"": list(TABLE)}
    for command in _commands():
        words = command.words.split()
        for index in range(1, len(words)):
            known = following.setdefault(" ".join(words[:index]), [])
            if words[index] not in known:
                known.append(words[index])
    return following


def bash(program: str) -> str:
    """The script for bash: sub-commands, options, then file names."""
    cases = []
    options = " ".join(name for entry in GLOBAL_OPTIONS for name in _dashed(entry))
    following = _next_words()
    commands = {command.words: command for command in _commands()}
    for path in sorted({*following, *commands}):
        own = commands[path].all_options() if path in commands else ()
        names = " ".join(name for entry in own for name in _dashed(entry))
        words = " ".join(following.get(path, []))
        files = "yes" if path in commands and commands[path].all_arguments() else ""
        cases.append(f'    "{path}") words="{words}"; options="{names}"; files="{files}" ;;')
    body = "\n".join(cases)
    return f"""# bash completion for {program}; made by `{program} completion bash`
_{program}() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="" word words="" options="" files=""
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in -*) continue ;; esac
    case " $(_{program}_words "$path") " in
      *" $word "*) path="${{path:+$path }}$word" ;;
      *) break ;;
    esac
  done
  _{program}_table "$path"
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options {options}" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -n "$files" ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$current"))
    fi
  fi
}}
_{program}_words() {{ local words options files; _{program}_table "$1"; echo "$words"; }}
_{program}_table() {{
  case "$1" in
{body}
    *) words=""; options=""; files="" ;;
  esac
}}
complete -F _{program} {program}
"""


def zsh(program: str) -> str:
    """The script for zsh, with what each command does."""
    following = _next_words()
    commands = {command.words: command for command in _commands()}
    cases = []
    for path in sorted({*following, *commands}):
        rows = []
        for word in following.get(path, []):
            child = commands.get(f"{path} {word}".strip())
            text = TABLE[word].summary if not path else child.one_line() if child else ""
            rows.append(_quoted(f"{word}:{_colons(text)}"))
        own = commands[path].all_options() if path in commands else ()
        flags = [_quoted(f"{name}:{_colons(entry.description)}") for entry in own for name in _dashed(entry)]
        cases.append(f"    {_quoted(path)}) choices=({' '.join(rows)}); flags=({' '.join(flags)}) ;;")
    shared = " ".join(
        _quoted(f"{name}:{_colons(entry.description)}") for entry in GLOBAL_OPTIONS for name in _dashed(entry)
    )
    body = "\n".join(cases)
    return f"""#compdef {program}
# zsh completion for {program}; made by `{program} completion zsh`
_{program}_table() {{
  case "$1" in
{body}
    *) choices=(); flags=() ;;
  esac
}}
_{program}() {{
  local at="" word; local -a choices flags
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    [[ "$word" == -* ]] && continue
    _{program}_table "$at"
    (( ${{choices[(I)$word:*]}} )) || break
    at="${{at:+$at }}$word"
  done
  _{program}_table "$at"
  if [[ "${{words[CURRENT]}}" == -* ]]; then
    flags+=({shared})
    _describe option flags
  else
    (( $#choices )) && _describe command choices
    [[ -n "$at" ]] && _files
  fi
}}
compdef _{program} {program}
"""


def fish(program: str) -> str:
    """The script for fish."""
    following = _next_words()
    commands = {command.words: command for command in _commands()}
    lines = [
        f"# fish completion for {program}; made by `{program} completion fish`",
        f"function __{program}_at",
        "  set -l words (commandline -opc)[2..]",
        "  set -l plain",
        "  for word in $words; string match -q -- '-*' $word; or set -a plain $word; end",
        '  test "$plain" = "$argv"',
        "end",
        f"function __{program}_in",
        "  set -l words (commandline -opc)[2..]",
        "  set -l plain",
        "  for word in $words; string match -q -- '-*' $word; or set -a plain $word; end",
        '  string match -q -- "$argv*" "$plain"',
        "end",
    ]
    for path, words in following.items():
        for word in words:
            child = commands.get(f"{path} {word}".strip())
            text = TABLE[word].summary if not path else child.one_line() if child else ""
            keep = "" if path else " -f"
            lines.append(f"complete -c {program} -n '__{program}_at {path}'{keep} -a {word} -d {_quoted(text)}")
    for command in commands.values():
        lines += [
            _fish_option(program, f"-n '__{program}_in {command.words}'", entry) for entry in command.all_options()
        ]
    lines += [_fish_option(program, "", entry) for entry in GLOBAL_OPTIONS]
    return "\n".join(lines) + "\n"


def _fish_option(program: str, condition: str, entry: Option) -> str:
    names = " ".join(("-s " if len(name) == 1 else "-l ") + name for name in entry.names)
    value = "" if entry.kind.value == "bool" else " -r"
    return f"complete -c {program} {condition} {names}{value} -d {_quoted(entry.description)}".replace("  ", " ")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


SHELLS: Final[dict[str, Callable[[str], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}
