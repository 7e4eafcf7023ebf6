"""The calls protocol's decoder says what the published schema says, to every message."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.calls.message import MAX_MESSAGE, parse_event, parse_request, request_types, serialize
from zwerm.calls.schema import Compiler, document
from zwerm.core.errors import LocalProtocolError, WireError

KEY, SIGNATURE, TOKEN = "B" + "A" * 86, "s" * 86, "t" * 43
RING = {"type": "ring", "id": 1, "to": "ann", "media": ["audio", "video"]}
HELLO = {"type": "hello", "id": 1, "device": "d_1", "signature": SIGNATURE, "resume": {"session": TOKEN, "seq": 4}}
SAMPLES: list[dict[str, Any]] = [
    RING,
    HELLO,
    {"type": "register", "id": 1, "name": "ann", "email": "ann@example.org", "key": KEY, "label": "Ann's telephone"},
    {"type": "settings", "id": 3, "callers": "contacts", "disturb": True},
    {"type": "signal", "id": 9, "to": "d_2", "call": "c1", "data": "v=0"},
    {"type": "watch", "id": 2, "names": ["ann", "bob"]},
    {"type": "pong"},
    {"type": "ack", "seq": 0},
]


def validator() -> jsonschema.Draft202012Validator:
    definitions = document()["$defs"]
    return jsonschema.Draft202012Validator({"$defs": definitions, "oneOf": definitions["request"]["oneOf"]})


VALIDATOR = validator()


def is_read(message: Any) -> bool:
    try:
        return parse_request(serialize(message)) == message
    except WireError:
        return False


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(document())


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: message["type"])
def test_messages_of_the_schema_are_read_as_they_are(message: dict[str, Any]) -> None:
    assert parse_request(serialize(message)) == message
    assert VALIDATOR.is_valid(message)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 1 << 60),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    st.text(max_size=80).filter(lambda text: "\n" not in text),
    st.sampled_from(["ann", "Ann", "a" * 33, KEY, TOKEN, "audio", "\u202eann", " "]),
    st.lists(st.sampled_from(["audio", "ann", 3]), max_size=5),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(st.sampled_from(SAMPLES), st.sampled_from(["change", "drop", "add", "inside"]), st.integers(0, 20), JUNK)
def test_decoder_and_schema_agree_on_every_changed_message(
    sample: dict[str, Any], how: str, place: int, junk: Any
) -> None:
    message = copy.deepcopy(sample)
    inner = message.get("resume", message) if how == "inside" else message
    names = sorted(inner)
    if how == "drop":
        del inner[names[place % len(names)]]
    else:
        inner["unknown" if how == "add" else names[place % len(names)]] = junk
    assert is_read(message) == VALIDATOR.is_valid(message)


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_read_or_refused_and_never_anything_else(data: bytes) -> None:
    for parse in (parse_request, parse_event):
        try:
            parse(data)
        except WireError:
            pass
        else:
            pytest.fail("random bytes are no message")


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"pong"',
        "[" * 50_000,
        '{"a":' * 10_000,
        '{"type":"ack","seq":NaN}',
        '{"type":"ack","seq":1e999}',
        '{"type":"ack","seq":' + "9" * 5_000 + "}",
        '{"type":"ack","seq":true}',
        '{"type":"ack","seq":1.5}',
        '{"type":"pong","type":"pong"}',
        '{"type":"watch","id":1,"names":["\\ud800"]}',
        '{"type":["pong"]}',
        '{"type":"no-such-thing"}',
        '"pong"',
        "",
        " " * (MAX_MESSAGE + 1),
        '{"type":"ring","id":1,"to":"ann\\n","media":[]}',
        '{"type":"room-join","id":1,"link":"' + "t" * 43 + '","label":"\\ud800"}',
    ],
    ids=range(17),
)
def test_what_is_no_message_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(WireError):
        parse_request(text)


def test_every_request_that_wants_an_answer_has_a_number() -> None:
    for each in document()["$defs"]["request"]["oneOf"]:
        kind = each["properties"]["type"]["const"]
        assert ("id" in each["required"]) == (kind not in ("pong", "ack"))
    assert {"ring", "answer", "room-join"} <= request_types()


def test_names_cannot_hide_what_they_are() -> None:
    for label in ("<script>alert(1)</script>", "Zoë 🎈"):
        assert is_read({"type": "room-rename", "id": 1, "room": "r", "label": label})  # it is text, and stays text
    for label in ("a\nBcc: b", "\u202egnp.exe", "\x00", "  ", "a" * 65):
        assert not is_read({"type": "room-rename", "id": 1, "room": "r", "label": label})
    for name in ("Ann", "änn", "ann ", "a..", "-ann", "a" * 33, "ann/../bob", ""):
        assert not is_read(RING | {"to": name})


def test_a_schema_that_says_more_than_is_checked_is_an_error() -> None:
    with pytest.raises(LocalProtocolError, match="format"):
        Compiler({}).check({"type": "string", "format": "email"})
    with pytest.raises(LocalProtocolError, match="does not name"):
        Compiler({}).check({"type": "object", "properties": {}})


def test_events_are_read_by_their_own_list() -> None:
    event = {"type": "progress", "seq": 1, "call": "c", "state": "ringing"}
    assert parse_event(json.dumps(event)) == event
    with pytest.raises(WireError, match="does not exist"):
        parse_request(json.dumps(event))


def test_a_message_has_so_many_bytes_and_no_more() -> None:
    text = json.dumps(RING)
    assert parse_request(text + " " * (MAX_MESSAGE - len(text))) == RING
    with pytest.raises(WireError, match="the limit is"):
        parse_request(text + " " * (MAX_MESSAGE + 1 - len(text)))
