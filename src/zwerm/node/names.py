"""`node.names`: the names that the node knows, asks for and publishes.

Made with the node and opened by who asks first: most commands need no name. Without a network, one's own names and the
ones seen before resolve at once, and nobody is asked; `add_routing` is how the network's parts say that they are there.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import TYPE_CHECKING

from zwerm.core.errors import WireError
from zwerm.ipfs.names import Names, ResolvedName

if TYPE_CHECKING:
    from zwerm.identity.keys import PrivateKey
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.ipfs.ipns.publisher import Publisher, Put, Terms
    from zwerm.ipfs.ipns.record import Record
    from zwerm.ipfs.ipns.resolver import IpnsResolver
    from zwerm.ipfs.ipns.routing import RecordRouting
    from zwerm.ipfs.ipns.store import OwnRecord, Publication, RecordStore
    from zwerm.node.node import Node


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """What `publish` did."""

    name: PeerId
    record: Record
    put: Put | None  # how others were reached; None: there is no network, or it was not waited for


@dataclasses.dataclass(frozen=True, slots=True)
class _Open:
    store: RecordStore
    resolver: IpnsResolver
    publisher: Publisher
    names: Names
    offline: Names


class NodeNames:
    """Keys and domains, as `NameResolver`, and publishing. Its node closes it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._routings: list[RecordRouting] = []
        self._opened: _Open | None = None
        self._opening = asyncio.Lock()

    async def resolve(self, name: str, *, fresh: bool = False, offline: bool = False) -> ResolvedName:
        """Follow a name to content below /ipfs/.

        Args:
            name: a key in any of its forms, or a domain.
            fresh: ask the network even when an answer is still good.
            offline: ask nobody.

        Raises:
            NameNotFound, ResourceLimitError, WireError, DnsFailed: see `zwerm.ipfs.names.Names`.
        """
        parts = await self._parts()
        await self._renew(parts, name)
        if offline:
            return await parts.offline.resolve(name, fresh=True)  # what is here may have changed
        return await parts.names.resolve(name, fresh=fresh)

    async def step(self, name: str, *, fresh: bool = False, offline: bool = False) -> ResolvedName:
        """Follow a name by one step, which may end below /ipns/; arguments and errors as `resolve`."""
        parts = await self._parts()
        await self._renew(parts, name)
        return await (parts.offline.step(name, fresh=True) if offline else parts.names.step(name, fresh=fresh))

    async def publish(
        self, key: PrivateKey, path: ContentPath, terms: Terms | None = None, *, wait: bool = False
    ) -> Published:
        """Let a key's name point at `path`; return once that is durable here.

        Args:
            key: one of the node's, so that the record can be renewed.
            path: below /ipfs/, or another name.
            terms: for how long, and more.
            wait: until others were reached too, or could not be.

        Raises:
            LocalProtocolError, StorageError: see `Publisher.publish`.
        """
        from zwerm.identity.peer_id import PeerId
        from zwerm.ipfs.ipns.name import to_text

        parts = await self._parts()
        name = PeerId.of(key.public)
        record = await parts.publisher.publish(key, str(path), terms)
        self._node.events.publish("names", {"name": to_text(name), "path": str(path)})
        return Published(name, record, await parts.publisher.wait_put(name) if wait else None)

    async def withdraw(self, name: PeerId) -> bool:
        """Publish no longer under a name; return whether we did."""
        from zwerm.ipfs.ipns.name import to_text

        withdrawn = await (await self._parts()).publisher.withdraw(name)
        if withdrawn:
            self._node.events.publish("names", {"name": to_text(name), "path": None})
        return withdrawn

    async def own(self) -> list[OwnRecord]:
        """Return what the node publishes, each record alive if its key is here."""
        parts = await self._parts()
        for own in await asyncio.to_thread(parts.store.all_own):
            await parts.publisher.renew(own.name)
        return await asyncio.to_thread(parts.store.all_own)

    async def history(self, name: PeerId) -> list[Publication]:
        """Return what a name of ours pointed at, the newest first."""
        return await asyncio.to_thread((await self._parts()).store.history, name)

    async def known(self, name: PeerId) -> Record | None:
        """Return the newest record that is here, alive or not, without asking anybody."""
        return await asyncio.to_thread((await self._parts()).store.find, name)

    async def learn(self, name: PeerId, encoded: bytes) -> Record | None:
        """Take an untrusted record that came by itself; see `IpnsResolver.learn`."""
        return await asyncio.to_thread((await self._parts()).resolver.learn, name, encoded)

    async def add_routing(self, routing: RecordRouting) -> None:
        """Ask and tell others by this way from now on; our names are put to it soon."""
        parts = await self._parts()
        self._routings.append(routing)
        parts.resolver.forget_all()
        await parts.publisher.network_changed()

    def remove_routing(self, routing: RecordRouting) -> None:
        """Use a way no more. One that is not here is left as it is."""
        if routing in self._routings:
            self._routings.remove(routing)

    @property
    def is_online(self) -> bool:
        """Whether there is any way to ask others."""
        return bool(self._routings)

    async def close(self) -> None:
        """End what is under way. Idempotent."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.publisher.close()
            await opened.resolver.close()

    async def _renew(self, parts: _Open, name: str) -> None:
        """Keep a name of ours alive that nobody could renew in time, because the node was not running."""
        from zwerm.ipfs.ipns.name import from_text

        try:
            key = from_text(name)
        except WireError:
            return
        await parts.publisher.renew(key)

    async def _parts(self) -> _Open:
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open)
            return self._opened

    def _open(self) -> _Open:
        from zwerm.ipfs.dnslink.resolver import DnslinkResolver
        from zwerm.ipfs.ipns.publisher import Publisher
        from zwerm.ipfs.ipns.resolver import IpnsResolver
        from zwerm.ipfs.ipns.store import RecordStore
        from zwerm.net.dns import Dns

        node = self._node
        store = RecordStore(node.database)
        clock, timer = time.time_ns, time.monotonic
        resolver = IpnsResolver(store, self._routings, clock=clock, timer=timer)
        alone = IpnsResolver(store, (), clock=clock, timer=timer)
        dns = Dns(node.config.texts("dns.servers"))
        publisher = Publisher(store, resolver, self._routings, node.keys.find_by_peer_id, clock=clock, timer=timer)
        return _Open(
            store,
            resolver,
            publisher,
            Names(resolver, DnslinkResolver(dns, timer=timer)),
            Names(alone, DnslinkResolver(Dns(()), timer=timer)),
        )
