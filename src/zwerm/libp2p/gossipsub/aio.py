"""Pubsub on a `Host`: streams to and from each peer that speaks it, one timer, and subscriptions to read from.

    async with Pubsub(host) as pubsub:
        async with pubsub.subscribe("news") as messages:
            await pubsub.publish("news", b"hello")
            async for message in messages: ...

Each side opens a stream of its own and only writes on it (libp2p specs, pubsub/README.md, "Stream management").
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, Self

from zwerm.core.errors import WireError, ZwermError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.framing import MessageReader, write_message
from zwerm.libp2p.gossipsub.config import PROTOCOLS, GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.event import Delivered, DialWanted, Misbehaved, PeerSubscribed
from zwerm.libp2p.gossipsub.message import MAX_RPC
from zwerm.libp2p.gossipsub.router import Gossipsub, Outcome, Validator
from zwerm.libp2p.host import Host, HostEvent, PeerConnected, PeerDisconnected, PeerIdentified
from zwerm.libp2p.identify.peer_record import PeerRecord
from zwerm.libp2p.stream import Direction, Stream
from zwerm.libp2p.swarm.tasks import Tasks

MAX_WAITING: Final = 4_194_304  # bytes of frames that wait for one peer to read
MAX_UNREAD: Final = 256  # messages of a subscription that nobody read yet; the oldest go first
_RECORD_LIFETIME: Final = 600.0  # seconds that an offered peer's addresses are kept
_DIALS: Final = 8  # to offered peers, at once

_LOG: Final = logging.getLogger(__name__)


class Subscription:
    """The messages of a topic, from now on. As an async context manager it ends with its block."""

    def __init__(self, topic: str, cancel: Callable[[Subscription], None]) -> None:
        """Made by `Pubsub.subscribe`."""
        self.topic = topic
        self.dropped = 0  # messages that nobody read in time
        self._cancel = cancel
        self._messages: deque[Delivered] = deque()
        self._arrived = asyncio.Event()
        self._is_closed = False

    def put(self, message: Delivered) -> None:
        if len(self._messages) >= MAX_UNREAD:
            self._messages.popleft()
            self.dropped += 1
        self._messages.append(message)
        self._arrived.set()

    def close(self) -> None:
        """End the iteration once what arrived is read. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            self._cancel(self)
            self._arrived.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Delivered]:
        return self

    async def __anext__(self) -> Delivered:
        """Return the next message. Cancelling loses none."""
        while not self._messages:
            if self._is_closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()


