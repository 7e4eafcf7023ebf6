"""One TURN allocation on real sockets, over UDP, TCP or TLS.

async with await Allocation.open(uri, credential) as allocation:
    await allocation.permit("203.0.113.7")
    allocation.send(b"hello", ("203.0.113.7", 7000))
    data, peer = await allocation.receive()
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, Self

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address
from zwerm.core.random import SYSTEM
from zwerm.net.driver import Driver
from zwerm.net.udp import UdpSocket
from zwerm.webrtc.stun.aio import local_host_towards, resolve
from zwerm.webrtc.stun.uri import ServerUri, Transport
from zwerm.webrtc.turn.client import TurnClient
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential
from zwerm.webrtc.turn.events import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    ChannelBound,
    ChannelRefused,
    DataReceived,
    Event,
    Failure,
    PermissionRefused,
    Permitted,
    Released,
)
from zwerm.webrtc.turn.stream_client import TurnStreamClient

MAX_ALTERNATES: Final = 4  # servers that name another one, each asked once (RFC 8489 section 10)
MAX_UNREAD: Final = 1_024  # datagrams nobody has received; the oldest is dropped


class TurnFailed(TransportError):
    """The server did not do what it was asked for; `failure` says what it answered."""

    def __init__(self, what: str, failure: Failure) -> None:
        code = f" ({failure.code})" if failure.code is not None else ""
        super().__init__(f"{what}: {failure.reason or failure.remedy.value}{code}")
        self.failure = failure


class Allocation:
    """A relayed address and what comes to it."""

    def __init__(self) -> None:
        """Nothing is there yet; `open` is the way to one."""
        self.relayed: tuple[Address, ...] = ()
        self.mapped: Address | None = None
        self._client: TurnClient
        self._pump: Callable[[], None]
        self._shut: Callable[[], None]
        self._received: asyncio.Queue[DataReceived] = asyncio.Queue(MAX_UNREAD)
        self._waiting: dict[object, asyncio.Future[None]] = {}
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended.add_done_callback(lambda future: future.cancelled() or future.exception())  # it may go unasked

    @classmethod
    async def open(
        cls,
        uri: ServerUri,
        credential: Credential,
        config: AllocationConfig | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Get an allocation from the server at `uri`, or from the one that it names instead.

        Raises:
            TransportError: no such server, or no way to it.
            TurnFailed: the server gives none; `failure.remedy` says what may help.

        Cancelling leaves nothing open.
        """
        server = await resolve(uri)
        asked = {server}
        while True:
            self = cls()
            try:
                await self._open_at(server, uri, credential, config, tls)
            except TurnFailed as error:
                alternate = error.failure.alternate
                if alternate is None or alternate in asked or len(asked) > MAX_ALTERNATES:
                    raise
                server = alternate
                asked.add(server)
            else:
                return self

    async def permit(self, *hosts: str) -> None:
        """Let peers at these addresses send to us.

        Raises:
            TurnFailed: the server refuses them.
        """
        outcomes = [self._expect(("host", host)) for host in hosts if not self._client.permits(host)]
        self._client.permit(hosts, self._now())
        self._pump()
        for outcome in outcomes:
            await self._wait_for(outcome)

    async def bind_channel(self, peer: Address) -> None:
        """Have data to and from `peer` travel with 4 bytes of overhead.

        Raises:
            TurnFailed: the server refuses it.
        """
        if self._client.is_bound(peer):
            return
        outcome = self._expect(("channel", peer))
        self._client.bind_channel(peer, self._now())
        self._pump()
        await self._wait_for(outcome)

    def send(self, data: bytes, peer: Address) -> None:
        """Send a datagram, permitting the peer if that was not done; it may be lost, as any."""
        self._client.send(data, peer, self._now())
        self._pump()

    async def receive(self) -> DataReceived:
        """Wait for the next datagram. Cancelling loses none.

        Raises:
            TurnFailed: the allocation was lost.
        """
        getting = asyncio.ensure_future(self._received.get())
        try:
            await asyncio.wait((getting, self._ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not getting.done():
                getting.cancel()
        if getting.done() and not getting.cancelled():
            return getting.result()
        await self._ended
        raise TransportError("the allocation is closed")

    async def close(self) -> None:
        """Give the allocation back, and wait for the server to say so, 2.5 s at most. Twice is harmless."""
        self._client.close(self._now())
        self._pump()
        try:
            await asyncio.wait((self._ended,))
        finally:
            self._shut()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _open_at(
        self,
        server: Address,
        uri: ServerUri,
        credential: Credential,
        config: AllocationConfig | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        outcome = self._expect("allocation")
        if uri.transport is Transport.UDP:
            self._open_datagrams(server, credential, config)
        elif uri.transport is Transport.DTLS:
            raise TransportError("TURN over DTLS is not supported: use udp, tcp or tls")
        else:
            context = (tls or ssl.create_default_context()) if uri.transport is Transport.TLS else None
            await self._open_stream(server, credential, config, context, uri.host)
        try:
            await self._wait_for(outcome)
        except BaseException:
            self._shut()
            raise

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _open_datagrams(self, server: Address, credential: Credential, config: AllocationConfig | None) -> None:
        udp = UdpSocket.open((local_host_towards(server), 0))
        self._client = TurnClient(server, credential, now=self._now(), random=SYSTEM, config=config)
        driver: Driver[Event] = Driver(self._client, udp, self._receive_event)
        self._pump = driver.pump

        def shut() -> None:
            driver.close()
            udp.close()

        self._shut = shut

    async def _open_stream(
        self,
        server: Address,
        credential: Credential,
        config: AllocationConfig | None,
        tls: ssl.SSLContext | None,
        name: str,
    ) -> None:
        machine = TurnStreamClient(server, credential, now=self._now(), random=SYSTEM, config=config)
        self._client = machine.client
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10):
                transport, stream = await loop.create_connection(
                    lambda: _Stream(machine, self._receive_event),
                    *server,
                    ssl=tls,
                    server_hostname=name if tls else None,
                )
        except (OSError, TimeoutError) as error:
            raise TransportError(f"{name} port {server[1]} takes no connection: {error}") from error
        self._pump, self._shut = stream.pump, transport.close

    def _expect(self, what: object) -> asyncio.Future[None]:
        """Have `_settle` of the same thing tell; several may wait for one."""
        outcome = self._waiting.get(what)
        if outcome is None:
            outcome = self._waiting[what] = asyncio.get_running_loop().create_future()
            outcome.add_done_callback(lambda future: future.cancelled() or future.exception())  # it may go unasked
        return outcome

    async def _wait_for(self, outcome: asyncio.Future[None]) -> None:
        await asyncio.wait((outcome, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if outcome.done():
            outcome.result()
        else:
            self._ended.result()
            raise TransportError("the allocation is closed")

    def _settle(self, what: object, error: Exception | None = None) -> None:
        future = self._waiting.pop(what, None)
        if future is not None and not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _receive_event(self, event: Event) -> None:
        match event:
            case DataReceived():
                if self._received.full():
                    self._received.get_nowait()
                self._received.put_nowait(event)
            case Allocated():
                self.relayed, self.mapped = event.relayed, event.mapped
                self._settle("allocation")
            case Permitted():
                for host in event.hosts:
                    self._settle(("host", host))
            case PermissionRefused():
                for host in event.hosts:
                    self._settle(("host", host), TurnFailed(f"peer {host}", event.failure))
            case ChannelBound():
                self._settle(("channel", event.peer))
            case ChannelRefused():
                self._settle(("channel", event.peer), TurnFailed(f"channel to {event.peer[0]}", event.failure))
            case AllocationFailed() | AllocationLost() if not self._ended.done():
                self._ended.set_exception(TurnFailed("no allocation", event.failure))
            case Released() if not self._ended.done():
                self._ended.set_result(None)


class _Stream(asyncio.Protocol):
    """Carries bytes between a stream machine and its connection."""

    def __init__(self, machine: TurnStreamClient, on_event: Callable[[Event], None]) -> None:
        self._machine = machine
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.pump()

    def data_received(self, data: bytes) -> None:
        self._machine.receive_data(data, self._loop.time())
        self.pump()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._machine.receive_eof(self._loop.time())
        self.pump()

    def pump(self) -> None:
        data = self._machine.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)
        while (event := self._machine.next_event()) is not None:
            self._on_event(event)
        if self._timer is not None:
            self._timer.cancel()
        due = self._machine.next_timeout()
        self._timer = None if due is None or self._transport is None else self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._machine.handle_timeout(self._loop.time())
        self.pump()
