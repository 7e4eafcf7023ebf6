"""Multicast DNS on sockets of asyncio: one responder for all on a loop, one socket for each interface and family used.

    with MulticastNames() as names:
        names.join(["192.0.2.7"])                       # multicast goes out there, and nowhere else
        names.register("8d4d4f0e-....local", "192.0.2.7")
        names.resolve("1f2e3d4c-....local", lambda name, host: ...)

The sockets are bound to the group, so what comes to port 5353 otherwise stays the business of others on this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
import weakref
from collections.abc import Callable, Iterable
from typing import Final, Self

from zwerm.core.errors import ResourceLimitError, TransportError, WireError
from zwerm.core.machine import Address, Transmit
from zwerm.net.interfaces import InterfaceAddress, list_addresses
from zwerm.net.mdns.message import name_of
from zwerm.net.mdns.responder import GROUP, PORT, MdnsResponder
from zwerm.net.udp import Batch, UdpSocket

GROUP6: Final = "ff02::fb"

_IP_MULTICAST_ALL: Final = 49  # Linux; the module has no name for it
_HOPS: Final = 255  # RFC 6762 section 11: so that a receiver may see that it was not routed


class MulticastNames:
    """The names of one connection. Close it, and they are gone."""

    def __init__(self) -> None:
        self._shared = _Shared.of_this_loop()
        self._shared.users += 1
        self._registered: set[str] = set()
        self._waiting: dict[str, Callable[[str, str], None]] = {}
        self._is_closed = False

    def join(self, hosts: Iterable[str]) -> None:
        """Use the interfaces with these local addresses. Those that cannot do multicast are passed over."""
        self._shared.join(hosts)

    def register(self, name: str, host: str) -> bool:
        """Answer for `name`; False when there is no interface to answer on, or no room."""
        if not self._shared.sockets:
            return False
        try:
            self._shared.responder.register(name, host)
        except (WireError, ResourceLimitError):
            return False
        self._registered.add(name)
        return True

    def resolve(self, name: str, on_resolved: Callable[[str, str], None]) -> bool:
        """Look `name` up; `on_resolved` is given it and the address, if there is one. False when that cannot be."""
        if not self._shared.sockets:
            return False
        self._waiting[name] = on_resolved
        if self._shared.resolve(name, self._resolved):
            return True
        self._waiting.pop(name, None)
        return False

    def close(self) -> None:
        """Take back every name, and wait for none. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        for name in self._registered:
            self._shared.responder.unregister(name)
        for name in self._waiting:
            self._shared.stop(name, self._resolved)
        self._shared.release()

    def _resolved(self, name: str, host: str) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting(name, host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Shared:
    """The responder of a loop and its sockets, while somebody uses them."""

    _of_loop: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared]] = weakref.WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.responder = MdnsResponder()
        self.sockets: dict[tuple[int, bool], UdpSocket] = {}  # by interface and whether it is for IPv6
        self.users = 0
        self._loop = loop
        self._links: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._listeners: dict[str, list[Callable[[str, str], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of_this_loop(cls) -> _Shared:
        loop = asyncio.get_running_loop()
        if loop not in cls._of_loop:
            cls._of_loop[loop] = cls(loop)
        return cls._of_loop[loop]

    def join(self, hosts: Iterable[str]) -> None:
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
        del self._links[256:]
        for one in known:
            key = (one.interface_index, one.is_ipv6)
            if one.address in wanted and key not in self.sockets:
                try:
                    udp = self.sockets[key] = UdpSocket(_multicast_socket(one))
                except OSError:
                    continue  # an interface without multicast, or gone
                udp.on_batch = self._receive

    def resolve(self, name: str, listener: Callable[[str, str], None]) -> bool:
        try:
            self.responder.resolve(name, self._loop.time())
        except (WireError, ResourceLimitError):
            return False
        self._listeners.setdefault(name, []).append(listener)
        self._pump()
        return True

    def stop(self, name: str, listener: Callable[[str, str], None]) -> None:
        listeners = self._listeners.get(name, [])
        if listener in listeners:
            listeners.remove(listener)
            if not listeners:
                del self._listeners[name]
                self.responder.forget(name)

    def release(self) -> None:
        self._pump()
        self.users -= 1
        if self.users:
            return
        self._of_loop.pop(self._loop, None)
        if self._timer is not None:
            self._timer.cancel()
        for udp in self.sockets.values():
            udp.close()
        self.sockets.clear()

    def _receive(self, batch: Batch) -> None:
        source = ipaddress.ip_address(str(batch.source[0]).partition("%")[0])
        if not source.is_link_local and not any(source in link for link in self._links):
            return  # section 11: what comes from elsewhere is not for this link
        for data in batch.datagrams:
            self.responder.receive_datagram(data, batch.source, self._loop.time())
        self._pump()

    def _wake(self) -> None:
        self._timer = None
        self.responder.handle_timeout(self._loop.time())
        self._pump()

    def _pump(self) -> None:
        while (transmit := self.responder.next_transmit()) is not None:
            for (_, is_ipv6), udp in list(self.sockets.items()):
                destination = _destination(transmit.destination, is_ipv6=is_ipv6)
                if destination is not None:
                    udp.send(Transmit(transmit.data, destination))
        while (event := self.responder.next_event()) is not None:
            for listener in self._listeners.pop(event.name, []):
                listener(event.name, event.host)
        if self._timer is not None:
            self._timer.cancel()
        due = self.responder.next_timeout()
        self._timer = None if due is None or not self.sockets else self._loop.call_at(due, self._wake)


def is_name(text: str) -> bool:
    """Whether `text` can be looked up at all."""
    try:
        return name_of(text)[-1:] == (b"local",)
    except WireError:
        return False


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
