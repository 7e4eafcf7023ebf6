"""STUN on real sockets: ask a server, find out what a NAT does, answer others."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from zwerm.core.errors import RemoteProtocolError, TransportError, WireError
from zwerm.core.machine import Address, DatagramMachine
from zwerm.core.random import SYSTEM
from zwerm.net.driver import Driver
from zwerm.net.udp import Batch, UdpSocket
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.stun.attributes import (
    ALTERNATE_DOMAIN,
    ALTERNATE_SERVER,
    ERROR_CODE,
    MAPPED_ADDRESS,
    SOFTWARE,
    XOR_MAPPED_ADDRESS,
)
from zwerm.webrtc.stun.behaviour import NatBehaviour
from zwerm.webrtc.stun.discovery import Discovered, NatDiscovery
from zwerm.webrtc.stun.message import Message, MessageClass, Method, request
from zwerm.webrtc.stun.server import ServerConfig, StunServer
from zwerm.webrtc.stun.stream import MessageStream
from zwerm.webrtc.stun.transaction import RELIABLE, ClientTransaction, Responded, Schedule
from zwerm.webrtc.stun.uri import ServerUri, Transport

ASKING: Final = Schedule(rto=0.5, rc=5, rm=4)  # 9.5 s; a person waits
MAX_ALTERNATES: Final = 4  # servers that name another one, each asked once
MAX_CONNECTIONS: Final = 1_024  # TCP clients of a server at once
IDLE: Final = 30.0  # seconds a TCP client may be silent

_READ: Final = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a server told about us."""

    server: Address
    local: Address
    mapped: Address
    software: str | None = None


async def resolve(uri: ServerUri) -> Address:
    """Look up where a server is; the first address of any family that the system would use.

    Raises:
        TransportError: there is no such name.
    """
    kind = socket.SOCK_DGRAM if uri.transport is Transport.UDP else socket.SOCK_STREAM
    try:
        found = await asyncio.get_running_loop().getaddrinfo(uri.host, uri.port, type=kind)
    except OSError as error:
        raise TransportError(f"{uri.host} is not to be found: {error.strerror or error}") from error
    host, port = found[0][4][:2]
    return str(host), int(port)


def local_host_towards(server: Address) -> str:
    """Return the address of ours from which datagrams to `server` go.

    Raises:
        TransportError: there is no way there.
    """
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)  # noqa: FBT003 - it never would: nothing is sent
        try:
            probe.connect(server)
        except OSError as error:
            raise TransportError(f"no way to {server[0]}: {error.strerror}") from error
        return str(probe.getsockname()[0])


async def ask(uri: ServerUri, *, tls: ssl.SSLContext | None = None) -> Answer:
    """Ask a server for our address as it sees it, by the transport of `uri`; or the one that it names instead.

    Raises:
        TransportError: no such server, or no answer.
        RemoteProtocolError: an answer that is none.
    """
    server = await resolve(uri)
    name, asked = uri.host, {server}
    while True:
        local, response = await _ask_at(server, uri.transport, name, tls)
        alternate, error = response.find(ALTERNATE_SERVER), response.find(ERROR_CODE)
        if error is None or error.code != 300 or alternate is None:
            break
        if alternate in asked or len(asked) > MAX_ALTERNATES or family_of(alternate[0]) != family_of(server[0]):
            break  # RFC 8489 section 10: in circles, for ever, or to where no answer could be compared
        server, name = alternate, response.find(ALTERNATE_DOMAIN) or name
        asked.add(server)
    mapped = response.find(XOR_MAPPED_ADDRESS) or response.find(MAPPED_ADDRESS)
    if response.message_class is not MessageClass.SUCCESS or mapped is None:
        error = response.find(ERROR_CODE)
        raise RemoteProtocolError(f"{uri} answered {error.code} {error.reason}" if error else f"{uri} told no address")
    return Answer(server, local, mapped, response.find(SOFTWARE))


async def _ask_at(
    server: Address, transport: Transport, name: str, tls: ssl.SSLContext | None
) -> tuple[Address, Message]:
    data = request(Method.BINDING, SYSTEM.randbytes(12)).serialize()
    match transport:
        case Transport.UDP:
            return await _ask_by_datagrams(data, server)
        case Transport.TCP:
            return await _ask_by_stream(data, server, None, name)
        case Transport.TLS:
            return await _ask_by_stream(data, server, tls or ssl.create_default_context(), name)
        case Transport.DTLS:
            raise TransportError("STUN over DTLS is not supported: use udp, tcp or tls")


