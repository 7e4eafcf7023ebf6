"""AutoNAT v2, "RPC Messages": written as numbered, read back, and refused when broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.libp2p.autonat.message import (
    MAX_ADDRESSES,
    DialDataRequest,
    DialDataResponse,
    DialRequest,
    DialResponse,
    DialStatus,
    Message,
    ResponseStatus,
    parse_dial_back,
    parse_message,
    serialize_dial_back,
    serialize_dial_back_response,
    serialize_message,
)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (DialRequest((b"ab", b"c"), 2**64 - 2), "0a10 0a026162 0a0163 11feffffffffffffff"),
        (DialResponse(ResponseStatus.OK, 1, DialStatus.E_DIAL_ERROR), "1207 08c801 1001 1864"),
        (DialDataRequest(0, 30_000), "1a06 0800 10b0ea01"),
        (DialDataResponse(b"xyz"), "2205 0a0378797a"),
    ],
    ids=["request", "response", "data request", "data"],
)
def test_messages_are_written_as_the_specification_numbers_their_fields(message: Message, wire: str) -> None:
    assert serialize_message(message).hex() == wire.replace(" ", "")
    assert parse_message(serialize_message(message)) == message


def test_the_dial_back_is_a_nonce_of_eight_bytes_and_its_answer_is_ok() -> None:
    assert serialize_dial_back(5).hex() == "090500000000000000"
    assert parse_dial_back(serialize_dial_back(2**63)) == 2**63
    assert serialize_dial_back_response() == b"\x08\x00"


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"", "no known kind"),
        (serialize_field(9, b"x"), "no known kind"),
        (serialize_field(1, 5), "expected bytes"),
        (serialize_field(1, serialize_field(1, 5)), "expected bytes"),
        (serialize_field(1, serialize_field(2, b"long")), "expected a number"),
        (serialize_field(1, serialize_field(1, b"a") * (MAX_ADDRESSES + 1)), "at most 50"),
        (serialize_field(2, serialize_field(1, 7)), "none that we know"),
        (serialize_field(2, serialize_field(1, 200) + serialize_field(3, 1)), "none that we know"),
    ],
    ids=["empty", "other", "number", "address of number", "nonce of text", "many", "status", "dial status"],
)
def test_a_broken_message_is_refused(wire: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        parse_message(wire)


@given(st.binary(max_size=100))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    for parse in (parse_message, parse_dial_back):
        try:
            parse(data)
        except WireError:
            continue