class _Writer:
    """Frames on their way to one peer; a peer that does not read loses those that do not fit."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.dropped = 0
        self._frames: deque[bytes] = deque()
        self._size = 0
        self._arrived = asyncio.Event()

    def put(self, frame: bytes) -> bool:
        """Return whether it fits."""
        if self._size + len(frame) > MAX_WAITING:
            self.dropped += 1
            return False
        self._size += len(frame)
        self._frames.append(frame)
        self._arrived.set()
        return True

    async def run(self) -> None:
        while True:
            while self._frames:
                frame = self._frames.popleft()
                self._size -= len(frame)
                await write_message(self.stream, frame)
            self._arrived.clear()
            await self._arrived.wait()


class Pubsub:
    """A router on a host. As an async context manager it runs inside the block."""

    def __init__(
        self,
        host: Host,
        config: GossipsubConfig | None = None,
        scores: ScoreConfig | None = None,
        *,
        random: Random = SYSTEM,
    ) -> None:
        self._host = host
        self._clock = asyncio.get_running_loop().time
        self.router = Gossipsub(host.key, config, scores, now=self._clock(), random=random, record_of=self._record_of)
        self._tasks = Tasks()
        self._complaints = Complaints()
        self._writers: dict[PeerId, _Writer] = {}
        self._opening: dict[PeerId, asyncio.Event] = {}
        self._dials = 0
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._listeners: list[Callable[[PeerSubscribed], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stack = contextlib.ExitStack()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        for protocol in PROTOCOLS:
            self._host.handle(protocol, self._serve)
            self._stack.callback(self._host.unhandle, protocol)
        self._stack.callback(self._host.subscribe(self._on_event))
        for connection in self._host.connections:
            self._look_at(connection.remote_peer, self._host.peers.protocols(connection.remote_peer))
        self._pump()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every stream of ours and every subscription. Idempotent."""
        self._is_closed = True
        self._stack.close()
        if self._timer is not None:
            self._timer.cancel()
        for subscriptions in list(self._subscriptions.values()):
            for subscription in list(subscriptions):
                subscription.close()
        await self._tasks.close()

    def subscribe(self, topic: str, validator: Validator | None = None) -> Subscription:
        """Want a topic, and read its messages from what is returned; several readers of a topic each get all.

        Args:
            topic: its name.
            validator: judges each message before it is delivered or passed on; one for the topic, the last given.

        Raises:
            LocalProtocolError: see `Gossipsub.subscribe`.
        """
        self.router.subscribe(topic, self._now, validator)
        subscription = Subscription(topic, self._unsubscribe)
        self._subscriptions.setdefault(topic, []).append(subscription)
        self._pump()
        return subscription

    async def publish(self, topic: str, data: bytes) -> bytes:
        """Send a message to whoever wants the topic; return its ID. LocalProtocolError as `Gossipsub.publish`."""
        message_id = self.router.publish(topic, data, self._now)
        self._pump()
        return message_id

    @property
    def topics(self) -> list[str]:
        """What we want."""
        return self.router.topics

    def peers(self, topic: str | None = None) -> list[PeerId]:
        """Connected peers that speak pubsub; with a topic, those that want it."""
        return self.router.peers(topic)

    def listen(self, listener: Callable[[PeerSubscribed], None]) -> Callable[[], None]:
        """Call `listener` when a peer wants a topic, or no longer; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _unsubscribe(self, subscription: Subscription) -> None:
        left = self._subscriptions.get(subscription.topic, [])
        if subscription in left:
            left.remove(subscription)
        if not left:
            self._subscriptions.pop(subscription.topic, None)
            self.router.unsubscribe(subscription.topic, self._now)
            self._pump()

    def _on_event(self, event: HostEvent) -> None:
        if isinstance(event, PeerIdentified):
            self._look_at(event.peer, event.protocols)
        elif isinstance(event, PeerConnected):
            self._look_at(event.peer, self._host.peers.protocols(event.peer))
        elif isinstance(event, PeerDisconnected):
            self._drop(event.peer)

    def _look_at(self, peer: PeerId, protocols: frozenset[str]) -> None:
        if self._is_closed or peer in self._writers or peer in self._opening or not protocols.intersection(PROTOCOLS):
            return
        self._opening[peer] = asyncio.Event()
        self._tasks.spawn(self._talk_to(peer), f"pubsub to {peer}")

    async def _talk_to(self, peer: PeerId) -> None:
        """Keep a stream to a peer for as long as it lasts."""
        writer: _Writer | None = None
        try:
            stream = await self._host.open_stream(peer, PROTOCOLS)
            writer = _Writer(stream)
            self.router.add_peer(
                peer,
                stream.protocol,
                self._now,
                is_outbound=stream.connection.direction is Direction.OUTBOUND,
                addresses=_shared_address(stream),
            )
            self._writers[peer] = writer
            self._pump()
            self._opening.pop(peer).set()
            await writer.run()
        except ZwermError as error:
            _LOG.debug("pubsub stream to %s: %s", peer, error)
        finally:
            if (opening := self._opening.pop(peer, None)) is not None:
                opening.set()
            if writer is not None:
                writer.stream.reset()
                if self._writers.get(peer) is writer:
                    del self._writers[peer]
                    self.router.remove_peer(peer, self._now)
                    self._pump()

    def _drop(self, peer: PeerId) -> None:
        writer = self._writers.pop(peer, None)
        if writer is not None:
            writer.stream.reset()
        self._complaints.forget(peer)
        self.router.remove_peer(peer, self._now)
        self._pump()

    async def _serve(self, stream: Stream) -> None:
        """Read what a peer says. Its frames count once ours reach it, or just before."""
        peer = stream.connection.remote_peer
        self._look_at(peer, frozenset({stream.protocol}))
        reader = MessageReader(stream, MAX_RPC)
        try:
            while (frame := await reader.read()) is not None:
                opening = self._opening.get(peer)
                if opening is not None:  # what it says before we count it as a peer would be lost
                    await opening.wait()
                self.router.receive(peer, frame, self._now)
                self._pump()
        except WireError as error:
            self._complain(peer, f"what is no frame: {error}")
            stream.reset()

    def _complain(self, peer: PeerId, reason: str) -> None:
        """Say once what a peer does wrong, however often it does."""
        if self._complaints.is_news(peer, reason):
            _LOG.info("pubsub: of %s: %s", peer, reason)

    def _record_of(self, peer: PeerId) -> bytes:
        return self._host.peers.signed_record(peer) or b""

    @property
    def _now(self) -> Instant:
        return self._clock()

    def _pump(self) -> None:
        """Carry out what the router wants, and set the timer."""
        while (transmit := self.router.next_transmit()) is not None:
            writer = self._writers.get(transmit[0])
            if writer is not None and not writer.put(transmit[1]):
                self._complain(transmit[0], f"it does not read; {MAX_WAITING} bytes wait for it")
        while (event := self.router.next_event()) is not None:
            if isinstance(event, Delivered):
                for subscription in self._subscriptions.get(event.message.topic, ()):
                    subscription.put(event)
            elif isinstance(event, PeerSubscribed):
                for listener in list(self._listeners):
                    listener(event)
            elif isinstance(event, DialWanted):
                self._dial(event)
            elif isinstance(event, Misbehaved):
                self._complain(event.peer, event.reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.router.next_timeout()
        if due is not None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self.router.handle_timeout(self._now)
        self._pump()

    def _dial(self, event: DialWanted) -> None:
        if self._is_closed or self._dials >= _DIALS:
            return
        if event.record:
            try:
                record = PeerRecord.open_untrusted(event.record)
            except WireError as error:
                _LOG.debug("pubsub: a record of %s that is none: %s", event.peer, error)
                return
            if record.peer != event.peer:
                return
            self._host.peers.add_addresses(event.peer, record.addresses, _RECORD_LIFETIME)
        self._dials += 1
        self._tasks.spawn(self._connect(event.peer), f"pubsub dials {event.peer}")

    async def _connect(self, peer: PeerId) -> None:
        try:
            await self._host.connect(peer)
        except ZwermError as error:
            _LOG.debug("pubsub: %s could not be reached: %s", peer, error)
        finally:
            self._dials -= 1


def _shared_address(stream: Stream) -> tuple[str, ...]:
    """Return the address whose sharing by many peers is suspicious: not this machine's own, and no relay's."""
    import ipaddress

    if stream.connection.is_limited:
        return ()
    words = str(stream.connection.remote_address).split("/")
    if len(words) > 2 and words[1] in ("ip4", "ip6"):
        try:
            address = ipaddress.ip_address(words[2])
        except ValueError:
            return ()
        return () if address.is_loopback else (str(address),)
    return ()


__all__ = ["Outcome", "Pubsub", "Subscription"]
