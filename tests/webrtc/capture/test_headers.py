"""The made up headers are ones that a router would take: lengths and checksums are right, in both families."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.webrtc.capture.headers import sctp_packet, udp_packet


def ones_complement(data: bytes) -> int:
    """RFC 1071 section 1, word by word: what a receiver computes; 0xFFFF when nothing is damaged."""
    total = 0
    for (word,) in struct.iter_unpack("!H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


PAIRS = [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8::2")]


@pytest.mark.parametrize(("source", "destination"), PAIRS, ids=["IPv4", "IPv6"])
@given(data=st.binary(max_size=64), ports=st.tuples(st.integers(0, 65_535), st.integers(0, 65_535)))
def test_a_datagram_has_headers_that_a_receiver_accepts(
    source: str, destination: str, data: bytes, ports: tuple[int, int]
) -> None:
    packet = udp_packet((source, ports[0]), (destination, ports[1]), data)
    ours, theirs = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    if len(ours) == 4:
        header, rest = packet[:20], packet[20:]
        assert (header[0], header[9], struct.unpack_from("!H", header, 2)[0]) == (0x45, 17, len(packet))
        assert header[12:] == ours + theirs
        assert ones_complement(header) == 0xFFFF
    else:
        header, rest = packet[:40], packet[40:]
        assert (header[0], header[6], struct.unpack_from("!H", header, 4)[0]) == (0x60, 17, len(rest))
        assert header[8:] == ours + theirs
    assert struct.unpack_from("!HHH", rest) == (*ports, 8 + len(data))
    assert rest[8:] == data
    assert rest[6:8] != b"\0\0"
    assert ones_complement(ours + theirs + struct.pack("!HH", 17, len(rest)) + rest) == 0xFFFF


def test_sctp_goes_over_ip_itself() -> None:
    packet = sctp_packet("192.0.2.1", "192.0.2.2", b"x" * 30)
    assert (packet[9], len(packet)) == (132, 50)
    assert sctp_packet("2001:db8::1", "2001:db8::2", b"x" * 30)[6] == 132


def test_two_families_meet_in_the_larger_one() -> None:
    packet = udp_packet(("192.0.2.1", 1), ("2001:db8::2", 2), b"")
    assert packet[8:24] == ipaddress.ip_address("::ffff:192.0.2.1").packed


@pytest.mark.parametrize("host", ["fe80::1%eth0", "peer.local", ""], ids=["a zone", "a name", "nothing"])
def test_what_is_no_address_does_no_harm(host: str) -> None:
    assert udp_packet((host, 1), ("2001:db8::2", 2), b"data").endswith(b"data")
