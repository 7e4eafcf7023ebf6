"""Changing one value of a TOML file and leaving every other byte of it, comments too (TOML 1.0).

The standard library reads TOML and does not write it. A line editor is enough here: it finds the statement of a key,
puts another value in its place, and then has the result parsed; where the parsed result is not exactly what was asked
for, the file has a form this editor does not know and stays as it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError

_TABLE: Final = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?")
_ARRAY_TABLE: Final = re.compile(r"\s*\[\[")
_STATEMENT: Final = re.compile(r"\s*([A-Za-z0-9_.\-\s\"']+?)\s*=")


def serialize_value(value: Any) -> str:
    """Return `value` (text, integer, boolean, list of these) as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            items = [serialize_value(item) for item in value]
            if sum(map(len, items)) > 80:
                return "[\n" + "".join(f"  {item},\n" for item in items) + "]"
            return "[" + ", ".join(items) + "]"
        case _:
            raise LocalProtocolError(f"a {type(value).__name__} has no form in config.toml")


def flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the document's values by dotted key; tables vanish into the keys."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def edit(text: str, key: str, value: Any) -> str:
    """Return the TOML `text` with the dotted `key` set to `value`, or without the key when `value` is None.

    Raises:
        LocalProtocolError: the file writes this key in a form that cannot be changed in place.
    """
    expected = flatten(tomllib.loads(text))
    if value is None:
        if key not in expected:
            return text
        del expected[key]
    else:
        expected[key] = value
    edited = _edit_lines(text.splitlines(keepends=True), key, value)
    try:
        if flatten(tomllib.loads(edited)) == expected:
            return edited
    except tomllib.TOMLDecodeError:
        pass  # answered as every other form that is not understood
    raise LocalProtocolError(f"{key} is written in a form that cannot be changed in place; edit config.toml by hand")


def _edit_lines(lines: list[str], key: str, value: Any) -> str:
    table, _, name = key.rpartition(".")
    current = ""
    table_end = 0 if not table else None  # the line after the last statement of the key's own table
    index = 0
    while index < len(lines):
        line = lines[index]
        if header := _TABLE.fullmatch(line.rstrip("\r\n")):
            current = _normal(header[1])
            if current == table:
                table_end = index + 1
            index += 1
            continue
        if _ARRAY_TABLE.match(line):
            current = "\0"  # never a table of ours
        statement = _STATEMENT.match(line) if not line.lstrip().startswith("#") else None
        if not statement:
            index += 1
            continue
        end = _statement_end(lines, index)
        if _normal(f"{current}.{statement[1]}" if current else statement[1]) == key:
            replacement = [] if value is None else [_replaced(lines[index:end], statement[0], value)]
            return "".join(lines[:index] + replacement + lines[end:])
        if current == table:
            table_end = end
        index = end
    added = f"{name} = {serialize_value(value)}\n"
    if table_end is None:
        head = "".join(lines)
        gap = "" if not head else "\n" if head.endswith("\n") else "\n\n"
        return f"{head}{gap}[{table}]\n{added}"
    if table_end and not lines[table_end - 1].endswith("\n"):
        lines[table_end - 1] += "\n"
    return "".join([*lines[:table_end], added, *lines[table_end:]])


def _normal(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _statement_end(lines: list[str], start: int) -> int:
    """Return the line after the statement that begins at `start`: the shortest run of lines that parses."""
    for end in range(start + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return start + 1


def _replaced(statement: list[str], head: str, value: Any) -> str:
    """Return the statement with another value, keeping the comment behind a value of one line."""
    ending = "\r\n" if statement[-1].endswith("\r\n") else "\n"
    comment = ""
    if len(statement) == 1:
        line = statement[0].rstrip("\r\n")
        whole = tomllib.loads(line)
        for match in re.finditer(r"\s*#", line):
            try:
                if tomllib.loads(line[: match.start()]) == whole:
                    comment = line[match.start() :]
                    break
            except tomllib.TOMLDecodeError:
                continue
    return f"{head} {serialize_value(value)}{comment}{ending}"
