"""Plain JSON: no links and no bytes, "/" is a key like any other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.values import documents, floats, integers, texts
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import json
from zwerm.multiformats.cid import CID

plain = documents(st.none() | st.booleans() | integers | floats | texts)


def test_the_reserved_forms_of_dag_json_are_maps_here() -> None:
    for text in (b'{"/":"foo"}', b'{"/":{"bytes":"YQ"}}', b'{"/":"foo","a":1}'):
        value = json.decode(text)
        assert isinstance(value, dict)
        assert json.encode(value) == text
        assert json.links(text) == []


@pytest.mark.parametrize("text", [b"NaN", b'{"a":1,"a":2}', b"[", b"18446744073709551616", b"\xff"])
def test_what_the_data_model_does_not_have_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        json.decode(text)


@pytest.mark.parametrize("value", [b"", CID.of(b""), {"a": [b"x"]}])
def test_bytes_and_links_have_no_form(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        json.encode(value)


@given(plain)
def test_a_value_survives_a_round_trip(value: object) -> None:
    assert json.decode(json.encode(value)) == value


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        value = json.decode(data)
    except WireError:
        return
    assert json.decode(json.encode(value)) == value
