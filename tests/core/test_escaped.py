"""Names of any bytes become text that UTF-8 can carry, as Go's encoding/json writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.escaped import json_bytes, legible, legible_value


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
