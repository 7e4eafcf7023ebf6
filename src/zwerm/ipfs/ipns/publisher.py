"""Publishing under our own keys: signed, kept, put to every way there is, and put again for as long as the node runs.

A name is published once its record is durable here; from then on it resolves here, with or without a network. Getting
it to others is retried until it works. A record is signed anew, with the same sequence, when half of its life is over
and its key is still here.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from zwerm.core.errors import ZwermError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.name import routing_key
from zwerm.ipfs.ipns.publishing import DEFAULT_LIFETIME, DEFAULT_TTL, needs_renewal, plan
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.republisher import Republisher, RepublisherConfig
from zwerm.ipfs.ipns.resolver import IpnsResolver
from zwerm.ipfs.ipns.routing import RecordRouting
from zwerm.ipfs.ipns.store import RecordStore


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """How a name is published."""

    lifetime: int = DEFAULT_LIFETIME  # nanoseconds until others forget the record, unless it is renewed
    ttl: int = DEFAULT_TTL  # nanoseconds others may keep an answer
    sequence: int | None = None  # None: the next one
    v1_compatible: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Put:
    """How a try to reach others ended."""

    reached: tuple[str, ...]  # labels of the ways that took the record
    failed: tuple[str, ...]  # `label: reason` of the others


class Publisher:
    """The names of one node. Close it, or use it as an asynchronous context manager."""

    def __init__(
        self,
        store: RecordStore,
        resolver: IpnsResolver,
        routings: Sequence[RecordRouting],
        find_key: Callable[[PeerId], PrivateKey | None],
        *,
        clock: Callable[[], int],
        timer: Callable[[], Instant],
        config: RepublisherConfig | None = None,
    ) -> None:
        """Join the parts.

        Args:
            store: where records are kept.
            resolver: told what it would find, and asked for what was published elsewhere under our keys.
            routings: the ways to others, of which the owner may add and remove some; see `network_changed`.
            find_key: the key of one of our names; None when it is gone. Blocks for the disk.
            clock: nanoseconds since 1970.
            timer: monotonic seconds.
            config: how often names are put again.
        """
        self._store = store
        self._resolver = resolver
        self._routings = routings
        self._find_key = find_key
        self._clock = clock
        self._timer = timer
        self._republisher = Republisher(config or RepublisherConfig(), SYSTEM)
        self._signing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._puts: dict[PeerId, asyncio.Task[Put]] = {}

    async def publish(self, key: PrivateKey, path: str, terms: Terms | None = None) -> Record:
        """Let the key's name point at `path`; return the record once it is durable.

        Others learn of it in the background; see `wait_put`.

        Raises:
            LocalProtocolError: a sequence that is not above the last one, or a path so long that nobody would take it.
            StorageError: the record could not be kept; nothing was published.
        """
        terms = terms or Terms()
        name = PeerId.of(key.public)
        async with self._signing:
            if self._routings and await asyncio.to_thread(self._store.find, name) is None:
                with contextlib.suppress(ZwermError):  # what cannot be known is no reason not to publish
                    await self._resolver.find(name, fresh=True)  # a newer one of ours elsewhere is kept by this

            def sign() -> Record:
                now = self._clock()
                last = self._store.find(name)
                sequence, validity = plan(last, path, terms.lifetime, now, terms.sequence)
                record = Record.create(
                    key,
                    path,
                    sequence=sequence,
                    validity=validity,
                    ttl=terms.ttl,
                    v1_compatible=terms.v1_compatible,
                )
                self._store.publish(name, record, terms.lifetime, now)
                return record

            record = await asyncio.to_thread(sign)
        self._resolver.forget(name)
        if self._routings:
            self._republisher.schedule(name, self._timer())
            self._drive()
        return record

    async def wait_put(self, name: PeerId) -> Put | None:
        """Wait for the put of a name that is under way; None when there is none. Cancelling leaves it going on."""
        task = self._puts.get(name)
        return None if task is None else await asyncio.shield(task)

    async def renew(self, name: PeerId) -> Record | None:
        """Sign one of our records anew if it is time and its key is here; return the record there is now, or None."""
        async with self._signing:
            return await asyncio.to_thread(self._renew, name)

    async def withdraw(self, name: PeerId) -> bool:
        """Publish no longer under a name; return whether we did. Others keep its record until the end of its life."""
        async with self._signing:
            self._republisher.remove(name)
            return await asyncio.to_thread(self._store.forget, name)

    async def network_changed(self) -> None:
        """Put every name: there is a way to others that was not there before."""
        for own in await asyncio.to_thread(self._store.all_own):
            self._republisher.schedule(own.name, self._timer())
        self._drive()

    async def close(self) -> None:
        """Stop putting. Idempotent."""
        tasks = [*self._puts.values(), *([self._loop] if self._loop is not None else [])]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    def _renew(self, name: PeerId) -> Record | None:
        own = self._store.own(name)
        if own is None:
            return None
        now = self._clock()
        key = self._find_key(name) if needs_renewal(own, now) else None
        if key is None:
            return own.record
        path = own.record.value.decode()
        sequence, validity = plan(own.record, path, own.lifetime, now)
        compatible = bool(own.record.signature_v1)
        record = Record.create(
            key, path, sequence=sequence, validity=validity, ttl=own.record.ttl, v1_compatible=compatible
        )
        self._store.publish(name, record, own.lifetime, now)
        self._resolver.forget(name)
        return record

    def _drive(self) -> None:
        """Start the puts that are due, and see to the loop that waits for the next."""
        while (event := self._republisher.next_event()) is not None:
            task = asyncio.create_task(self._put(event.name))
            self._puts[event.name] = task
        if self._loop is None:
            self._loop = asyncio.create_task(self._run())
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            due = self._republisher.next_timeout()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - self._timer())):
                    await self._wake.wait()
            self._republisher.handle_timeout(self._timer())
            while (event := self._republisher.next_event()) is not None:
                self._puts[event.name] = asyncio.create_task(self._put(event.name))

    async def _put(self, name: PeerId) -> Put:
        put = Put((), ())
        try:
            record = await self.renew(name)
            if record is None or record.validity <= self._clock():
                self._republisher.remove(name)
                return put
            ways = tuple(self._routings)
            key, encoded = routing_key(name), record.encoded
            ends = await asyncio.gather(*(_attempt(way.put_record(key, encoded)) for way in ways))
            put = Put(
                tuple(way.label for way, end in zip(ways, ends, strict=True) if end is None),
                tuple(f"{way.label}: {end}" for way, end in zip(ways, ends, strict=True) if end is not None),
            )
            return put
        except ZwermError as error:
            put = Put((), (str(error),))
            return put
        finally:
            del self._puts[name]
            self._republisher.done(name, self._timer(), succeeded=bool(put.reached) or not self._routings)
            self._wake.set()


async def _attempt(work: Awaitable[None]) -> ZwermError | None:
    try:
        await work
    except ZwermError as error:
        return error
    return None
