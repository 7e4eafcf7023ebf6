"""dag-json against the rules of ipld.io/specs/codecs/dag-json/spec."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.values import documents, links_in
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import dag_json
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH, MAX_ENTRIES
from zwerm.ipfs.ipld.json_writer import float_text
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ACORN = CID.of(b"acorn")
BEECH = CID.of(b"beech", multicodec.DAG_PB, version=0)

VECTORS = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-1, "-1"),
    (2**64 - 1, "18446744073709551615"),
    (-(2**64), "-18446744073709551616"),
    (1.0, "1.0"),
    (-0.5, "-0.5"),
    (1e21, "1e+21"),
    (1e20, "100000000000000000000.0"),
    (1.5e16, "15000000000000000.0"),
    (1e-6, "0.000001"),
    (1.5e-6, "0.0000015"),
    (1e-7, "1e-7"),
    (8.940696716308594e-8, "8.940696716308594e-8"),
    (-1.25e-300, "-1.25e-300"),
    ("", '""'),
    ('"\\/\b\f\n\r\t\x01\x7f\u2028é', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\u2028é"'),
    ("\U00010151", '"\U00010151"'),
    ([], "[]"),
    ([1, [2, []], {}], "[1,[2,[]],{}]"),
    ({}, "{}"),
    ({"b": 1, "aa": 2, "": 3, "é": 4, "z": 5}, '{"":3,"aa":2,"b":1,"z":5,"é":4}'),
    ({"\uffff": 1, "\U00010000": 2}, '{"\uffff":1,"\U00010000":2}'),
    (b"", '{"/":{"bytes":""}}'),
    (b"\0", '{"/":{"bytes":"AA"}}'),
    (b"\xfb\xff", '{"/":{"bytes":"+/8"}}'),
    (b"abc", '{"/":{"bytes":"YWJj"}}'),
    (ACORN, f'{{"/":"{ACORN}"}}'),
    (BEECH, f'{{"/":"{BEECH}"}}'),
    ({"link": ACORN}, f'{{"link":{{"/":"{ACORN}"}}}}'),
    ({"/": True, "bar": "baz"}, '{"/":true,"bar":"baz"}'),
    ({"/": {"bytes": True}, "bar": 1}, '{"/":{"bytes":true},"bar":1}'),
    ({"/": {"a": 1, "bytes": "foo"}}, '{"/":{"a":1,"bytes":"foo"}}'),
    ({"/": ACORN}, f'{{"/":{{"/":"{ACORN}"}}}}'),
    ({"/": b"a", "b": 1}, '{"/":{"/":{"bytes":"YQ"}},"b":1}'),
    ({"!": 1, "/": "foo"}, '{"!":1,"/":"foo"}'),
    ({"/": {}}, '{"/":{}}'),
    ({"/": []}, '{"/":[]}'),
    ({"bytes": "foo"}, '{"bytes":"foo"}'),
]


@pytest.mark.parametrize(("value", "text"), VECTORS)
def test_vectors(value: object, text: str) -> None:
    assert dag_json.encode(value) == text.encode()
    decoded = dag_json.decode(text.encode())
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize("text", [text for _, text in VECTORS])
def test_vectors_cut_short_at_each_length_are_refused_or_a_shorter_number(text: str) -> None:
    data = text.encode()
    for size in range(len(data)):
        try:
            value = dag_json.decode(data[:size])
        except WireError:
            continue
        assert isinstance(value, int | float)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {\t"b" :\r1 ,\n"a":[ ] } ', {"b": 1, "a": []}),
        ('"\\u00e9\\ud83d\\ude00\\/"', "é😀/"),
        ("1E2", 100.0),
        ("-0", 0),
        ("0e5", 0.0),
        (f'{{ "/" : "{ACORN}" }}', ACORN),
        ('{"/":{ "bytes": "YQ" } }', b"a"),
        ('{"b":1,"/":"foo"}', {"b": 1, "/": "foo"}),
        ('{"/":{"a":1,"bytes":"foo"},"b":2}', {"/": {"a": 1, "bytes": "foo"}, "b": 2}),
        ('{"\\u002f":{"bytes":"YQ"}}', b"a"),
    ],
)
def test_any_spelling_is_read(text: str, value: object) -> None:
    decoded = dag_json.decode(text.encode())
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nul",
        "{",
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "1 2",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "18446744073709551616",
        "-18446744073709551617",
        "1" * 5_000,
        '"\x01"',
        '"\\x41"',
        '"\\ud800"',
        '["\\udc00\\ud800"]',
        '{"\\udc00":1}',
        '[{"a":"\\uD9aax"}]',
        "\ufeff1",
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        "//comment\n1",
    ],
)
def test_what_is_no_json_of_the_data_model_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        dag_json.decode(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("data", [b'"\xff"', b'"\xed\xa0\x80"', '"é"'.encode("latin-1"), "1".encode("utf-16")])
def test_what_is_not_utf_8_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        dag_json.decode(data)


@pytest.mark.parametrize(
    "text",
    [
        '{"/":"foo"}',
        '{"/":""}',
        '{"/":"foo","bar":"baz"}',
        f'{{"/":"{ACORN}","bar":"baz"}}',
        f'{{"/":"{ACORN.encode("base58btc")}"}}',
        f'{{"/":"{str(ACORN).upper()}"}}',
        f'{{"/":"{BEECH.to_v1().encode("base16")}"}}',
        f'{{"/":"{BEECH.encode("base58btc")[:-1]}"}}',
        '{"/":{"bytes":"foo","bar":"baz"}}',
        '{"/":{"bytes":"YWJj"},"bar":"baz"}',
        '{"/":{"bytes":"YQ=="}}',
        '{"/":{"bytes":"YR"}}',
        '{"/":{"bytes":"Y"}}',
        '{"/":{"bytes":"Y Q"}}',
        '{"/":{"bytes":"-_8"}}',
        '{"/":{"bytes":"é"}}',
        '{"/":{"bytes":"\\n"}}',
    ],
)
def test_what_the_reserved_namespace_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        dag_json.decode(text.encode())
    with pytest.raises(WireError):
        dag_json.links(text.encode())


@pytest.mark.parametrize(
    "value",
    [
        {"/": "foo"},
        {"/": str(ACORN)},
        {"/": "foo", "bar": 1},
        {"/": {"bytes": "YQ"}},
        {"/": {"bytes": "YQ", "more": 1}},
        {"/": {"bytes": "foo"}, "bar": 1},
        [{"a": {"/": "foo"}}],
        math.nan,
        math.inf,
        2**64,
        -(2**64) - 1,
        "\ud800",
        {1: 2},
        {"\udc00": 1},
        (1, 2),
        object(),
    ],
)
def test_a_value_without_a_form_is_our_mistake(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        dag_json.encode(value)


def test_nesting_and_containers_are_limited() -> None:
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert dag_json.encode(dag_json.decode(deep)) == deep
    for text in (
        b"[" + deep + b"]",
        b"[" * 200_000,
        b'{"a":' * (MAX_DEPTH + 1) + b"0" + b"}" * (MAX_DEPTH + 1),
        b"[" + b"[]," * MAX_ENTRIES + b"0]",
    ):
        with pytest.raises(WireError):
            dag_json.decode(text)
    with pytest.raises(LocalProtocolError):
        dag_json.encode([dag_json.decode(deep)])


def test_brackets_in_texts_count_for_nothing() -> None:
    text = '[{:\\"' * (2 * MAX_DEPTH)
    assert dag_json.decode(b'["' + text.encode() + b'"]') == [text.replace('\\"', '"')]
    with pytest.raises(WireError):
        dag_json.decode(b'"' + b'\\"[' * 200_000)


def test_links_are_found_in_order() -> None:
    text = f'{{"z":{{"/":"{BEECH}"}},"a":[1,{{"/":"{ACORN}"}},{{"/":"{BEECH}"}}]}}'
    assert dag_json.links(text.encode()) == [BEECH, ACORN, BEECH]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_shortest_and_with_a_point_or_exponent(value: float) -> None:
    text = float_text(value)
    assert float(text) == value
    assert "." in text or "e" in text
    assert len(text.lstrip("-")) <= 25


def writable(value: object) -> bool:
    try:
        dag_json.encode(value)
    except LocalProtocolError:
        return False
    return True


@given(documents().filter(writable))
def test_a_value_survives_a_round_trip_in_one_form(value: object) -> None:
    text = dag_json.encode(value)
    decoded = dag_json.decode(text)
    assert decoded == value
    assert dag_json.encode(decoded) == text
    assert dag_json.decode(json.dumps(json.loads(text), indent=1).encode()) == value


@given(documents().filter(writable))
def test_links_are_those_of_the_decoded_value(value: object) -> None:
    text = dag_json.encode(value)
    assert dag_json.links(text) == links_in(dag_json.decode(text))


tokens = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"/"',
        '"bytes"',
        '"YQ"',
        f'"{ACORN}"',
        '"a"',
        "1",
        "-",
        ".5",
        "e1",
        "null",
        "\\u",
        " ",
    ]
)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | st.lists(tokens).map("".join).map(str.encode))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        value = dag_json.decode(data)
    except WireError:
        return
    if writable(value):  # a key order of the text may allow what the sorted form does not
        assert dag_json.decode(dag_json.encode(value)) == value
