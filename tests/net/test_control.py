"""Control messages, written and read."""

import socket
import struct

import pytest

from zwerm.net.control import IP_PKTINFO, IPV6_PKTINFO, UDP_GRO, UDP_SEGMENT, control_for, parse_control


def test_nothing_is_asked_for_where_nothing_is_needed() -> None:
    assert control_for(None, None) == []


def test_segments_and_a_source() -> None:
    assert control_for(1_200, "192.0.2.1") == [
        (socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", 1_200)),
        (socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + bytes((192, 0, 2, 1)) + bytes(4)),
    ]


@pytest.mark.parametrize("source", ["fe80::1%eth0", "fe80::1"])
def test_a_source_of_ipv6_with_and_without_scope(source: str) -> None:
    packed = socket.inet_pton(socket.AF_INET6, "fe80::1") + bytes(4)
    assert control_for(None, source) == [(socket.IPPROTO_IPV6, IPV6_PKTINFO, packed)]


def test_what_the_kernel_tells_is_read_and_the_rest_passed_over() -> None:
    told = [
        (socket.SOL_SOCKET, 29, bytes(16)),
        (socket.IPPROTO_UDP, UDP_GRO, struct.pack("=i", 1_000)),
        (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=i", 1) + bytes(4) + bytes((127, 0, 0, 9))),
    ]
    assert parse_control(told) == (1_000, "127.0.0.9")
    six = (socket.IPPROTO_IPV6, IPV6_PKTINFO, socket.inet_pton(socket.AF_INET6, "::1") + bytes(4))
    assert parse_control([six]) == (None, "::1")
    assert parse_control([]) == (None, None)
