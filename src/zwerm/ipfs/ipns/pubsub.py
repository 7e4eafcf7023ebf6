"""IPNS over pubsub (specs.ipfs.tech, "IPNS PubSub Router"): who follows a name hears of a new record at once.

Each name is a topic. The topic's records are judged before they are passed on, and pubsub keeps nothing, so whoever
comes to a topic asks the peers on it for what it missed, by the fetch protocol. A name is followed from the first time
that somebody here resolves or publishes it; of too many the one used longest ago is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final, Self

from zwerm.core.errors import TransportError, WireError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import name as names
from zwerm.ipfs.ipns import validator
from zwerm.ipfs.ipns.record import Record
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.fetch.aio import answer_fetches, fetch
from zwerm.libp2p.gossipsub.aio import Pubsub, Subscription
from zwerm.libp2p.gossipsub.event import PeerSubscribed
from zwerm.libp2p.gossipsub.message import Message
from zwerm.libp2p.gossipsub.router import Outcome
from zwerm.libp2p.host import Host, HostEvent, PeerDisconnected
from zwerm.libp2p.swarm.tasks import Tasks

MAX_NAMES: Final = 256  # followed at once
_ASKED: Final = 8  # peers of a topic that one resolution asks
_PATIENCE: Final = 5.0  # seconds for one of them
_FETCHES: Final = 16  # under way because peers came to topics; more are not asked

_LOG: Final = logging.getLogger(__name__)


class IpnsPubsub:
    """A `RecordRouting`. As an async context manager it runs inside the block."""

    label = "pubsub"

    def __init__(
        self,
        host: Host,
        pubsub: Pubsub,
        *,
        known: Callable[[PeerId], Awaitable[Record | None]],
        learn: Callable[[PeerId, bytes], Awaitable[Record | None]],
        clock: Callable[[], int],
    ) -> None:
        """Join the parts.

        Args:
            host: whose peers are asked.
            pubsub: runs on the same host.
            known: the newest record of a name that is here.
            learn: takes a record that came; returns it if it is the newest now. Raises WireError.
            clock: nanoseconds since 1970.
        """
        self._host = host
        self._pubsub = pubsub
        self._known = known
        self._learn = learn
        self._clock = clock
        self._followed: OrderedDict[PeerId, Subscription] = OrderedDict()
        self._newest: dict[PeerId, Record] = {}  # of the followed names
        self._tasks = Tasks()
        self._fetching = 0
        self._complaints = Complaints()
        self._stack = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        self._stack.callback(self._host.subscribe(self._on_event))
        self._stack.callback(answer_fetches(self._host, self._lookup))
        self._stack.callback(self._pubsub.listen(self._on_subscribed))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stack.close()
        for subscription in self._followed.values():
            subscription.close()
        await self._tasks.close()

    @property
    def followed(self) -> list[PeerId]:
        """The names whose topics we are on."""
        return sorted(self._followed)

    def leave(self, name: PeerId) -> bool:
        """Follow a name no more; return whether we did."""
        subscription = self._followed.pop(name, None)
        self._newest.pop(name, None)
        if subscription is None:
            return False
        subscription.close()
        return True

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        """Follow the name, and yield what the peers on its topic have; see `RecordRouting`."""
        name = names.from_routing_key(key)
        await self._follow(name)
        peers = self._pubsub.peers(names.topic(name))[:_ASKED]
        tasks = [asyncio.create_task(self._ask(peer, key)) for peer in peers]
        try:
            for task in asyncio.as_completed(tasks):
                if (record := await task) is not None:
                    yield record
        finally:
            for started in tasks:
                started.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def put_record(self, key: bytes, record: bytes) -> None:
        """Publish a record on its topic; see `RecordRouting`. TransportError when nobody is on it."""
        name = names.from_routing_key(key)
        await self._follow(name)
        with contextlib.suppress(WireError):
            self._note(name, validator.check(name, record, self._clock()))
        topic = names.topic(name)
        await self._pubsub.publish(topic, record)
        if not self._pubsub.peers(topic):
            raise TransportError("no peer follows this name")

    async def _follow(self, name: PeerId) -> None:
        if name in self._followed:
            self._followed.move_to_end(name)
            return
        if (record := await self._known(name)) is not None:
            self._note(name, record)
        if name in self._followed:  # somebody else did meanwhile
            return
        subscription = self._pubsub.subscribe(names.topic(name), self._judge)
        self._followed[name] = subscription
        self._tasks.spawn(self._read(name, subscription), f"ipns pubsub {name}")
        if len(self._followed) > MAX_NAMES:
            self.leave(next(iter(self._followed)))

    def _judge(self, message: Message, peer: PeerId) -> Outcome:
        try:
            name = names.from_topic(message.topic)
            record = validator.check(name, message.data, self._clock())
        except WireError:
            return Outcome.REJECT
        newest = self._newest.get(name)
        if newest is not None and record.rank <= newest.rank:
            return Outcome.IGNORE  # nobody's fault: it was the newest where it came from
        self._look_into(peer, record)
        self._note(name, record)
        return Outcome.ACCEPT

    def _look_into(self, peer: PeerId, record: Record) -> None:
        """Say once of a peer that what it gives is from the future."""
        doubt = validator.doubt(record, self._clock())
        if doubt is not None and self._complaints.is_news(peer, "doubt"):
            _LOG.info("%s gave for a name: %s", peer, doubt)

    def _on_event(self, event: HostEvent) -> None:
        if isinstance(event, PeerDisconnected):
            self._complaints.forget(event.peer)

    def _note(self, name: PeerId, record: Record) -> None:
        newest = self._newest.get(name)
        if newest is None or record.rank > newest.rank:
            self._newest[name] = record

    async def _read(self, name: PeerId, subscription: Subscription) -> None:
        async for delivered in subscription:
            if delivered.source == self._host.peer_id:
                continue
            try:
                await self._learn(name, delivered.message.data)
            except ZwermError as error:
                _LOG.info("a record of %s was not kept: %s", name, error)

    async def _ask(self, peer: PeerId, key: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                encoded = await fetch(self._host, peer, key)
                if encoded is not None:
                    self._look_into(peer, validator.check(names.from_routing_key(key), encoded, self._clock()))
                return encoded
        except (ZwermError, TimeoutError) as error:
            _LOG.debug("%s did not say what it has: %s", peer, error)
            return None

    def _on_subscribed(self, event: PeerSubscribed) -> None:
        """Ask whoever comes to a topic of ours what it has ("Layering persistence onto libp2p PubSub")."""
        if not event.wanted or not event.topic.startswith(names.TOPIC_PREFIX) or self._fetching >= _FETCHES:
            return
        try:
            name = names.from_topic(event.topic)
        except WireError:
            return
        if name in self._followed:
            self._fetching += 1
            self._tasks.spawn(self._catch_up(name, event.peer), f"ipns fetch {name}")

    async def _catch_up(self, name: PeerId, peer: PeerId) -> None:
        try:
            encoded = await self._ask(peer, names.routing_key(name))
            if encoded is None:
                return
            record = await self._learn(name, encoded)
            if record is not None and name in self._followed:
                self._note(name, record)
                await self._pubsub.publish(names.topic(name), record.encoded)
        except ZwermError as error:
            _LOG.debug("%s has no record of %s that can be used: %s", peer, name, error)
        finally:
            self._fetching -= 1

    async def _lookup(self, key: bytes) -> bytes | None:
        """Give the newest record of a name to who asks; the key is untrusted."""
        try:
            name = names.from_routing_key(key)
        except WireError:
            return None
        record = await self._known(name)
        return record.encoded if record is not None and record.validity > self._clock() else None
