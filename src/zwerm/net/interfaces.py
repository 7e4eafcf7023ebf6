"""The addresses of this machine, and word of every change: what ICE gathers from, and what makes it restart.

On Linux both come from the kernel by netlink, so a change is seen the moment it happens. Elsewhere there is no list to
be had from the standard library: `list_addresses` finds the addresses that routes start from, and `InterfaceWatcher`
asks again every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import weakref
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from zwerm.core.errors import TransportError, WireError
from zwerm.net import netlink

SETTLING: Final = 0.25  # seconds: a link that comes up brings several messages, told as one change
POLL: Final = 5.0  # seconds between looks where no netlink is
MAX_MESSAGES: Final = 65_536  # of one dump; a machine with more addresses is read in part

_UP: Final = 0x1
_LOOPBACK: Final = 0x8
_RUNNING: Final = 0x40
_TEMPORARY: Final = 0x01
_DEPRECATED: Final = 0x20
_TENTATIVE: Final = 0x40
_DUPLICATE: Final = 0x08
_LINK_SCOPE: Final = 253
_BUFFER: Final = 262_144  # bytes; the kernel writes at most 32 KiB at once


class InterfaceAddress(NamedTuple):
    """One usable address."""

    interface: str  # name: "eth0"
    interface_index: int  # of the interface, the scope of a link-local address
    address: str  # numeric, without scope
    prefix_length: int
    is_loopback: bool
    is_link_local: bool
    is_temporary: bool  # RFC 8981: IPv6 made to be forgotten, to be preferred where others see it
    is_deprecated: bool  # RFC 4862: still works, not for new connections
    mtu: int  # bytes, of the interface

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address


def list_addresses() -> list[InterfaceAddress]:
    """Return every address that can be sent from: interface up, address neither tentative nor a duplicate.

    Raises:
        TransportError: the kernel does not answer.
    """
    if not sys.platform.startswith("linux"):
        return _addresses_of_routes()
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
            sock.settimeout(2.0)
            sock.bind((0, 0))
            links = [netlink.parse_link(payload) for payload in _dump(sock, netlink.RTM_GETLINK, 1)]
            records = [netlink.parse_address(payload) for payload in _dump(sock, netlink.RTM_GETADDR, 2)]
    except (OSError, WireError) as error:
        raise TransportError(f"cannot list the addresses of this machine: {error}") from error
    up = {link.interface_index: link for link in links if link.flags & _UP and link.flags & (_RUNNING | _LOOPBACK)}
    usable = [
        record
        for record in records
        if record is not None and record.interface_index in up and not record.flags & (_TENTATIVE | _DUPLICATE)
    ]
    return sorted(_address(record, up[record.interface_index]) for record in usable)


def _address(record: netlink.AddressRecord, link: netlink.Link) -> InterfaceAddress:
    return InterfaceAddress(
        interface=link.name,
        interface_index=link.interface_index,
        address=record.address,
        prefix_length=record.prefix_length,
        is_loopback=bool(link.flags & _LOOPBACK),
        is_link_local=record.scope == _LINK_SCOPE,
        is_temporary=":" in record.address and bool(record.flags & _TEMPORARY),  # for IPv4 the bit means "secondary"
        is_deprecated=bool(record.flags & _DEPRECATED),
        mtu=link.mtu,
    )


def _dump(sock: socket.socket, kind: int, sequence: int) -> list[bytes]:
    """Ask for all of a kind; return the payloads."""
    sock.send(netlink.dump_request(kind, sequence))
    payloads: list[bytes] = []
    wanted = {netlink.RTM_GETLINK: netlink.RTM_NEWLINK, netlink.RTM_GETADDR: netlink.RTM_NEWADDR}[kind]
    while len(payloads) < MAX_MESSAGES:
        for message in netlink.parse_messages(sock.recv(_BUFFER)):
            if message.sequence != sequence:
                continue
            if message.kind == netlink.NLMSG_DONE:
                return payloads
            if message.kind == netlink.NLMSG_ERROR:
                raise WireError(f"netlink refuses: {message.payload[:4].hex()}")
            if message.kind == wanted:
                payloads.append(message.payload)
    return payloads


def _addresses_of_routes() -> list[InterfaceAddress]:
    """Without netlink: the address that a packet to the outside would start from, found without sending one."""
    found: list[InterfaceAddress] = []
    for family, far, prefix_length in (
        (socket.AF_INET, "192.0.2.1", 32),
        (socket.AF_INET6, "2001:db8::1", 128),
        (socket.AF_INET, "127.0.0.1", 8),
    ):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0)
            sock.connect((far, 9))
            address = sock.getsockname()[0].partition("%")[0]
            found.append(
                InterfaceAddress(
                    interface="",
                    interface_index=0,
                    address=address,
                    prefix_length=prefix_length,
                    is_loopback=address.startswith("127."),
                    is_link_local=address.startswith("fe80:"),
                    is_temporary=False,
                    is_deprecated=False,
                    mtu=1_500,
                )
            )
    return sorted(found)


class InterfaceWatcher:
    """Calls back with the new list whenever the addresses of this machine have changed, from the running loop."""

    def __init__(self, on_change: Callable[[list[InterfaceAddress]], None]) -> None:
        """Start watching; `close` ends it.

        Raises:
            TransportError: the addresses cannot be listed.
        """
        self.addresses: list[InterfaceAddress] = []
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._socket: socket.socket | None = None
        if sys.platform.startswith("linux"):
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
            )
            self._socket.bind((0, netlink.GROUPS))  # before the list is asked for, so that no change falls in between
            self._loop.add_reader(self._socket.fileno(), self._read)
        else:
            self._timer = self._loop.call_later(POLL, self._look)
        try:
            self.addresses = list_addresses()
        except TransportError:
            self.close()
            raise

    def _read(self) -> None:
        """Something changed: look when it has settled. What exactly, the list says better than the messages."""
        assert self._socket is not None  # noqa: S101 - it is what called us
        with contextlib.suppress(BlockingIOError, OSError):  # ENOBUFS: messages were lost, which is a change too
            while self._socket.recv(_BUFFER):
                pass
        if self._timer is None:
            self._timer = self._loop.call_later(SETTLING, self._look)

    def _look(self) -> None:
        self._timer = None if self._socket is not None else self._loop.call_later(POLL, self._look)
        with contextlib.suppress(TransportError):  # the list stays what it was; the next change asks again
            addresses = list_addresses()
            if addresses != self.addresses:
                self.addresses = addresses
                self._on_change(addresses)

    def close(self) -> None:
        """End watching. Twice is harmless."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _SharedWatcher:
    """One watcher for all who ask on one loop: a machine may have a thousand connections, and has one kernel."""

    def __init__(self) -> None:
        self.listeners: dict[object, Callable[[list[InterfaceAddress]], None]] = {}
        self.watcher = InterfaceWatcher(self._tell)

    def _tell(self, addresses: list[InterfaceAddress]) -> None:
        for key, listener in list(self.listeners.items()):
            if key in self.listeners:  # one that was told before may have ended another
                listener(addresses)


_SHARED: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _SharedWatcher]] = weakref.WeakKeyDictionary()


def watched_addresses() -> list[InterfaceAddress] | None:
    """The addresses as the watcher of the running loop knows them; None: nobody watches."""
    shared = _SHARED.get(asyncio.get_running_loop())
    return None if shared is None else shared.watcher.addresses


def watch_interfaces(on_change: Callable[[list[InterfaceAddress]], None]) -> Callable[[], None]:
    """As `InterfaceWatcher`, with one watcher for all on the running loop. Calling the result ends it.

    Raises:
        TransportError: the addresses cannot be listed.
    """
    loop = asyncio.get_running_loop()
    shared = _SHARED.get(loop)
    if shared is None:
        shared = _SHARED[loop] = _SharedWatcher()
    key = object()
    shared.listeners[key] = on_change

    def end() -> None:
        shared.listeners.pop(key, None)
        if not shared.listeners and _SHARED.get(loop) is shared:
            del _SHARED[loop]
            shared.watcher.close()

    return end
