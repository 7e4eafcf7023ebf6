"""The sockets of one connection: for each local address one for UDP and, where TCP is used, one that listens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address
from zwerm.core.random import Random
from zwerm.net.tcp import TcpConnections
from zwerm.net.udp import Batch, UdpSocket

TRIES: Final = 64  # ports of a range that are tried before it counts as taken


class LocalSockets:
    """Opens and closes them; what comes is handed to `receive` with the address it came to."""

    def __init__(
        self,
        connections: TcpConnections,
        random: Random,
        receive: Callable[[Address, Batch], None],
        accepted: Callable[[Address, Address], int | None],
        on_writable: Callable[[], None],
    ) -> None:
        self.udp: dict[Address, UdpSocket] = {}
        self.listening: dict[str, Address] = {}  # by host
        self._connections = connections
        self._random = random
        self._receive = receive
        self._accepted = accepted
        self._on_writable = on_writable

    def open(self, host: str, ports: tuple[int, int] | None) -> Address:
        """Bind for UDP on a port of the range, or any.

        Raises:
            TransportError: the address is not ours, or no port was free.
        """
        failure: TransportError | None = None
        for port in self._ports(ports):
            try:
                socket = UdpSocket.open((host, port))
            except TransportError as error:
                failure = error
                continue
            socket.on_batch = functools.partial(self._receive, socket.address)
            socket.on_writable = self._on_writable
            self.udp[socket.address] = socket
            return socket.address
        raise failure or TransportError(f"no port to bind on {host}")

    def listen(self, host: str, ports: tuple[int, int] | None) -> Address | None:
        """Take TCP connections; None where that cannot be: there is UDP."""
        for port in self._ports(ports):
            try:
                self.listening[host] = self._connections.listen((host, port), self._accepted)
            except TransportError:
                continue
            return self.listening[host]
        return None

    def close_host(self, host: str) -> None:
        """An address is gone."""
        for address in [address for address in self.udp if address[0] == host]:
            self.udp.pop(address).close()
        listening = self.listening.pop(host, None)
        if listening is not None:
            self._connections.stop_listening(listening)

    def close(self) -> None:
        for host in {address[0] for address in self.udp} | set(self.listening):
            self.close_host(host)

    @property
    def is_full(self) -> bool:
        return any(socket.is_full for socket in self.udp.values())

    def _ports(self, ports: tuple[int, int] | None) -> Iterator[int]:
        """Those to try: of a range a random one and what follows it, around."""
        if ports is None:
            yield 0
            return
        first, last = ports
        count = last - first + 1
        start = self._random.randrange(count)
        for step in range(min(count, TRIES)):
            yield first + (start + step) % count
