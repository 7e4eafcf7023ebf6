"""Taking a command line apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.cli.command import CliCommand, Example, OptionKind, flag, option
from zwerm.cli.parser import parse
from zwerm.daemon.rpc.errors import UsageError

COMMAND = CliCommand(
    "x",
    (Example("x", "X."),),
    arguments=(),
    options=(
        flag("recursive", "r", text=""),
        flag("quieter", "Q", text=""),
        option("count", "n", kind=OptionKind.INT, text=""),
        option("name", text=""),
        option("ignore", kind=OptionKind.STRINGS, text=""),
    ),
)


@pytest.mark.parametrize(
    ("line", "arguments", "options"),
    [
        ("a -r b", ("a", "b"), {"recursive": True}),
        ("-rQ a", ("a",), {"recursive": True, "quieter": True}),
        ("--recursive=false a", ("a",), {"recursive": False}),
        ("-r=false a", ("a",), {"recursive": False}),
        ("-n5", (), {"count": 5}),
        ("-n 5", (), {"count": 5}),
        ("-n=5", (), {"count": 5}),
        ("-rn 5 a", ("a",), {"recursive": True, "count": 5}),
        ("--count=-5", (), {"count": -5}),
        ("-n -5", (), {"count": -5}),
        ("--name --odd", (), {"name": "--odd"}),
        ("--name=", (), {"name": ""}),
        ("--name a=b", (), {"name": "a=b"}),
        ("--ignore x --ignore=y", (), {"ignore": ["x", "y"]}),
        ("-- -r --name", ("-r", "--name"), {}),
        ("- -5", ("-", "-5"), {}),
        ("-r -r", (), {"recursive": True}),
    ],
)
def test_lines_as_people_type_them(line: str, arguments: tuple[str, ...], options: dict[str, Any]) -> None:
    parsed, shared = parse(COMMAND, line.split())
    assert (parsed.arguments, parsed.options, shared) == (arguments, options, {})


def test_global_options_are_kept_apart() -> None:
    parsed, shared = parse(COMMAND, ["--json", "a", "--timeout", "5s", "-n", "3"])
    assert (parsed.arguments, parsed.options) == (("a",), {"count": 3})
    assert shared == {"json": True, "timeout": "5s"}


@given(st.lists(st.text(alphabet="-=rQn5ax", max_size=6), max_size=6))
def test_any_words_are_taken_apart_or_refused(words: list[str]) -> None:
    try:
        parsed, _ = parse(COMMAND, words)
    except UsageError:
        return
    assert set(parsed.options) <= {"recursive", "quieter", "count", "name", "ignore"}
