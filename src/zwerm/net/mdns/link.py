"""The sockets of multicast DNS: one for each interface and family that is used (RFC 6762 sections 5, 11).

They are bound to the group, so what comes to port 5353 otherwise stays the business of others on this machine. What
does not come from a network of one of the interfaces is not handed on.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.net.interfaces import InterfaceAddress, list_addresses
from zwerm.net.mdns.message import GROUP, PORT
from zwerm.net.udp import Batch, UdpSocket

GROUP6: Final = "ff02::fb"  # RFC 6762 section 3

_IP_MULTICAST_ALL: Final = 49  # Linux; the module has no name for it
_HOPS: Final = 255  # RFC 6762 section 11: so that a receiver may see that it was not routed
_MAX_LINKS: Final = 256


class MulticastLink:
    """What goes to `GROUP` goes out on each interface that was joined, by its family's group."""

    def __init__(self, on_datagram: Callable[[bytes, Address], None], on_batch_end: Callable[[], None]) -> None:
        """`on_batch_end` follows the datagrams that one system call read."""
        self._on_datagram = on_datagram
        self._on_batch_end = on_batch_end
        self._sockets: dict[tuple[int, bool], UdpSocket] = {}  # by interface and whether it is for IPv6
        self._links: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []

    def __bool__(self) -> bool:
        """Whether there is an interface to send on."""
        return bool(self._sockets)

    def join(self, hosts: Iterable[str]) -> None:
        """Use the interfaces with these local addresses. Those that cannot do multicast are passed over."""
        wanted = set(hosts)
        try:
            known = list_addresses()
        except TransportError:
            return
        used = {one.interface_index for one in known if one.address in wanted}
        self._links = [
            ipaddress.ip_network(f"{one.address}/{one.prefix_length}", strict=False)
            for one in known
            if one.interface_index in used
        ] + self._links
        del self._links[_MAX_LINKS:]
        for one in known:
            key = (one.interface_index, one.is_ipv6)
            if one.address in wanted and key not in self._sockets:
                try:
                    udp = self._sockets[key] = UdpSocket(_multicast_socket(one))
                except OSError:
                    continue  # an interface without multicast, or gone
                udp.on_batch = self._receive

    def send(self, transmit: Transmit) -> None:
        for (_, is_ipv6), udp in list(self._sockets.items()):
            destination = _destination(transmit.destination, is_ipv6=is_ipv6)
            if destination is not None:
                udp.send(Transmit(transmit.data, destination))

    def close(self) -> None:
        for udp in self._sockets.values():
            udp.close()
        self._sockets.clear()

    def _receive(self, batch: Batch) -> None:
        source = ipaddress.ip_address(str(batch.source[0]).partition("%")[0])
        if not source.is_link_local and not any(source in link for link in self._links):
            return  # section 11: what comes from elsewhere is not for this link
        for data in batch.datagrams:
            self._on_datagram(bytes(data), batch.source)
        self._on_batch_end()


def _destination(wanted: Address, *, is_ipv6: bool) -> Address | None:
    """Where a socket of that family sends it: the group of the family, or a host of the family."""
    if wanted == GROUP:
        return (GROUP6, PORT) if is_ipv6 else GROUP
    return wanted if (":" in wanted[0]) is is_ipv6 else None


def _multicast_socket(one: InterfaceAddress) -> socket.socket:
    """A socket that sends to and hears the group on one interface only."""
    sock = socket.socket(socket.AF_INET6 if one.is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # what other responders ask for too
        if one.is_ipv6:
            index = one.interface_index
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((GROUP6, PORT, 0, index))
            member = socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("@I", index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
        else:
            sock.bind(GROUP)
            local = socket.inet_aton(one.address)
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + local)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
    except OSError:
        sock.close()
        raise
    return sock
