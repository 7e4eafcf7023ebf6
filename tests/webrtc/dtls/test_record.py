"""RFC 6347 section 4.1 and 4.2.2: records and fragments, read whole, cut short and wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.record import (
    DTLS_1_0,
    DTLS_1_2,
    HEADER_SIZE,
    MAX_FRAGMENT,
    ContentType,
    HandshakeFragment,
    Record,
    pack,
    parse_datagram,
    parse_handshake,
    split_records,
)

RECORD = Record(ContentType.APPLICATION_DATA, DTLS_1_2, 1, 0x0102_0304_0506, b"payload")
WIRE = bytes.fromhex("17 fefd 0001 010203040506 0007") + b"payload"
HELLO = bytes.fromhex("01 00002a 0003 000004 000002") + b"ab"  # bytes 4 and 5 of message 3, which has 42


def test_a_record_is_read_and_written() -> None:
    assert Record.parse_prefix(WIRE) == (RECORD, len(WIRE))
    assert RECORD.serialize() == WIRE


@given(st.builds(Record, st.sampled_from(ContentType), st.sampled_from([DTLS_1_0, DTLS_1_2]),
                 st.integers(0, 0xFFFF), st.integers(0, (1 << 48) - 1), st.binary(max_size=300)))  # fmt: skip
def test_every_record_survives_the_way_there_and_back(record: Record) -> None:
    assert list(parse_datagram(record.serialize())) == [record]


@pytest.mark.parametrize("size", range(len(WIRE)))
def test_a_record_cut_short_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        Record.parse_prefix(WIRE[:size])


@pytest.mark.parametrize(
    "wire",
    [b"\x13" + WIRE[1:], b"\x18" + WIRE[1:], WIRE[:1] + b"\xfe\xfc" + WIRE[3:], WIRE[:1] + b"\x03\x03" + WIRE[3:]],
    ids=["type 19", "type 24", "DTLS 1.3", "TLS 1.2"],
)
def test_what_is_no_record_of_dtls_1_2_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        Record.parse_prefix(wire)


def test_what_openssl_wrote_is_cut_into_its_records() -> None:
    other = RECORD._replace(fragment=b"").serialize()
    assert split_records(WIRE + other + WIRE) == [WIRE, other, WIRE]
    assert split_records(b"") == []


def test_a_record_longer_than_tls_allows_is_refused() -> None:
    for size, is_allowed in ((MAX_FRAGMENT, True), (MAX_FRAGMENT + 1, False)):
        wire = WIRE[:11] + size.to_bytes(2, "big") + bytes(size)
        assert len(list(parse_datagram(wire))) == is_allowed


def test_a_datagram_ends_at_the_first_thing_that_is_no_record() -> None:
    assert list(parse_datagram(WIRE + WIRE + b"\x00" + WIRE)) == [RECORD, RECORD]
    assert list(parse_datagram(b"")) == []


@given(st.binary(max_size=200))
def test_any_datagram_is_read_without_failing(data: bytes) -> None:
    assert data.startswith(b"".join(record.serialize() for record in parse_datagram(data)))


def test_a_fragment_of_a_handshake_message_is_read() -> None:
    record = RECORD._replace(content_type=ContentType.HANDSHAKE, epoch=0, fragment=HELLO * 2)
    assert parse_handshake(record) == [HandshakeFragment(1, 42, 3, 4, 2)] * 2


@pytest.mark.parametrize(
    "fragment",
    [*(HELLO[:size] for size in range(len(HELLO))), HELLO[:6] + b"\x00\x00\x29" + HELLO[9:]],
    ids=[*(f"cut at {size}" for size in range(len(HELLO))), "beyond the end of its message"],
)
def test_a_malformed_fragment_is_refused(fragment: bytes) -> None:
    with pytest.raises(WireError):
        parse_handshake(RECORD._replace(content_type=ContentType.HANDSHAKE, epoch=0, fragment=fragment))


def test_records_are_packed_in_order_up_to_the_mtu() -> None:
    sizes = [300, 300, 300, 300, 900, 1_300, 10]
    packed = list(pack([bytes(size) for size in sizes], 1_000))
    assert [len(datagram) for datagram in packed] == [900, 300, 900, 1_300, 10]
    assert list(pack([], 1_000)) == []


def test_a_header_has_13_bytes() -> None:
    assert len(RECORD._replace(fragment=b"").serialize()) == HEADER_SIZE
