"""Editing config.toml: one value changes, every other byte stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.node import toml

FILE = """\
# the house configuration
profile = "lan"   # chosen by Anna

[storage]  # what the disk allows
max = "10GB" # not "12GB" # really

[bootstrap_list]
peers = [
  "a", # first
  "b",
]
after = 1
"""


def test_a_value_changes_and_its_comment_stays() -> None:
    assert toml.edit(FILE, "storage.max", "20GB") == FILE.replace('max = "10GB"', 'max = "20GB"')


def test_a_list_of_many_lines_is_replaced_whole() -> None:
    edited = toml.edit(FILE, "bootstrap_list.peers", ["c"])
    assert edited.endswith('[bootstrap_list]\npeers = ["c"]\nafter = 1\n')


def test_a_new_key_joins_its_table() -> None:
    edited = toml.edit(FILE, "storage.verify", value=True)
    assert "really\nverify = true\n\n[boot" in edited


def test_a_new_table_comes_last() -> None:
    assert toml.edit(FILE, "log.level", "debug") == FILE + '\n[log]\nlevel = "debug"\n'


def test_a_key_without_table_goes_above_the_tables() -> None:
    edited = toml.edit("# note\n[log]\nlevel = 'info'\n", "profile", "test")
    assert tomllib.loads(edited) == {"profile": "test", "log": {"level": "info"}}
    assert "# note\n[log]\nlevel = 'info'\n" in edited


def test_removing_a_key_removes_its_lines_only() -> None:
    assert toml.edit(FILE, "bootstrap_list.after", None) == FILE.replace("after = 1\n", "")


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert toml.edit(FILE, "log.level", None) == FILE


def test_a_file_without_a_last_newline_keeps_its_last_value() -> None:
    assert tomllib.loads(toml.edit("[a]\nb = 1", "a.c", 2)) == {"a": {"b": 1, "c": 2}}
    assert tomllib.loads(toml.edit("a = 1", "b.c", 2)) == {"a": 1, "b": {"c": 2}}


def test_dotted_keys_and_windows_lines_are_understood() -> None:
    assert toml.edit("a.b = 1 # one\r\n[c]\r\nd = 2\r\n", "a.b", 5) == "a.b = 5 # one\r\n[c]\r\nd = 2\r\n"


def test_a_form_that_is_not_understood_is_refused_not_mangled() -> None:
    with pytest.raises(LocalProtocolError, match="by hand"):
        toml.edit("storage = { max = '1GB' }\n", "storage.max", "2GB")


VALUES = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.text(), st.lists(st.text(), max_size=5))
NAMES = st.from_regex(r"[a-z]{1,4}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), NAMES), st.one_of(st.none(), VALUES)), max_size=8))
def test_any_sequence_of_edits_reads_back_as_asked(edits: list[tuple[str, str | None, object]]) -> None:
    text, expected = "# kept\n", {}
    for table, name, value in edits:
        key = f"t{table}.{name}" if name else table
        text = toml.edit(text, key, value)
        expected.pop(key, None) if value is None else expected.update({key: value})
    assert toml.flatten(tomllib.loads(text)) == expected
    assert "# kept" in text
