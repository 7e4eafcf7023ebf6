"""Links and addresses as the Linux kernel tells them (rtnetlink(7)): the few messages that `interfaces` asks for."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

RTM_NEWLINK: Final = 16
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
RTM_GETADDR: Final = 22
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
GROUPS: Final = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_LINK: Final = struct.Struct("=BxHiII")  # family, hardware type, index, flags, changed flags
_ADDRESS: Final = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
_REQUEST_DUMP: Final = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_IFLA_IFNAME: Final = 3
_IFLA_MTU: Final = 4
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_IFA_FLAGS: Final = 8


class Message(NamedTuple):
    """One netlink message."""

    kind: int
    sequence: int
    payload: bytes


class Link(NamedTuple):
    """A network interface."""

    interface_index: int
    name: str
    flags: int  # IFF_UP, IFF_LOOPBACK, ... of netdevice(7)
    mtu: int


class AddressRecord(NamedTuple):
    """An address of an interface."""

    interface_index: int
    address: str
    prefix_length: int
    flags: int  # IFA_F_TEMPORARY, IFA_F_DEPRECATED, ... of linux/if_addr.h
    scope: int  # 0: everywhere, 253: this link, 254: this host


def dump_request(kind: int, sequence: int) -> bytes:
    """Ask for everything of a kind."""
    body = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0) if kind == RTM_GETLINK else _ADDRESS.pack(0, 0, 0, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, sequence, 0) + body


def parse_messages(data: bytes) -> Iterator[Message]:
    """Read what one system call brought.

    Raises:
        WireError: a message that is longer than what is there.
    """
    offset = 0
    while len(data) - offset >= _HEADER.size:
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
        if not _HEADER.size <= length <= len(data) - offset:
            raise WireError(f"netlink message of {length} bytes, {len(data) - offset} are there")
        yield Message(kind, sequence, data[offset + _HEADER.size : offset + length])
        offset += length + 3 & ~3


def parse_link(payload: bytes) -> Link:
    """Read the payload of RTM_NEWLINK.

    Raises:
        WireError: cut short.
    """
    if len(payload) < _LINK.size:
        raise WireError(f"netlink link of {len(payload)} bytes, expected {_LINK.size}")
    _, _, index, flags, _ = _LINK.unpack_from(payload)
    attributes = _attributes(payload, _LINK.size, (_IFLA_IFNAME, _IFLA_MTU))
    name = attributes.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "replace")
    return Link(index, name, flags, int.from_bytes(attributes.get(_IFLA_MTU, b"")[:4], sys.byteorder))


def parse_address(payload: bytes) -> AddressRecord | None:
    """Read the payload of RTM_NEWADDR; None for a family other than IPv4 and IPv6, or without an address.

    Raises:
        WireError: cut short.
    """
    if len(payload) < _ADDRESS.size:
        raise WireError(f"netlink address of {len(payload)} bytes, expected {_ADDRESS.size}")
    family, prefix_length, flags, scope, index = _ADDRESS.unpack_from(payload)
    attributes = _attributes(payload, _ADDRESS.size, (_IFA_LOCAL, _IFA_ADDRESS, _IFA_FLAGS))
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)  # of a tunnel, ADDRESS is the other end
    flags = int.from_bytes(attributes[_IFA_FLAGS][:4], sys.byteorder) if _IFA_FLAGS in attributes else flags
    if packed is None or len(packed) != {socket.AF_INET: 4, socket.AF_INET6: 16}.get(family):
        return None
    return AddressRecord(index, socket.inet_ntop(family, packed), prefix_length, flags, scope)


def _attributes(payload: bytes, offset: int, wanted: tuple[int, ...]) -> dict[int, bytes]:
    """Those that are wanted, as far as they are there: links have sixty more."""
    attributes: dict[int, bytes] = {}
    while len(payload) - offset >= _ATTRIBUTE.size and len(attributes) < len(wanted):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if not _ATTRIBUTE.size <= length <= len(payload) - offset:
            raise WireError(f"netlink attribute of {length} bytes, {len(payload) - offset} are there")
        kind &= 0x3FFF  # without the flag bits
        if kind in wanted:
            attributes[kind] = payload[offset + _ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3
    return attributes
