"""AutoNAT v1: requests and answers of older nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.libp2p.autonat.first_version import Status, parse_dial, parse_response, serialize_dial, serialize_response


def test_a_request_is_read_as_it_is_written() -> None:
    wire = serialize_dial(b"me", (b"a", b"bc"))
    assert wire.hex() == "0800" + "120d0a0b" + "0a026d65" + "120161" + "12026263"
    assert parse_dial(wire) == (b"me", (b"a", b"bc"))


def test_an_answer_is_read_as_it_is_written() -> None:
    assert serialize_response(Status.E_DIAL_ERROR, "no").hex() == "08011a06" + "0864" + "12026e6f"
    assert parse_response(serialize_response(Status.OK, address=b"a")) == (Status.OK, b"a")
    assert parse_response(serialize_response(Status.E_DIAL_REFUSED, "no")) == (Status.E_DIAL_REFUSED, b"")


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        serialize_field(1, 1),
        serialize_field(1, 0),
        serialize_field(1, 0) + serialize_field(2, b""),
        serialize_field(1, 0) + serialize_field(2, serialize_field(1, serialize_field(1, 4))),
        serialize_dial(b"me", (b"a",) * 51),
    ],
    ids=["empty", "a response", "no dial", "no peer", "peer of number", "many"],
)
def test_a_broken_request_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        parse_dial(wire)


@pytest.mark.parametrize(
    "wire",
    [
        serialize_dial(b"me", ()),
        serialize_field(1, 1),
        serialize_field(1, 1) + serialize_field(3, serialize_field(1, 7)),
    ],
    ids=["a request", "nothing", "status 7"],
)
def test_a_broken_answer_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        parse_response(wire)


@given(st.binary(max_size=100))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    for parse in (parse_dial, parse_response):
        try:
            parse(data)
        except WireError:
            continue
