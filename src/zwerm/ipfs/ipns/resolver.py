"""From a key to the newest record that can be had: from our own, from memory, from the network, in that order.

Every way to the network is asked at once, and what comes back is verified before it is compared. The newest ever seen
is kept on the disk, so that an older one is never taken for it; past its end of life none is believed, wherever it
lies. When no way answers, what is known and alive is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Sequence

from zwerm.core.errors import WireError, ZwermError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import validator
from zwerm.ipfs.ipns.cache import NameCache
from zwerm.ipfs.ipns.name import routing_key, to_text
from zwerm.ipfs.ipns.record import Record, RecordRefused
from zwerm.ipfs.ipns.routing import RecordRouting
from zwerm.ipfs.ipns.store import RecordStore
from zwerm.ipfs.ipns.timestamp import SECOND


@dataclasses.dataclass(frozen=True, slots=True)
class ResolverConfig:
    """How long to look."""

    patience: float = 30.0  # seconds for all ways together
    after_first: float = 2.0  # seconds the others get once one has answered: a newer record may be on its way
    max_records: int = 64  # looked at for one resolution; a way that yields more is ended
    unknown_kept: float = 10.0  # seconds the answer "no such name" is kept


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A record, and for how many seconds it may be used without looking again."""

    record: Record
    fresh: float


class IpnsResolver:
    """Finds records of keys. Calls for one key share one search."""

    def __init__(
        self,
        store: RecordStore,
        routings: Sequence[RecordRouting],
        *,
        clock: Callable[[], int],
        timer: Callable[[], Instant],
        config: ResolverConfig | None = None,
    ) -> None:
        """Join the parts.

        Args:
            store: the records that are known.
            routings: the ways to ask, of which the owner may add and remove some at any time.
            clock: nanoseconds since 1970.
            timer: monotonic seconds.
            config: how long to look.
        """
        self._store = store
        self._routings = routings
        self._clock = clock
        self._timer = timer
        self._config = config or ResolverConfig()
        self._cache: NameCache[Record] = NameCache()
        self._searches: dict[PeerId, tuple[asyncio.Task[Record | None], list[None]]] = {}

    async def find(self, name: PeerId, *, fresh: bool = False) -> Found | None:
        """Return the newest record of a name that is alive; None when there is none to be had.

        Args:
            name: whose.
            fresh: ask the network even when an answer is still good.

        Raises:
            RecordRefused: records came, and none of them is its holder's word now.
        """
        if not fresh and (kept := self._cache.find(to_text(name), self._timer())) is not None:
            record, left = kept
            if record is None:
                return None
            if record.validity > self._clock():
                return Found(record, min(left, _life(record, self._clock())))
        record = await self._search(name)
        lifetime = self._config.unknown_kept if record is None else freshness(record, self._clock())
        if record is not None or self._routings:
            self._cache.put(to_text(name), record, lifetime, self._timer())
        return None if record is None else Found(record, lifetime)

    def learn(self, name: PeerId, encoded: bytes) -> Record | None:
        """Take an untrusted record that came by itself, by pubsub; return it if it is the newest now.

        Blocks for the disk.

        Raises:
            WireError: no record of that name, or one past its end of life.
        """
        record = validator.check(name, encoded, self._clock())
        if self._store.keep(name, record, self._clock()) is not record:
            return None
        self._cache.put(to_text(name), record, freshness(record, self._clock()), self._timer())
        return record

    def forget(self, name: PeerId) -> None:
        """Look again at the next call."""
        self._cache.remove(to_text(name))

    def forget_all(self) -> None:
        self._cache.clear()

    async def close(self) -> None:
        """End the searches. Who waits for one is cancelled."""
        tasks = [task for task, _ in self._searches.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _search(self, name: PeerId) -> Record | None:
        found = self._searches.get(name)
        if found is None:
            found = asyncio.create_task(self._look(name)), []
            self._searches[name] = found
            found[0].add_done_callback(lambda task: self._ended(name, task))
        task, waiting = found
        waiting.append(None)
        try:
            return await asyncio.shield(task)
        finally:
            waiting.pop()
            if not waiting and not task.done():
                task.cancel()
                self._ended(name, task)

    def _ended(self, name: PeerId, task: asyncio.Task[Record | None]) -> None:
        found = self._searches.get(name)
        if found is not None and found[0] is task:
            del self._searches[name]

    async def _look(self, name: PeerId) -> Record | None:
        best = await asyncio.to_thread(self._store.find, name)
        record, refused = await self._ask(name)
        if record is not None:
            best = await asyncio.to_thread(self._store.keep, name, record, self._clock())
        if best is not None and best.validity > self._clock():
            return best
        if refused is not None:
            raise refused if isinstance(refused, RecordRefused) else RecordRefused(str(refused))
        return None

    async def _ask(self, name: PeerId) -> tuple[Record | None, WireError | None]:
        """Ask every way; return the newest verified record, and what was wrong with the last that was refused."""
        refused: WireError | None = None
        if not self._routings:
            return None, None
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(16)
        tasks = [asyncio.create_task(self._read(routing, name, queue)) for routing in tuple(self._routings)]
        best: Record | None = None
        ended = 0
        deadline = self._timer() + self._config.patience
        try:
            for _ in range(self._config.max_records + len(tasks)):
                async with asyncio.timeout(max(0.0, deadline - self._timer())):
                    encoded = await queue.get()
                if encoded is None:
                    ended += 1
                    if ended == len(tasks):
                        break
                    continue
                try:
                    record = validator.check(name, encoded, self._clock())
                except WireError as error:  # a lie is no answer, and no reason to stop asking
                    refused = error
                    continue
                if best is None:
                    deadline = min(deadline, self._timer() + self._config.after_first)
                if best is None or record.rank > best.rank:
                    best = record
        except TimeoutError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return best, refused

    @staticmethod
    async def _read(routing: RecordRouting, name: PeerId, queue: asyncio.Queue[bytes | None]) -> None:
        with contextlib.suppress(ZwermError):
            async with contextlib.aclosing(routing.find_records(routing_key(name))) as records:
                async for encoded in records:
                    await queue.put(encoded)
        await queue.put(None)


def freshness(record: Record, now: int) -> float:
    """Return the seconds for which a record may be used without looking again: its time to live, at most its life."""
    return min(record.ttl / SECOND, _life(record, now))


def _life(record: Record, now: int) -> float:
    return max(0, record.validity - now) / SECOND
