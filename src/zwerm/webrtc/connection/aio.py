"""A transport on asyncio: one batched UDP socket for each local address, one timer, and its events (`zwerm.net`).

No task: everything happens in callbacks of the loop. TCP, which only relays reached by TCP or TLS ask for, is answered
as if no connection could be made.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import DRAIN_LIMIT, Address, Instant
from zwerm.net.interfaces import list_addresses
from zwerm.net.udp import Batch, UdpSocket
from zwerm.webrtc.connection.transport import Event, Transport
from zwerm.webrtc.ice.events import OpenStream, RegisterName, ResolveName

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn


class TransportDriver:
    """One transport on real sockets, which it owns until `close`."""

    def __init__(self, transport: Transport, on_event: Callable[[Event], None]) -> None:
        """`on_event` may give commands; what they bring is carried out when it has returned."""
        self.transport = transport
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[Address, UdpSocket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._is_draining = False
        self._is_closed = False

    @property
    def now(self) -> Instant:
        """The instant to call commands with."""
        return self._loop.time()

    def open(self, hosts: Iterable[str]) -> None:
        """Bind a socket on each host that lets us; the rest were gone by now.

        Raises:
            TransportError: none did, or there were none.
        """
        failure = "this machine has no address to gather from"
        for host in hosts:
            try:
                socket = UdpSocket.open((host, 0))
            except TransportError as error:
                failure = str(error)
                continue
            socket.on_batch = functools.partial(self._receive, socket.address)
            socket.on_writable = self.pump
            self._sockets[socket.address] = socket
            self.transport.agent.add_local_address(socket.address, self.now)
        if not self._sockets:
            raise TransportError(failure)

    def pump_soon(self) -> None:
        """Pump when the loop comes round: commands given until then go out together."""
        if self._soon is None and not self._is_closed:
            self._soon = self._loop.call_soon(self._pump_now)

    def pump(self) -> None:
        """Carry out what the transport has to say, and set the timer anew."""
        if self._is_closed or self._is_draining:
            return
        self._is_draining = True
        try:
            if not any(self._drain() for _ in range(ROUNDS)):
                self.pump_soon()
        finally:
            self._is_draining = False
        self._set_timer()

    def close(self) -> None:
        """Carry out what is left, and let go of every socket. The transport is closed before; twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._send()
        for handle in (self._timer, self._soon):
            if handle is not None:
                handle.cancel()
        for socket in self._sockets.values():
            socket.close()
        while (event := self.transport.next_event()) is not None:
            self._on_event(event)

    def _pump_now(self) -> None:
        self._soon = None
        self.pump()

    def _drain(self) -> bool:
        """Take one round of outputs; return whether that was all."""
        is_whole = self._send()
        for _ in range(DRAIN_LIMIT):
            if self._is_closed or (event := self.transport.next_event()) is None:
                return is_whole
            is_whole = False
            self._answer(event)
            self._on_event(event)
        return False

    def _send(self) -> bool:
        """Send until there is nothing, or a socket is full, which tells when there is room; False: there is more."""
        sockets = self._sockets
        for _ in range(DRAIN_LIMIT):
            if any(socket.is_full for socket in sockets.values()):
                return True
            transmit = self.transport.next_transmit()
            if transmit is None:
                return True
            socket = None if transmit.source is None else sockets.get(transmit.source)
            if socket is not None:
                socket.send(transmit._replace(source=None))
        return False

    def _answer(self, event: Event) -> None:
        """Answer at once what nobody here can do."""
        agent = self.transport.agent
        match event:
            case OpenStream(stream):
                agent.stream_closed(stream, self.now)
            case ResolveName(name):
                agent.name_resolved(name, None, self.now)
            case RegisterName(name):
                agent.name_registered(name, self.now, success=False)

    def _receive(self, local: Address, batch: Batch) -> None:
        if not self._is_closed:
            self.transport.receive_datagrams(batch.datagrams, batch.source, self.now, local=local)
            self.pump()

    def _wake(self) -> None:
        self._timer = None
        if not self._is_closed:
            self.transport.handle_timeout(self.now)
            self.pump()

    def _set_timer(self) -> None:
        timeout = None if self._is_closed else self.transport.next_timeout()
        if self._timer is not None:
            if timeout is not None and self._timer.when() <= timeout:
                return  # it wakes early, which changes nothing, and is set anew then
            self._timer.cancel()
        self._timer = None if timeout is None else self._loop.call_at(timeout, self._wake)


def local_hosts(*, include_loopback: bool = False) -> list[str]:
    """The addresses to gather from: of every interface, without link-local ones, and those of IPv6 that are to go.

    Raises:
        TransportError: the system does not tell.
    """
    return [
        one.address
        for one in list_addresses()
        if not one.is_link_local and not one.is_deprecated and (include_loopback or not one.is_loopback)
    ]


async def resolve(host: str, port: int) -> Address | None:
    """Look a server up; None where it has no address. The first that the system names is used."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except OSError:
        return None
    return (found[0][4][0], port) if found else None  # type: ignore[return-value]  # an address is text for both families
