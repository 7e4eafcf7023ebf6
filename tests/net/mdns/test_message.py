"""Messages of multicast DNS: what is written is read, pointers end, and what is damaged is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.net.mdns.message import AAAA, A, AddressRecord, MdnsMessage, Question, name_of

NAME = name_of("8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local")
QUERY = MdnsMessage(questions=(Question(NAME, A), Question(NAME, AAAA, wants_unicast=True)))
RESPONSE = MdnsMessage(
    is_response=True, records=(AddressRecord(NAME, "192.0.2.7", 120), AddressRecord(NAME, "2001:db8::7", 0))
)

# Written by hand after RFC 1035 section 4.1: "host.local" A in a question, and its answer by a pointer to offset 12,
# behind a TXT record that is passed over.
QUESTION = b"\x04host\x05local\0\0\x01\0\x01"
COMPRESSED = (
    b"\0\0\x84\0\0\x01\0\x02\0\0\0\0"
    + QUESTION
    + b"\xc0\x0c\0\x10\x80\x01\0\0\0\x78\0\x03\x02ab"
    + b"\xc0\x0c\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x09"
)


@pytest.mark.parametrize("message", [QUERY, RESPONSE, MdnsMessage(7)], ids=["query", "response", "empty"])
def test_what_is_written_is_read(message: MdnsMessage) -> None:
    assert MdnsMessage.parse(message.serialize()) == message


def test_a_pointer_stands_for_the_name_before() -> None:
    message = MdnsMessage.parse(COMPRESSED)
    assert message.questions == (Question((b"host", b"local"), A),)
    assert message.records == (AddressRecord((b"host", b"local"), "192.0.2.9", 120),)
    assert message.is_response


@pytest.mark.parametrize("size", range(len(COMPRESSED)))
def test_every_truncation_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        MdnsMessage.parse(COMPRESSED[:size])


@pytest.mark.parametrize(
    "name",
    [b"\xc0\x0c", b"\xc0\x20", b"\x01a\xc0\x0c", b"\x80", b"\x40a", (b"\x3f" + b"x" * 63) * 4 + b"\0"],
    ids=["to itself", "forward", "around", "type 2", "type 1", "too long"],
)
def test_a_name_that_is_none_is_refused(name: bytes) -> None:
    with pytest.raises(WireError):
        MdnsMessage.parse(b"\0\0\0\0\0\x01\0\0\0\0\0\0" + name + b"\0\x01\0\x01")


def test_what_a_probe_proposes_is_no_answer() -> None:
    """RFC 6762 section 8.2: the authority section of a probe has what its sender would like to have."""
    answer = AddressRecord(NAME, "192.0.2.7", 120)
    data = bytearray(MdnsMessage(is_response=True, records=(answer,)).serialize())
    data[6:10] = b"\0\0\0\x01"  # no answer, one in the authority section
    assert MdnsMessage.parse(bytes(data)).records == ()


def test_more_questions_than_anybody_has_are_passed_over() -> None:
    many = MdnsMessage(questions=tuple(Question(NAME, A) for _ in range(100)))
    assert len(MdnsMessage.parse(many.serialize()).questions) == 64
    records = MdnsMessage(is_response=True, records=(AddressRecord(NAME, "192.0.2.7", 120),) * 100)
    assert len(MdnsMessage.parse(records.serialize()).records) == 64


@pytest.mark.parametrize("size", [0, 11, 9_001])
def test_a_size_that_no_message_has_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="bytes"):
        MdnsMessage.parse(bytes(size))


def test_names_are_compared_without_case() -> None:
    assert name_of("ABC.Local.") == name_of("abc.local")


@pytest.mark.parametrize("text", ["", "a..local", "x" * 64 + ".local", "é.local", ".".join(["abcdefg"] * 40)])
def test_text_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        name_of(text)


@given(st.binary(max_size=600))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        message = MdnsMessage.parse(data)
    except WireError:
        return
    assert MdnsMessage.parse(message.serialize()) == message
