"""What of a QUIC packet can be read without keys: RFC 8999, RFC 9000 section 17; vectors of RFC 9001 appendix A."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.libp2p.transports.quic.packet import (
    LongHeader,
    destination_untrusted,
    filling_untrusted,
    parse_long_untrusted,
    serialize_version_negotiation,
)

# RFC 9001 appendix A.2 and A.4: a client's Initial, and a Retry.
INITIAL = bytes.fromhex("c0000000 01 08 8394c8f03e515708 00 00 449e7b9aec34d1b1c98dd7689fb8ec11")
RETRY = bytes.fromhex("ff000000 01 00 08 f067a5502a4262b5 746f6b656e 04a265ba2eff4d829058fb3f0f2496ba")


def test_a_first_packet_says_who_it_is_for() -> None:
    header = parse_long_untrusted(INITIAL)
    assert header == LongHeader(1, bytes.fromhex("8394c8f03e515708"), b"", is_initial=True, token=b"")
    assert destination_untrusted(INITIAL) == header.destination


def test_a_token_is_read() -> None:
    packet = bytes.fromhex("c0 00000001 01 aa 02 bbcc 4003 010203 00")
    assert parse_long_untrusted(packet) == LongHeader(1, b"\xaa", b"\xbb\xcc", is_initial=True, token=b"\1\2\3")


def test_a_packet_that_is_no_first_one_has_no_token() -> None:
    assert not parse_long_untrusted(RETRY).is_initial
    assert not parse_long_untrusted(bytes.fromhex("c0 6b3343cf 00 00")).is_initial  # version 2


def test_a_short_header_begins_with_the_connection_id() -> None:
    assert destination_untrusted(b"\x40" + bytes(range(30))) == bytes(range(8))
    assert destination_untrusted(b"\x40" + bytes(7)) is None
    assert destination_untrusted(b"") is None
    assert destination_untrusted(bytes.fromhex("c0 00000001 ff 0000000000")) is None


@pytest.mark.parametrize(
    "packet",
    [b"", b"\x40" * 20, INITIAL[:6], bytes.fromhex("c000000001 00 09 0000"), bytes.fromhex("c000000001 00 00 05 00")],
    ids=["nothing", "short header", "cut", "source too long", "token too long"],
)
def test_what_is_no_long_header_is_refused(packet: bytes) -> None:
    with pytest.raises(WireError):
        parse_long_untrusted(packet)


def test_connection_ids_of_version_1_are_short() -> None:
    with pytest.raises(WireError, match="the limit is 20"):
        parse_long_untrusted(b"\xc0\0\0\0\1" + bytes([21]) + bytes(40))


@pytest.mark.parametrize(
    ("behind", "zeros"),
    [(b"", 0), (bytes(90), 90), (bytes(89) + b"x", 0), (b"x" + bytes(90), 0)],
    ids=["nothing", "zeros", "ends with something", "begins with something"],
)
def test_zeros_behind_the_only_packet_of_a_datagram_are_counted(behind: bytes, zeros: int) -> None:
    packet = bytes.fromhex("c0 00000001 02 aaaa 01 bb 03 cccccc 4046") + b"\x11" * 0x46
    assert filling_untrusted(packet + behind) == zeros
    assert filling_untrusted(packet[:-1] + bytes(1) + behind) == zeros  # those of the packet itself are its own


@pytest.mark.parametrize("packet", [b"", bytes(50), RETRY + bytes(9), INITIAL[:9] + bytes(3)])
def test_nothing_is_counted_behind_what_is_no_initial_packet(packet: bytes) -> None:
    assert filling_untrusted(packet) == 0


def test_another_version_is_answered_with_ours_and_the_ids_turned_round() -> None:
    header = parse_long_untrusted(bytes.fromhex("c0 0a0a0a0a 02 aaaa 01 bb"))
    answer = serialize_version_negotiation(header, 0x55)
    assert answer == bytes.fromhex("d5 00000000 01 bb 02 aaaa 00000001")


@given(st.binary(max_size=60))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    destination_untrusted(data)
    assert 0 <= filling_untrusted(data) <= len(data)
    try:
        header = parse_long_untrusted(data)
    except WireError:
        return
    assert header.destination == destination_untrusted(data) or len(data) <= 8
