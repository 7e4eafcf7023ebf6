"""The few netlink messages we read, whole and cut short."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.net import netlink


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind: int, payload: bytes, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, 0, sequence, 0) + payload + bytes(-len(payload) % 4)


LINK = struct.pack("=BxHiII", 0, 1, 7, 0x41, 0) + attribute(3, b"eth0\0") + attribute(4, struct.pack("=I", 1_400))
ADDRESS = struct.pack("=BBBBI", socket.AF_INET, 24, 0x80, 0, 7) + attribute(2, bytes((192, 0, 2, 1)))


def test_links_and_addresses_are_read() -> None:
    data = message(netlink.RTM_NEWLINK, LINK) + message(netlink.RTM_NEWADDR, ADDRESS, 2)
    first, second = netlink.parse_messages(data)
    assert (first.kind, first.sequence, second.sequence) == (netlink.RTM_NEWLINK, 1, 2)
    assert netlink.parse_link(first.payload) == netlink.Link(7, "eth0", 0x41, 1_400)
    assert netlink.parse_address(second.payload) == netlink.AddressRecord(7, "192.0.2.1", 24, 0x80, 0)


def test_of_a_tunnel_our_own_end_counts_and_long_flags_win() -> None:
    tunnel = struct.pack("=BBBBI", socket.AF_INET6, 64, 0, 253, 7)
    far, near = (socket.inet_pton(socket.AF_INET6, address) for address in ("fe80::2", "fe80::1"))
    payload = tunnel + attribute(1, far) + attribute(2, near) + attribute(8, struct.pack("=I", 0x121))
    assert netlink.parse_address(payload) == netlink.AddressRecord(7, "fe80::1", 64, 0x121, 253)


@pytest.mark.parametrize(
    "payload",
    [struct.pack("=BBBBI", 1, 0, 0, 0, 7) + attribute(2, bytes(4)), ADDRESS[:8], ADDRESS[:8] + attribute(2, bytes(16))],
    ids=["another family", "no address", "an address of the wrong size"],
)
def test_what_is_no_address_of_ours_is_passed_over(payload: bytes) -> None:
    assert netlink.parse_address(payload) is None


@given(st.binary(max_size=80))
def test_anything_is_read_or_refused(data: bytes) -> None:
    for parse in (netlink.parse_link, netlink.parse_address, lambda data: list(netlink.parse_messages(data))):
        try:
            parse(data)
        except WireError:
            continue


@pytest.mark.parametrize("size", [5, 20, 24], ids=lambda size: f"{size} bytes")
def test_what_is_cut_short_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        netlink.parse_link(LINK[:size])


def test_a_message_longer_than_what_is_there_is_refused() -> None:
    with pytest.raises(WireError):
        list(netlink.parse_messages(message(16, LINK)[:30]))
