"""The host: it owns the transports' connections, the tasks of the handlers, and everything that ends with it.

async with Swarm(key, [TcpTransport(key)]) as swarm:
    await swarm.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0")])
    swarm.handle("/echo/1.0.0", echo)
    async with await swarm.open_stream(peer, ["/echo/1.0.0"]) as stream:
        ...
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

from zwerm.core.errors import LocalProtocolError, RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.host import (
    AddressesChanged,
    DialFailed,
    HostEvent,
    PeerConnected,
    PeerDisconnected,
    StreamHandler,
)
from zwerm.libp2p.multistream.aio import listen as agree
from zwerm.libp2p.stream import Direction, MuxedConnection, MuxedStream
from zwerm.libp2p.swarm.address_ranges import AddressRanges
from zwerm.libp2p.swarm.admission import Admission
from zwerm.libp2p.swarm.backoff import Backoff
from zwerm.libp2p.swarm.bandwidth import Bandwidth
from zwerm.libp2p.swarm.connection import SwarmConnection
from zwerm.libp2p.swarm.dialer import Dialer
from zwerm.libp2p.swarm.ledger import StreamLedger
from zwerm.libp2p.swarm.limits import Limits
from zwerm.libp2p.swarm.names import NameSource, resolve
from zwerm.libp2p.swarm.peer_store import MemoryPeerStore, own_addresses
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.libp2p.swarm.stream import SwarmStream
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.libp2p.swarm.trimming import Candidate, Worth, excess
from zwerm.libp2p.transports.transport import Listener, Transport
from zwerm.multiformats.multiaddr import Multiaddr

if TYPE_CHECKING:
    from zwerm.libp2p.identify.aio import IdentifyService

AGENT: Final = "zwerm"
ADDRESS_LIFETIME: Final = 600.0  # seconds that an address given to `connect` is remembered

FindPeer: TypeAlias = Callable[[PeerId], Awaitable[Sequence[Multiaddr]]]

_LOG: Final = logging.getLogger("zwerm.libp2p")


class _Handler(NamedTuple):
    call: StreamHandler
    allow_limited: bool


class Swarm:
    """The one implementation of `zwerm.libp2p.host.Host`; its docstrings hold here too."""

    def __init__(
        self,
        key: PrivateKey,
        transports: Sequence[Transport] = (),
        *,
        limits: Limits | None = None,
        clock: Callable[[], Instant] | None = None,
        random: Random = SYSTEM,
        agent: str | None = AGENT,
        allowed: Collection[PeerId] | None = None,
    ) -> None:
        """Make a swarm on the running loop, that listens on nothing yet.

        Args:
            key: who this is.
            transports: closed with the swarm; more can follow.
            limits: what it may grow to.
            clock: the loop's, unless given.
            random: the system's, unless given.
            allowed: the only peers to connect with, by whatever transport; None: everybody.
            agent: as whom it identifies itself; None: it does not, nor asks others, nor answers pings.
        """
        self.key = key
        self.peer_id = PeerId.of(key.public)
        self.limits = limits or Limits()
        self.clock = clock or asyncio.get_running_loop().time
        self.random = random
        self.peers = MemoryPeerStore(self.limits, self.clock)
        self.find_peer: FindPeer | None = None  # asked where a peer is when no address of it is known
        self.bandwidth = Bandwidth(self.clock, upload=self.limits.upload, download=self.limits.download)
        self._admission = Admission(allowed, self.clock)
        self._ledger = StreamLedger(self.limits)
        self._complaints = Complaints()
        self._trimming: asyncio.TimerHandle | None = None
        self.names: NameSource | None = None  # asked for the names in addresses; None: these are not dialled
        self._transports = list(transports)
        self._tasks = Tasks()
        self._backoff = Backoff(self.limits, self.clock)
        self._dialer = Dialer(
            self._transports,
            limits=self.limits,
            backoff=self._backoff,
            tasks=self._tasks,
            adopt=self.adopt,
            refusal=self._admission.address_refusal,
        )
        self._connections: dict[PeerId, list[SwarmConnection]] = {}
        self._handlers: dict[str, _Handler] = {}
        self._listeners: list[Listener] = []
        self._external: dict[Multiaddr, None] = {}
        self._announced: tuple[Multiaddr, ...] = ()
        self._subscribers: dict[object, Callable[[HostEvent], None]] = {}
        self._on_connection: list[Callable[[SwarmConnection], None]] = []
        self._on_protocols: list[Callable[[], None]] = []
        self._protected: dict[PeerId, set[str]] = {}
        self._is_closed = False
        self.identify: IdentifyService | None = None
        if agent is not None:
            from zwerm.libp2p.identify.aio import IdentifyService
            from zwerm.libp2p.ping.aio import answer_pings

            self.identify = IdentifyService(self, agent=agent)
            answer_pings(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop listening, close every connection and end every task. Idempotent."""
        self._is_closed = True
        if self.identify is not None:
            self.identify.close()
        if self._trimming is not None:
            self._trimming.cancel()
            self._trimming = None
        await self._dialer.close()
        await asyncio.gather(*(listener.close() for listener in self._listeners))
        watching = [connection.watch for connection in self.connections]
        await asyncio.gather(*(connection.close() for connection in self.connections))
        await asyncio.gather(*watching)
        await asyncio.gather(*(transport.close() for transport in self._transports))
        await self._tasks.close()
        self._subscribers.clear()

    # Addresses

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        return self._announced

    @property
    def listen_addresses(self) -> Sequence[Multiaddr]:
        """Where it listens, announced or not."""
        return tuple(address for listener in self._listeners for address in listener.addresses)

    async def listen(self, addresses: Iterable[Multiaddr]) -> None:
        """Listen on each address.

        Raises:
            TransportError: no transport knows one, or it is taken; those before it are listened on.
        """
        for address in addresses:
            await self.listen_on(address)

    async def listen_on(self, address: Multiaddr) -> Listener:
        """Listen on one address; raises as `listen`. What is returned goes to `stop_listening`."""
        transport = next((each for each in self._transports if each.can_listen(address)), None)
        if transport is None:
            raise TransportError(f"no transport here listens on {address}")
        listener = await transport.listen(address, self._accept)
        self._listeners.append(listener)
        self.announce()
        return listener

    async def stop_listening(self, listener: Listener) -> None:
        """End one `listen_on`. Idempotent."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            await listener.close()
            self.announce()

    @property
    def transports(self) -> Sequence[Transport]:
        return tuple(self._transports)

    def add_transport(self, transport: Transport) -> None:
        """Dial and listen by one more transport, closed with the swarm."""
        self._transports.append(transport)

    def add_external_address(self, address: Multiaddr) -> None:
        """Announce an address that somebody else found out: a relay's, one that was mapped or observed."""
        self._external[address] = None
        self.announce()

    def remove_external_address(self, address: Multiaddr) -> None:
        self._external.pop(address, None)
        self.announce()

    def announce(self) -> None:
        """Tell everybody if this node is somewhere else than before; what listens on all interfaces may be."""
        addresses = tuple(dict.fromkeys([*self.listen_addresses, *self._external]))
        if addresses != self._announced:
            self._announced = addresses
            self.emit(AddressesChanged(addresses))

    # Connections

    @property
    def connections(self) -> Sequence[SwarmConnection]:
        return tuple(connection for connections in self._connections.values() for connection in connections)

    def connections_to(self, peer: PeerId) -> Sequence[SwarmConnection]:
        found = self._connections.get(peer, [])

        def cost(connection: SwarmConnection) -> tuple[bool, bool, bool]:
            is_late = connection.is_superseded(found[-1])
            return connection.is_limited, is_relayed(connection.remote_address), is_late

        return sorted(found, key=cost)

    async def connect(
        self, peer: PeerId, addresses: Sequence[Multiaddr] = (), *, force_direct: bool = False
    ) -> SwarmConnection:
        existing = self.connections_to(peer)
        best = existing[0] if existing else None
        if best is not None and not (force_direct and (best.is_limited or is_relayed(best.remote_address))):
            return best
        if peer == self.peer_id:
            raise DialFailed("the peer is this node")
        if self._is_closed:
            raise DialFailed("this node is closed")
        if (refusal := self._admission.refusal(peer)) is not None:
            raise DialFailed(f"{peer} {refusal}")
        self.peers.add_addresses(peer, addresses, ADDRESS_LIFETIME)
        known = [*addresses, *self.peers.addresses(peer)]
        if not known and self.find_peer is not None:
            known = [*await self.find_peer(peer)]
        reasons: dict[Multiaddr, str] = {}
        if self.names is not None:
            known, reasons = await resolve(own_addresses(known, peer), peer, self.names, self._dialer.can_dial)
        own = own_addresses(known, peer)
        return await self._dialer.dial(peer, own, force_direct=force_direct, reasons=reasons)

    async def open_stream(self, peer: PeerId, protocols: Sequence[str], *, allow_limited: bool = False) -> SwarmStream:
        connection = await self.connect(peer)
        if connection.is_limited and not allow_limited:
            connection = await self.connect(peer, force_direct=True)
        return await connection.open_stream(protocols)

    async def disconnect(self, peer: PeerId, *, rest: float = 0.0) -> None:
        """Close the connections with a peer, and for `rest` seconds make and take none: a look-up may be about it."""
        if rest:
            self._admission.rest(peer, rest)
        for connection in self.connections_to(peer):
            await connection.close()
            await asyncio.shield(connection.watch)

    def forget_failures(self) -> None:
        """Dial again what failed before or rests: the network is another one, or a person asks for it."""
        self._backoff.clear()
        self._admission.end_rests()

    def protect(self, peer: PeerId, tag: str) -> None:
        self._protected.setdefault(peer, set()).add(tag)

    def unprotect(self, peer: PeerId, tag: str) -> None:
        tags = self._protected.get(peer, set())
        tags.discard(tag)
        if not tags:
            self._protected.pop(peer, None)

    def set_allowed(self, peers: Collection[PeerId] | None) -> None:
        """Connect with these only from now on, and close what there is with others; None: with everybody."""
        self._admission.allow(peers)
        for connection in self.connections:
            if self._admission.refusal(connection.remote_peer) is not None:
                self.spawn(connection.close("not on the list of peers that this node talks to"), "close")

    def set_filtered(self, ranges: AddressRanges) -> None:
        """From now on dial and let in nobody at these addresses, and close what there is with somebody there."""
        self._admission.filtered = ranges
        for connection in self.connections:
            if (refusal := self.address_refusal(connection.remote_address)) is not None:
                self.spawn(connection.close(refusal), "close")

    def address_refusal(self, address: Multiaddr) -> str | None:
        """Return why nothing is dialled there, in words; None: it may be."""
        return self._admission.address_refusal(address)

    def _accept(self, muxed: MuxedConnection) -> None:
        """Take a connection that somebody made to us."""
        try:
            self.adopt(muxed)
        except ResourceLimitError as error:
            _LOG.info("refused a connection of %s from %s: %s", muxed.remote_peer, muxed.remote_address, error)

    def adopt(self, muxed: MuxedConnection) -> SwarmConnection:
        """Make a connection that a transport gave this swarm's; one that is refused is closed.

        Raises:
            ResourceLimitError: there is no room for it, or nobody may be there.
        """
        peer = muxed.remote_peer
        try:
            self._check_room(peer, muxed.remote_address)
        except ResourceLimitError:
            self._tasks.spawn(muxed.close(), f"refuse {peer}")
            raise
        connection = SwarmConnection(
            muxed,
            opened=self.clock(),
            limits=self.limits,
            speaks=lambda peer, protocol: protocol in self.peers.protocols(peer),
            ledger=self._ledger,
            bandwidth=self.bandwidth,
        )
        connections = self._connections.setdefault(peer, [])
        connections.append(connection)
        connection.watch = self._tasks.spawn(self._watch(connection), f"connection to {peer}")
        muxed.start(lambda stream: self._serve_stream(connection, stream))
        if len(connections) == 1:
            self.emit(PeerConnected(peer))
        for listener in self._on_connection:
            listener(connection)
        if len(self.connections) > self.limits.high_water:
            self._trim_soon(0.0)
        return connection

    def _trim_soon(self, delay: float) -> None:
        if self._trimming is None:
            self._trimming = asyncio.get_running_loop().call_later(delay, self._trim)

    def _trim(self) -> None:
        """Close the least useful connections when there are too many."""
        self._trimming = None
        limits = self.limits
        staying = [connection for connection in self.connections if not connection.closing]
        going = excess(
            ((connection, self._judge(connection)) for connection in staying),
            high=limits.high_water,
            low=limits.low_water,
            grace=limits.grace,
            now=self.clock(),
        )
        for connection in going:
            self.spawn(connection.close("too many connections"), f"close {connection.remote_peer}")
        if len(staying) - len(going) > limits.high_water:
            self._trim_soon(limits.grace)  # the rest is young, or protected

    def _judge(self, connection: SwarmConnection) -> Candidate:
        peer = connection.remote_peer
        worth = Worth(
            is_only=len(self._connections[peer]) == 1,
            is_direct=not connection.is_limited,
            streams=connection.stream_count,
            is_outbound=connection.direction is Direction.OUTBOUND,
            used=connection.used,
        )
        return Candidate(worth, connection.opened, is_protected=peer in self._protected)

    def _check_room(self, peer: PeerId, address: Multiaddr) -> None:
        if (refusal := self._admission.refusal(peer)) is not None:
            raise ResourceLimitError(f"it {refusal}")
        if (refusal := self.address_refusal(address)) is not None:
            raise ResourceLimitError(refusal)
        if self._is_closed:
            raise ResourceLimitError("this node is closed")
        count, limit = len(self.connections), self.limits.connections
        if count >= limit:
            raise ResourceLimitError(f"{count + 1} connections, the limit is {limit}")
        count, limit = len(self._connections.get(peer, ())), self.limits.connections_per_peer
        if count >= limit:
            raise ResourceLimitError(f"{count + 1} connections with {peer}, the limit is {limit}")

    async def _watch(self, connection: SwarmConnection) -> None:
        """See a connection end."""
        reason = await connection.muxed.wait_closed()
        reason = connection.closing or reason
        peer = connection.remote_peer
        connection.end()
        _LOG.info("connection with %s at %s ended: %s", peer, connection.remote_address, reason)
        self._connections[peer].remove(connection)
        if not self._connections[peer]:
            del self._connections[peer]
            self._complaints.forget(peer)
            self.emit(PeerDisconnected(peer, reason))

    # Streams that peers open

    def handle(self, protocol: str, handler: StreamHandler, *, allow_limited: bool = False) -> None:
        if protocol in self._handlers:
            raise LocalProtocolError(f"{protocol} has a handler")
        self._handlers[protocol] = _Handler(handler, allow_limited)
        self._tell_protocols()

    def unhandle(self, protocol: str) -> None:
        if self._handlers.pop(protocol, None) is not None:
            self._tell_protocols()

    def _tell_protocols(self) -> None:
        for listener in self._on_protocols:
            listener()

    @property
    def protocols(self) -> Sequence[str]:
        """What is answered here."""
        return tuple(self._handlers)

    def _serve_stream(self, connection: SwarmConnection, muxed: MuxedStream) -> None:
        peer = connection.remote_peer
        try:
            self._ledger.open_inbound(peer)
        except ResourceLimitError as error:
            muxed.reset()
            self._complain(connection, error)
            return
        if self._is_closed:
            muxed.reset()
            self._ledger.close_inbound(peer, None)
            return
        self._tasks.spawn(self._serve(connection, muxed), f"stream of {peer}")

    def _complain(self, connection: SwarmConnection, error: ResourceLimitError) -> None:
        """Say once that a peer wants too much, however often it does."""
        peer, address = connection.remote_peer, connection.remote_address
        if self._complaints.is_news(peer, "streams"):
            _LOG.info("refused streams of %s at %s: %s", peer, address, error)

    async def _serve(self, connection: SwarmConnection, muxed: MuxedStream) -> None:
        peer = connection.remote_peer
        stream = None
        try:
            stream = await self._negotiate(connection, muxed)
        finally:
            if stream is None:
                muxed.reset()
                self._ledger.close_inbound(peer, None)
        if stream is not None and (handler := self._handlers.get(stream.protocol)) is not None:
            await self._call(handler.call, stream)
        elif stream is not None:
            stream.reset()  # the handler went away while the answer was sent

    async def _negotiate(self, connection: SwarmConnection, muxed: MuxedStream) -> SwarmStream | None:
        peer = connection.remote_peer
        try:
            async with asyncio.timeout(self.limits.naming_time):
                protocol, ahead = await agree(muxed, lambda name: self._speaks(name, connection))
            self._ledger.agree_inbound(peer, protocol)
        except RemoteProtocolError as error:
            if self._complaints.is_news(peer, "naming"):
                _LOG.info("stream of %s came to nothing: %s", peer, error)
            return None
        except (TransportError, TimeoutError) as error:
            _LOG.debug("stream of %s came to nothing: %s", peer, str(error) or "no protocol in time")
            return None
        except ResourceLimitError as error:
            self._complain(connection, error)
            return None
        return connection.add(muxed, Direction.INBOUND, protocol, ahead=ahead)

    async def _call(self, handler: StreamHandler, stream: SwarmStream) -> None:
        """Run a handler to its end; how it ends is how the stream does."""
        peer, protocol = stream.connection.remote_peer, stream.protocol
        try:
            await handler(stream)
            await stream.close()
        except TransportError as error:
            stream.reset()
            _LOG.debug("%s with %s broke off: %s", protocol, peer, error)
        except (RemoteProtocolError, ResourceLimitError, TimeoutError) as error:
            stream.reset()
            if self._complaints.is_news(peer, protocol):
                _LOG.info("%s with %s was given up: %s", protocol, peer, str(error) or "it took too long")
        except asyncio.CancelledError:
            stream.reset()
            raise
        except Exception:  # noqa: BLE001 -- whatever is wrong in a handler, the others go on
            stream.reset()
            _LOG.exception("handler of %s failed with %s", protocol, peer)

    def _speaks(self, protocol: str, connection: SwarmConnection) -> bool:
        handler = self._handlers.get(protocol)
        return handler is not None and (handler.allow_limited or not connection.is_limited)

    # Events

    def subscribe(self, listener: Callable[[HostEvent], None]) -> Callable[[], None]:
        key = object()
        self._subscribers[key] = listener
        return lambda: self._subscribers.pop(key, None) and None

    def emit(self, event: HostEvent) -> None:
        """Tell every subscriber. One that raises is told of in the log and does not keep it from the others."""
        for listener in list(self._subscribers.values()):
            try:
                listener(event)
            except Exception:  # noqa: BLE001 -- the others must be told
                _LOG.exception("a subscriber failed on %s", event)

    def on_connection(self, listener: Callable[[SwarmConnection], None]) -> None:
        """Call `listener` with each connection from now on, the first to a peer or not."""
        self._on_connection.append(listener)

    def on_protocols(self, listener: Callable[[], None]) -> None:
        """Call `listener` when something else is answered here than before."""
        self._on_protocols.append(listener)

    # What parts of the swarm use

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def spawn(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        """Run `coroutine` in a task that ends with the swarm; once that is closed, not at all."""
        if self._is_closed:
            coroutine.close()
        else:
            self._tasks.spawn(coroutine, name)
