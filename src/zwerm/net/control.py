"""Control messages of UDP sockets on Linux: segmentation, coalescing and local addresses (udp(7), ip(7), ipv6(7)).

Where a constant is missing from Python it is the kernel's (include/uapi/linux/udp.h, in.h, in6.h); a kernel that does
not know one refuses the option, and the socket goes on without.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

UDP_SEGMENT: Final = 103
UDP_GRO: Final = 104
IP_PKTINFO: Final = 8
IPV6_RECVPKTINFO: Final = 49
IPV6_PKTINFO: Final = 50
MAX_SEGMENTS: Final = 64  # datagrams of one send, UDP_MAX_SEGMENTS of kernels before 6.9

SPACE: Final = socket.CMSG_SPACE(4) + socket.CMSG_SPACE(20)  # bytes that all we ask for takes

ControlMessages: TypeAlias = list[tuple[int, int, bytes]]

_SEGMENT_SIZE: Final = struct.Struct("=H")
_GRO_SIZE: Final = struct.Struct("=i")
_PKTINFO4: Final = struct.Struct("=i4s4s")  # interface, the address the route prefers, the address of the packet
_PKTINFO6: Final = struct.Struct("=16sI")  # address, interface


class Received(NamedTuple):
    """What the kernel says of one buffer that it filled."""

    segment_size: int | None  # bytes of each datagram but the last; None: there is one
    destination: str | None  # the local address that the peer sent to; None where it was not asked for


def parse_control(messages: Iterable[tuple[int, int, bytes]]) -> Received:
    """Read the control messages that came with a buffer; those we did not ask for are passed over."""
    segment_size = destination = None
    for level, kind, data in messages:
        if level == socket.IPPROTO_UDP and kind == UDP_GRO:
            segment_size = int(_GRO_SIZE.unpack_from(data)[0])
        elif level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            destination = socket.inet_ntop(socket.AF_INET, _PKTINFO4.unpack_from(data)[2])
        elif level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO:
            destination = socket.inet_ntop(socket.AF_INET6, _PKTINFO6.unpack_from(data)[0])
    return Received(segment_size, destination)


def control_for(segment_size: int | None, source: str | None) -> ControlMessages:
    """Write the control messages for a send: cut into segments, from a local address."""
    messages: ControlMessages = []
    if segment_size is not None:
        messages.append((socket.IPPROTO_UDP, UDP_SEGMENT, _SEGMENT_SIZE.pack(segment_size)))
    if source is not None and ":" in source:
        packed = _PKTINFO6.pack(socket.inet_pton(socket.AF_INET6, source.partition("%")[0]), 0)
        messages.append((socket.IPPROTO_IPV6, IPV6_PKTINFO, packed))
    elif source is not None:
        packed = _PKTINFO4.pack(0, socket.inet_pton(socket.AF_INET, source), bytes(4))
        messages.append((socket.IPPROTO_IP, IP_PKTINFO, packed))
    return messages
