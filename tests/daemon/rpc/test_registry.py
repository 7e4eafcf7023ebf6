"""The table of commands: what is declared can be called, and is called by the names it declares."""

from __future__ import annotations

import inspect

import pytest

from zwerm.daemon.rpc.errors import CommandError, CommandNotFound, UsageError
from zwerm.daemon.rpc.registry import FAMILIES, GLOBAL_OPTIONS, OptionKind, find, flag, load_all, option, python_name

COMMANDS = load_all()


def test_unknown_paths_are_not_found() -> None:
    for path in ("nothing", "files/nothing", "files", "", "nothing/at/all"):
        with pytest.raises(CommandNotFound, match="there is no command"):
            find(path)


def test_every_family_declares_what_its_name_says() -> None:
    firsts = {path.partition("/")[0] for path in COMMANDS}
    assert {family.partition("/")[0] for family in FAMILIES} == firsts


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_takes_what_its_table_says_and_nothing_else(path: str) -> None:
    found = COMMANDS[path]
    parameters = dict(list(inspect.signature(found.run).parameters.items())[1:])
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    passed = {argument.keyword for argument in found.arguments if not argument.file}
    passed |= {entry.keyword for entry in found.options if not entry.display}
    passed |= {"body"} if found.takes_body else set()
    assert passed == set(parameters)
    for argument in found.arguments:
        if not argument.required and not argument.file:
            assert parameters[argument.keyword].default is not inspect.Parameter.empty


@pytest.mark.parametrize("path", COMMANDS)
def test_option_names_are_unique_and_described(path: str) -> None:
    found = COMMANDS[path]
    names = [name for entry in (*found.options, *GLOBAL_OPTIONS) for name in entry.names]
    assert len(names) == len(set(names))
    texts = [found.summary + ".", *(entry.description for entry in (*found.options, *found.arguments))]
    assert all(text.endswith(".") for text in texts), texts


def test_python_names_avoid_words_of_python() -> None:
    assert python_name("cid-version") == "cid_version"
    assert python_name("hash") == "hash_"
    assert python_name("format") == "format_"
    assert python_name("from") == "from_"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (OptionKind.BOOL, "", True),
        (OptionKind.BOOL, "TRUE", True),
        (OptionKind.BOOL, "0", False),
        (OptionKind.INT, "-5", -5),
        (OptionKind.INT, "0x10", 16),
        (OptionKind.UINT, "0644", 0o644),
        (OptionKind.FLOAT, "1.5", 1.5),
        (OptionKind.STRING, "", ""),
    ],
)
def test_values_are_read_as_kubo_reads_them(kind: OptionKind, text: str, value: object) -> None:
    assert option("x", kind=kind, text="").parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [(OptionKind.BOOL, "maybe"), (OptionKind.INT, "ten"), (OptionKind.UINT, "-1"), (OptionKind.FLOAT, "")],
)
def test_other_values_are_refused_with_what_was_expected(kind: OptionKind, text: str) -> None:
    with pytest.raises(UsageError, match=r"--x is .*, expected"):
        option("x", kind=kind, text="").parse(text)


def test_an_option_is_found_by_each_of_its_names() -> None:
    add = find("add")
    assert add.option("r") is add.option("recursive")
    assert add.option("timeout") is not None
    assert add.option("nothing") is None
    assert flag("quiet", "q", text="").name == "quiet"


def test_usage_errors_are_command_errors() -> None:
    assert issubclass(UsageError, CommandError)
