"""Names of any bytes become text that UTF-8 can carry, as Go's encoding/json writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.escaped import from_portable, json_bytes, legible, legible_value, portable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain", "plain"),
        ("é€😀".encode(), "é€😀"),
        (b"\xff", "\ufffd"),
        (b"caf\xe9.txt", "caf\ufffd.txt"),
        (b"\xe2\x82", "\ufffd\ufffd"),  # each byte of a sequence cut short, not one for all
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),  # a surrogate that somebody encoded
        (b"a\xf0\x9f\x98b", "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_each_byte_that_is_no_utf_8_becomes_one_replacement_character(name: bytes, shown: str) -> None:
    assert legible(name.decode("utf-8", "surrogateescape")) == shown


@given(st.recursive(st.binary() | st.integers() | st.none(), lambda below: st.lists(below, max_size=4)))
def test_json_is_valid_utf_8_whatever_bytes_names_have(value: object) -> None:
    def named(part: object) -> object:
        if isinstance(part, list):
            return [named(one) for one in part]
        return part.decode("utf-8", "surrogateescape") if isinstance(part, bytes) else part

    def seen(part: object) -> object:
        if isinstance(part, list):
            return [seen(one) for one in part]
        return legible(part) if isinstance(part, str) else part

    assert json.loads(json_bytes(named(value)).decode("utf-8")) == seen(named(value))


def test_keys_are_names_too() -> None:
    assert json_bytes({"\udcff": [1, "é"]}) == '{"\ufffd":[1,"é"]}'.encode()


def test_every_text_of_a_value_is_made_legible_its_keys_too() -> None:
    value = {"a\udcff": ["\udcfe", {"b": "c"}, 1], "d": None}
    assert legible_value(value) == {"a\ufffd": ["\ufffd", {"b": "c"}, 1], "d": None}


@given(st.binary() | st.text(st.characters(min_codepoint=0x10FE70, max_codepoint=0x10FF10)).map(str.encode))
def test_a_portable_name_is_utf_8_and_comes_back(name: bytes) -> None:
    text = name.decode("utf-8", "surrogateescape")
    carried = portable(text)
    carried.encode()
    assert from_portable(carried) == text


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        (b"plain", "plain"),
        ("é€😀".encode(), "é€😀"),
        (b"caf\xe9.txt", "caf\U0010fee9.txt"),
        ("\U0010fee9".encode(), "\U0010fef4\U0010fe8f\U0010febb\U0010fea9"),  # meant as itself
    ],
)
def test_only_bytes_that_are_no_utf_8_are_carried_otherwise(name: bytes, carried: str) -> None:
    assert portable(name.decode("utf-8", "surrogateescape")) == carried
