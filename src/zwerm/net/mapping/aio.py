"""Port mappings on real sockets: who the gateway is, and one socket towards it for each port."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Final

from zwerm.core.random import SYSTEM, Random
from zwerm.net.driver import Driver
from zwerm.net.mapping.client import Event, PortMapping
from zwerm.net.mapping.message import Transport
from zwerm.net.udp import UdpSocket

_ROUTES: Final = "/proc/thread-self/net/route"
_UP_GATEWAY: Final = 0x3  # RTF_UP, RTF_GATEWAY


def default_gateway() -> str | None:
    """Return the IPv4 address of the router that leads outside; None when there is none, or no way to know."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        with open(_ROUTES) as file:
            return parse_routes(file.read())
    except OSError:
        return None


def parse_routes(text: str) -> str | None:
    """Read the kernel's table (proc(5), /proc/net/route): the gateway of the default route with the least metric."""
    found: list[tuple[int, str]] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[1] != "00000000" or int(fields[3], 16) & _UP_GATEWAY != _UP_GATEWAY:
            continue
        gateway = int(fields[2], 16).to_bytes(4, sys.byteorder)
        found.append((int(fields[6]), str(ipaddress.IPv4Address(gateway))))
    return min(found)[1] if found else None


def address_towards(host: str) -> str | None:
    """Return the address of this machine that it would speak to `host` from; None when no way leads there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((host, 9))
        except OSError:
            return None
        name: tuple[str, int] = sock.getsockname()
        return name[0]


class MappedPort:
    """One port, kept mapped until `close`."""

    def __init__(
        self,
        transport: Transport,
        port: int,
        *,
        gateway: str,
        client: str,
        on_event: Callable[[Event], None],
        random: Random = SYSTEM,
    ) -> None:
        """Begin to ask.

        Raises:
            OSError: `client` is no address of this machine.
        """
        self._socket = UdpSocket.open((client, 0))
        loop = asyncio.get_running_loop()
        self._machine = PortMapping(transport, port, gateway=gateway, client=client, now=loop.time(), random=random)
        self._driver: Driver[Event] = Driver(self._machine, self._socket, on_event)

    def close(self) -> None:
        """Remove the mapping: said once, and not waited for. Idempotent."""
        self._machine.close()
        self._driver.close()
        self._socket.close()