async def discover(uri: ServerUri) -> NatBehaviour:
    """Find out what is between us and the network outside; takes up to 20 s where much is filtered.

    Raises:
        TransportError: no such server, or no way to it. That it does not answer is a result.
    """
    server = await resolve(uri)
    with contextlib.closing(UdpSocket.open((local_host_towards(server), 0))) as udp:
        now = asyncio.get_running_loop().time()
        event = await first_event(NatDiscovery(server, udp.address, now=now, random=SYSTEM), udp)
        return event.behaviour if isinstance(event, Discovered) else NatBehaviour(udp.address)


async def first_event(machine: DatagramMachine[Any], udp: UdpSocket) -> Any:
    """Run a machine on a socket until it tells something. Cancelling leaves nothing behind but the socket."""
    found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(event: Any) -> None:
        if not found.done():
            found.set_result(event)

    with contextlib.closing(Driver(machine, udp, take)):
        return await found


async def _ask_by_datagrams(data: bytes, server: Address) -> tuple[Address, Message]:
    with contextlib.closing(UdpSocket.open((local_host_towards(server), 0))) as udp:
        now = asyncio.get_running_loop().time()
        event = await first_event(ClientTransaction(data, server, now=now, schedule=ASKING), udp)
        if not isinstance(event, Responded):
            raise TransportError(f"{server[0]} port {server[1]} does not answer by UDP")
        return udp.address, event.message


async def _ask_by_stream(
    data: bytes, server: Address, tls: ssl.SSLContext | None, name: str
) -> tuple[Address, Message]:
    try:
        async with asyncio.timeout(RELIABLE.rto):
            reader, writer = await asyncio.open_connection(*server, ssl=tls, server_hostname=name if tls else None)
            try:
                host, port = writer.get_extra_info("sockname")[:2]
                writer.write(data)
                message = await _next_message(reader, data[8:20])
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        raise TransportError(f"{server[0]} port {server[1]} does not answer") from None
    except OSError as error:
        raise TransportError(f"{server[0]} port {server[1]}: {error.strerror or error}") from error
    return (host, port), message


async def _next_message(reader: asyncio.StreamReader, transaction_id: bytes) -> Message:
    stream = MessageStream()
    while data := await reader.read(_READ):
        for whole in stream.receive_untrusted(data):
            message = Message.parse(whole)
            if message.transaction_id == transaction_id:
                return message
        if stream.failure is not None:
            raise RemoteProtocolError(stream.failure)
    raise TransportError("the server closed the connection without an answer")


class StunService:
    """A STUN server on its sockets: UDP on each address of the config, and TCP on the first."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self._server = StunServer(config)
        self._sockets: dict[Address, UdpSocket] = {}
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open every socket.

        Raises:
            TransportError: an address is not ours, or taken. Nothing is left open.
        """
        try:
            for address in self.config.sockets():
                udp = self._sockets[address] = UdpSocket.open(address)
                udp.on_batch = self._receiver(address)
            self._listener = await asyncio.start_server(self._serve, *self.config.primary)
        except OSError as error:
            await self.close()
            raise TransportError(f"cannot listen on TCP {self.config.primary}: {error.strerror}") from error
        except TransportError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close every socket and connection. Twice is harmless."""
        if self._listener is not None:
            self._listener.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for udp in self._sockets.values():
            udp.close()
        self._sockets.clear()

    def _receiver(self, local: Address) -> Callable[[Batch], None]:
        def receive(batch: Batch) -> None:
            for data in batch.datagrams:
                self._server.receive_datagram(data, batch.source, 0.0, local)
                while (transmit := self._server.next_transmit()) is not None:
                    self._sockets[transmit.source or local].send(transmit._replace(source=None))

        return receive

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._answer_stream(reader, writer)
        except (OSError, TimeoutError, WireError):
            return  # gone, or not to be understood: there is nobody to tell
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, stream = writer.get_extra_info("peername")[:2], MessageStream(limit=2_048)
        while stream.failure is None:
            async with asyncio.timeout(IDLE):
                data = await reader.read(_READ)
            if not data:
                return
            for message in stream.receive_untrusted(data):
                plain = StunServer(ServerConfig(self.config.primary, software=self.config.software))
                plain.receive_datagram(message, source, 0.0)
                while (transmit := plain.next_transmit()) is not None:
                    writer.write(transmit.data)
            await writer.drain()
