"""A transport on sockets of asyncio: UDP in batches (`zwerm.net`), TCP where relays and candidates want it, one timer.

Everything happens in callbacks of the loop; tasks are made only for TCP connections on their way. The addresses of this
machine are watched while it is open: sockets of those that go are closed, new ones join. Names of multicast DNS are
registered and looked up (`zwerm.net.mdns`) on the interfaces that are used, and on no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable
from typing import Final

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.core.machine import DRAIN_LIMIT, Address, Instant, Transmit
from zwerm.core.random import SYSTEM
from zwerm.net.alarm import Alarm
from zwerm.net.interfaces import InterfaceAddress, watch_interfaces, watched_addresses
from zwerm.net.mdns.aio import MulticastNames
from zwerm.net.tcp import TcpConnections
from zwerm.net.udp import Batch
from zwerm.webrtc.connection.local_network import LocalNetwork
from zwerm.webrtc.connection.sockets import LocalSockets
from zwerm.webrtc.connection.transport import Event, Transport
from zwerm.webrtc.datachannel.channel import BinaryReceived, MessageEvent, TextReceived
from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import ServerTransport
from zwerm.webrtc.ice.events import CloseStream, OpenStream, RegisterName, ResolveName, SendStream
from zwerm.webrtc.ice.gather import ACTIVE_PORT

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn


class TransportDriver:
    """One transport on real sockets, which it owns until `close`."""

    def __init__(self, transport: Transport, on_event: Callable[[Event], None]) -> None:
        """Where no loop runs yet, `bind` is to be called on it before anything else is.

        `on_event` may give commands; what they bring is carried out when it has returned.
        """
        self.transport = transport
        self.on_message: Callable[[MessageEvent], None] = on_event  # is given messages, which may be many
        self.turn = 0  # counts the turns of the loop that commands were given in
        self.network = LocalNetwork()
        self._on_event = on_event
        self._names: MulticastNames | None = None
        self._unwatch: Callable[[], None] | None = None
        self._soon: asyncio.Handle | None = None
        self._tcp_later: asyncio.TimerHandle | None = None
        self._is_draining = True  # until it has a loop, which makes commands wait as those of handlers do
        self._is_burst = False  # the last turn of the loop brought more than one command
        self._commands = 0  # of this turn
        self._is_blocked = False  # a socket was full
        self._is_bound = False
        self._is_closed = False
        with contextlib.suppress(RuntimeError):
            self.bind()

    def bind(self) -> None:
        """Belong to the loop that runs. Twice is harmless.

        Raises:
            RuntimeError: none does.
        """
        if self._is_bound:
            return
        self._loop = asyncio.get_running_loop()
        self._streams = TcpConnections(
            on_opened=self._stream_opened,
            on_data=self._stream_received,
            on_closed=self._stream_closed,
            on_writable=self.pump,
        )
        self._sockets = LocalSockets(self._streams, SYSTEM, self._receive, self._stream_accepted, self.pump)
        self._alarm = Alarm(self._loop, self._wake, time.monotonic)
        self._is_bound = True
        self._is_draining = False

    @property
    def now(self) -> Instant:
        """The instant to call commands with: not the loop's, which in uvloop counts in milliseconds."""
        return time.monotonic()

    def open(self, network: LocalNetwork | None = None) -> None:
        """Bind sockets on each address that lets us, and watch for changes; the rest were gone by now.

        Raises:
            TransportError: none did, or there were none.
        """
        self.network = network or self.network
        self._unwatch = watch_interfaces(self._addresses_changed)
        failure = "this machine has no address to gather from"
        for host in self.network.hosts(watched_addresses()):
            failure = self._open_host(host) or failure
        if not self._sockets.udp:
            raise TransportError(failure)
        if self.network.tcp and self.network.tcp_delay > 0.0:
            self.transport.agent.await_addresses()
            self._tcp_later = self._loop.call_later(self.network.tcp_delay, self._open_tcp)

    def pump_soon(self) -> None:
        """Pump when the loop comes round: commands given until then go out together."""
        if not self._is_draining:  # or it goes out with the others of this round
            self._commands += 1
            self._schedule()

    @property
    def is_calm(self) -> bool:
        """Whether a message is likely to be alone in this turn of the loop, so that it may go `at_once`.

        In a conversation a turn of the loop is a good part of the round trip. Where the last turn brought several
        commands they wait for each other instead, and many datagrams cost one system call.
        """
        return self._soon is None and not self._is_burst and not self._is_draining

    def pump_at_once(self) -> None:
        """Send now, in a turn that is calm; what else is to be done, events first of all, comes with `pump_soon`."""
        self._commands += 1
        self._schedule()
        self._is_draining = True
        try:
            self._send()
        finally:
            self._is_draining = False

    def pump(self) -> None:
        """Carry out what the transport has to say, and set the timer anew."""
        if self._is_closed or self._is_draining:
            return
        self._is_draining = True
        try:
            for _ in range(ROUNDS):
                if self._drain():
                    break
            else:
                self._schedule()
        finally:
            self._is_draining = False
        self._alarm.set(self.transport.next_timeout())

    def close(self) -> None:
        """Carry out what is left, and let go of every socket. The transport is closed before; twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._send()
        self._alarm.set(None)
        for later in (self._soon, self._tcp_later):
            if later is not None:
                later.cancel()
        while (event := self.transport.next_event()) is not None:
            self._answer(event)
            self._on_event(event)
        if self._unwatch is not None:
            self._unwatch()
        if self._names is not None:
            self._names.close()
        self._sockets.close()
        self._streams.close_all()

    async def wait_closed(self) -> None:
        """Wait until the loop has let go of what `close` closed: a few turns, whatever the other side does."""
        await self._streams.wait_closed()

    def _schedule(self) -> None:
        if self._soon is None and not self._is_closed:
            self._soon = self._loop.call_soon(self._pump_now)

    def _pump_now(self) -> None:
        self._soon = None
        self._is_burst = self._commands > 1
        self._commands = 0
        self.turn += 1
        self.pump()

    def _drain(self) -> bool:
        """Take one round of outputs; return whether that was all.

        Events go first: what they make their owner send goes out with the acknowledgement of what brought them.
        """
        transport, on_event, on_message = self.transport, self._on_event, self.on_message
        for _ in range(DRAIN_LIMIT):
            event = None if self._is_closed else transport.next_event()
            if event is None:
                break
            if isinstance(event, (BinaryReceived, TextReceived)):
                on_message(event)
            else:
                self._answer(event)
                on_event(event)
        return self._send() and event is None and not transport.has_events

    def _send(self) -> bool:
        """Send until there is nothing, or a socket is full, which tells when there is room; False: there is more."""
        if self._streams.is_full or (self._is_blocked and self._sockets.is_full):
            return True
        self._is_blocked = False
        sockets = self._sockets.udp
        for _ in range(DRAIN_LIMIT):
            transmit = self.transport.next_transmit()
            if transmit is None:
                return True
            data, destination, segment_size, source = transmit
            socket = None if source is None else sockets.get(source)
            if socket is not None:
                if segment_size is None:
                    socket.send_datagram(data, destination)
                else:
                    socket.send(Transmit(data, destination, segment_size))
                if socket.is_full:
                    self._is_blocked = True
                    return True
        return False

    def _answer(self, event: Event) -> None:
        """Do what the agent asks for."""
        match event:
            case SendStream(stream, data):
                self._streams.write(stream, data)
            case OpenStream(stream, local, remote, server):
                tls_name = None
                if server is not None and server.transport is ServerTransport.TLS:
                    tls_name = server.name or remote[0]
                if not self._is_closed:
                    self._streams.connect(stream, local, remote, tls_name=tls_name)
            case CloseStream(stream):
                self._streams.close(stream)
            case ResolveName(name):
                if self._is_closed or not self._multicast().resolve(name, self._name_resolved):
                    self.transport.agent.name_resolved(name, None, self.now)
            case RegisterName(name, host):
                is_registered = not self._is_closed and self._multicast().register(name, host)
                self.transport.agent.name_registered(name, self.now, success=is_registered)

    # What the sockets bring.

    def _receive(self, local: Address, batch: Batch) -> None:
        if self._is_closed:
            return
        now = time.monotonic()
        datagrams, source, _ = batch
        if not self._is_blocked and self.transport.receive_repeated(datagrams, source, now, local=local):
            if not self._send_repeated():  # then it was an answer
                self._alarm.set(self.transport.next_timeout())
            return
        self.transport.receive_datagrams(datagrams, source, now, local=local)
        self.pump()

    def _stream_opened(self, stream: int) -> None:
        self.transport.agent.stream_opened(stream, self.now)
        self.pump()

    def _stream_accepted(self, local: Address, remote: Address) -> int | None:
        return None if self._is_closed else self.transport.agent.stream_accepted(local, remote, self.now)

    def _stream_received(self, stream: int, data: bytes) -> None:
        if not self._is_closed:
            self.transport.receive_stream_data(stream, data, self.now)
            self.pump()

    def _stream_closed(self, stream: int) -> None:
        if not self._is_closed:
            self.transport.agent.stream_closed(stream, self.now)
            self.pump()

    # Names of multicast DNS.

    def _multicast(self) -> MulticastNames:
        """The names of this connection, from the first that is needed on; on the interfaces it has sockets on."""
        if self._names is None:
            self._names = MulticastNames()
        self._names.join(address[0] for address in self._sockets.udp)
        return self._names

    def _name_resolved(self, name: str, host: str) -> None:
        if not self._is_closed:
            self.transport.agent.name_resolved(name, host, self.now)
            self.pump()

    # Local addresses.

    def _open_host(self, host: str) -> str | None:
        """Bind on an address, and have the agent use it; return why not."""
        agent, network = self.transport.agent, self.network
        try:
            agent.add_local_address(self._sockets.open(host, network.ports), self.now)
        except (TransportError, LocalProtocolError) as error:
            self._sockets.close_host(host)  # bound, and one too many for the agent
            return str(error)
        if network.tcp and network.tcp_delay <= 0.0:
            self._open_tcp_host(host)
        if self._names is not None:
            self._names.join([host])
        return None

    def _open_tcp(self) -> None:
        """It is time for TCP on the addresses that there are, and from now on at once."""
        self._tcp_later = None
        self.network = dataclasses.replace(self.network, tcp_delay=0.0)
        for host in dict.fromkeys(address[0] for address in self._sockets.udp):
            self._open_tcp_host(host)
        self.transport.agent.end_of_addresses(self.now)
        self.pump()

    def _open_tcp_host(self, host: str) -> None:
        agent = self.transport.agent
        with contextlib.suppress(LocalProtocolError):  # too many addresses: those it has will do
            agent.add_local_address((host, ACTIVE_PORT), self.now, tcp_type=TcpType.ACTIVE)
            passive = self._sockets.listen(host, self.network.ports)
            if passive is not None:
                agent.add_local_address(passive, self.now, tcp_type=TcpType.PASSIVE)

    def _close_host(self, host: str) -> None:
        """An address is gone: the agent tries what is left, or wants a restart."""
        agent = self.transport.agent
        for address in [address for address in self._sockets.udp if address[0] == host]:
            agent.remove_local_address(address, self.now)
        agent.remove_local_address((host, ACTIVE_PORT), self.now, tcp_type=TcpType.ACTIVE)
        if host in self._sockets.listening:
            agent.remove_local_address(self._sockets.listening[host], self.now, tcp_type=TcpType.PASSIVE)
        self.pump()
        self._sockets.close_host(host)

    def _addresses_changed(self, addresses: list[InterfaceAddress]) -> None:
        if self._is_closed:
            return
        here = {address[0] for address in self._sockets.udp}
        wanted = self.network.hosts(addresses)
        for host in wanted:  # new ones first: what is lost may go on over them
            if host not in here:
                self._open_host(host)
        for host in here - set(wanted):
            self._close_host(host)
        self.pump()

    # Time.

    def _wake(self) -> None:
        if self._is_closed:
            return
        now = time.monotonic()
        if not self._is_blocked and self.transport.ask_again(now):
            self._send_repeated()
            self._alarm.set(self.transport.next_timeout())
            return
        self.transport.handle_timeout(now)
        self.pump()

    def _send_repeated(self) -> bool:
        """Consent was asked for or given as ever, and nothing else has happened: what idle connections do all day."""
        transmit = self.transport.agent.next_transmit()
        if transmit is None:
            return False
        socket = None if transmit.source is None else self._sockets.udp.get(transmit.source)
        if socket is not None:
            socket.send_datagram(transmit.data, transmit.destination)
        return True
