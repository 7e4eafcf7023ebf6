"""The smallest TURN that relays for real: allocations, permissions by IP address, Send and Data indications.

No credentials, no lifetimes, no channels: those are tested where they are built. A client is a `Relay` for the agent;
the server stands on a simulated host and is reached by datagrams, or by the streams of `world.Air`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random

from tests.sim.network import Host, Socket
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.config import ServerTransport, TurnServer
from zwerm.webrtc.ice.relay import RelayAllocated, RelayEvent, RelayFailed, RelayReceived
from zwerm.webrtc.stun.attributes import (
    ALTERNATE_SERVER,
    DATA,
    ERROR_CODE,
    REQUESTED_TRANSPORT,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, indication, is_stun, request
from zwerm.webrtc.stun.stream import MessageStream

RESEND = 0.5


class SmallRelay:
    """The client."""

    def __init__(self, server: TurnServer, local: Address, now: Instant, random: Random) -> None:
        self._server = server
        self._random = random
        self._out: deque[bytes] = deque()
        self._events: deque[RelayEvent] = deque()
        self._stream = MessageStream()
        self._permitted: set[str] = set()
        self._is_allocated = False
        self._is_datagram = server.transport is ServerTransport.UDP
        self._due: Instant | None = now + RESEND
        self._allocate()

    def _allocate(self) -> None:
        self._out.append(request(Method.ALLOCATE, self._random.randbytes(12), REQUESTED_TRANSPORT(17)).serialize())

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if not is_stun(data) or Message.parse(data).method == Method.BINDING:
            return False
        self._receive(Message.parse(data))
        return True

    def receive_data(self, data: bytes, now: Instant) -> None:
        for message in self._stream.receive_untrusted(data):
            self._receive(Message.parse(message))

    def receive_eof(self, now: Instant) -> None:
        self._due = None
        self._events.append(RelayFailed(701, "the connection ended"))

    def _receive(self, message: Message) -> None:
        error = message.find(ERROR_CODE)
        if message.method == Method.ALLOCATE and error is not None:
            self._due = None
            self._events.append(RelayFailed(error.code, error.reason, message.find(ALTERNATE_SERVER)))
        elif message.method == Method.ALLOCATE and message.message_class is MessageClass.SUCCESS:
            relayed, mapped = message.find(XOR_RELAYED_ADDRESS), message.find(XOR_MAPPED_ADDRESS)
            assert relayed is not None
            assert mapped is not None
            self._due = None
            if not self._is_allocated:
                self._is_allocated = True
                self._events.append(RelayAllocated(relayed, mapped))
        elif message.method == Method.DATA:
            data, peer = message.find(DATA), message.find(XOR_PEER_ADDRESS)
            assert data is not None
            assert peer is not None
            self._events.append(RelayReceived(data, peer))

    def send(self, data: bytes, peer: Address, now: Instant) -> None:
        self.permit(peer, now)
        tid = self._random.randbytes(12)
        self._out.append(indication(Method.SEND, tid, XOR_PEER_ADDRESS(peer), DATA(data)).serialize())

    def permit(self, peer: Address, now: Instant) -> None:
        tid = self._random.randbytes(12)
        self._out.append(request(Method.CREATE_PERMISSION, tid, XOR_PEER_ADDRESS(peer)).serialize())

    def verify(self, now: Instant) -> None:
        """This one is always there."""

    def bind_channel(self, peer: Address, now: Instant) -> None:
        """Indications will do."""

    def release(self, now: Instant) -> None:
        self._due = None

    def handle_timeout(self, now: Instant) -> None:
        if self._due is not None and self._due <= now:
            self._due = now + RESEND if self._is_datagram else None
            if self._is_datagram:
                self._allocate()

    def next_timeout(self) -> Instant | None:
        return self._due

    def next_transmit(self) -> Transmit | None:
        if not self._is_datagram or not self._out:
            return None
        return Transmit(self._out.popleft(), self._server.address)

    def data_to_send(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data

    def next_event(self) -> RelayEvent | None:
        return self._events.popleft() if self._events else None


class SmallTurnServer:
    """The server, on `port` of `host`; what it relays comes from other ports of it."""

    def __init__(self, host: Host, port: int = 3478) -> None:
        self.host = host
        self.socket = host.socket(port)
        self.socket.on_receive = lambda data, source: self.receive(data, source, source, self._to(source))
        self.relays: dict[object, Socket] = {}
        self.permitted: dict[object, set[str]] = {}
        self.relayed = 0  # datagrams
        self.alternate: Address | None = None  # where it sends everybody

    def _to(self, client: Address) -> Callable[[bytes], None]:
        return lambda data: self.socket.send(data, client)

    def receive(self, data: bytes, client: object, mapped: Address, reply: Callable[[bytes], None]) -> None:
        """Take one message of a client, which is told by whatever names it."""
        message = Message.parse(data)
        peer = message.find(XOR_PEER_ADDRESS)
        if message.message_class is MessageClass.REQUEST and self.alternate is not None:
            reply(message.error(300, "Try Alternate", ALTERNATE_SERVER(self.alternate)).serialize())
        elif message.method == Method.BINDING and message.message_class is MessageClass.REQUEST:
            reply(message.success(XOR_MAPPED_ADDRESS(mapped)).serialize())
        elif message.method == Method.ALLOCATE:
            socket = self.relays.get(client) or self._allocate(client, reply)
            relayed = XOR_RELAYED_ADDRESS(socket.address)
            reply(message.success(relayed, XOR_MAPPED_ADDRESS(mapped)).serialize())
        elif client in self.relays and peer is not None:
            if message.method == Method.CREATE_PERMISSION:
                self.permitted[client].add(peer[0])
                reply(message.success().serialize())
            elif message.method == Method.SEND and peer[0] in self.permitted[client]:
                self.relayed += 1
                self.relays[client].send(message.find(DATA) or b"", peer)

    def _allocate(self, client: object, reply: Callable[[bytes], None]) -> Socket:
        socket = self.relays[client] = self.host.socket()
        self.permitted[client] = set()

        def receive(data: bytes, source: Address) -> None:
            if source[0] in self.permitted[client]:
                self.relayed += 1
                attributes = (XOR_PEER_ADDRESS(source), DATA(data))
                reply(indication(Method.DATA, bytes(12), *attributes).serialize())

        socket.on_receive = receive
        return socket


class StreamClient:
    """One TCP connection to the server, as the server sees it."""

    def __init__(self, server: SmallTurnServer, mapped: Address, write: Callable[[bytes], None]) -> None:
        self._server = server
        self._mapped = mapped
        self._write = write
        self._stream = MessageStream()

    def receive(self, data: bytes) -> None:
        for message in self._stream.receive_untrusted(data):
            self._server.receive(message, self, self._mapped, self._write)
