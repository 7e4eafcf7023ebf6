"""The node's promise to the network: what it has is found, from a moment after it was added until it is removed.

Three ways to the same records. `provide` tells of one root at once, by a look-up of its own: a link that a person
passes on works within a second or two. What else was added waits a moment, and is told zone by zone. And the sweep
tells everything again in 22 hours, before the network forgets after 48.

When nobody can be reached nothing is lost: what is due stays due, and is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, Self

from zwerm.core.errors import ZwermError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.providing.ledger import KeyLedger
from zwerm.ipfs.providing.sweep import WIDTH, Sweep, Zone, assign, parts_of, zone_of
from zwerm.libp2p.kad.key import KEY_LIMIT, Key
from zwerm.libp2p.kad.message import Peer

RETRY: Final = 60.0  # seconds after nobody could be reached
GATHER: Final = 2.0  # seconds that new keys wait for others of their zone
AT_A_TIME: Final = 1_024  # keys that are sorted and sent before others get their turn
MESSAGES: Final = 256  # for one server in one go
SERVERS: Final = 16  # that are told at the same time

_LOG: Final = logging.getLogger(__name__)


class Announcer(Protocol):
    """What is needed of a DHT; `zwerm.libp2p.kad.aio.Kad` is one."""

    async def find_closest(self, preimage: bytes, *, count: int | None = None) -> tuple[Peer, ...]: ...

    async def provide(self, key: bytes, *, is_optimistic: bool = True) -> int: ...

    async def send_provides(self, peers: Iterable[Peer], keys: list[bytes]) -> int: ...


@dataclasses.dataclass(frozen=True, slots=True)
class ProvidingStatistics:
    """What is provided and how far it is."""

    keys: int
    pending: int  # not told yet
    rounds: int  # of the sweep, complete
    progress: float  # share of the key space that this round has passed
    records_sent: int
    lookups: int
    failures: int  # zones that nobody took


class Providing:
    """Keeps the network told. As an async context manager it works inside the block."""

    def __init__(
        self,
        announcer: Announcer,
        *,
        k: int = 20,
        interval: float = 79_200.0,
        held: Callable[[Sequence[bytes]], Sequence[bytes]] | None = None,
    ) -> None:
        """Say nothing yet.

        Args:
            announcer: by whom others are told.
            k: servers that are told of each key.
            interval: seconds of one round.
            held: return those of some multihashes that are still here, in a thread; what is gone is provided no more.
        """
        self._announcer = announcer
        self._held = held
        self._k = k
        self._clock = asyncio.get_running_loop().time
        self._ledger = KeyLedger()
        self._pending = KeyLedger()
        self._sweep = Sweep(self._ledger, interval, self._clock())
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._records_sent = 0
        self._lookups = 0
        self._failures = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._tell_pending(), name="provide what is new"),
            loop.create_task(self._tell_again(), name="reprovide"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def provide(self, multihash: bytes) -> int:
        """Tell of one at once, and keep it told; return how many servers took the record.

        When nobody did, it is tried again by itself.
        """
        self._ledger.add(multihash)
        try:
            stored = await self._announcer.provide(multihash)
        except ZwermError as error:
            _LOG.info("could not be provided at once: %s", error)
            stored = 0
        self._records_sent += stored
        if stored:
            self._pending.remove(multihash)
        else:
            self._pending.add(multihash)
        self._changed.set()
        return stored

    def add(self, multihashes: Iterable[bytes]) -> None:
        """Keep these told; the network learns of new ones soon."""
        for multihash in multihashes:
            if self._ledger.add(multihash):
                self._pending.add(multihash)
        self._changed.set()

    def adopt(self, multihashes: Iterable[bytes]) -> None:
        """Keep these told that were told before this node started: they wait for their turn."""
        for multihash in multihashes:
            self._ledger.add(multihash)
        self._changed.set()

    def remove(self, multihashes: Iterable[bytes]) -> None:
        """Tell of these no more; the network forgets them within 48 hours."""
        for multihash in multihashes:
            self._ledger.remove(multihash)
            self._pending.remove(multihash)

    def tell_again(self) -> None:
        """Tell of everything again now, and not when its turn comes."""
        step = KEY_LIMIT // 256  # a part of a million keys at a time
        for start in range(0, KEY_LIMIT, step):
            for _, multihash in self._ledger.between(start, start + step):
                self._pending.add(multihash)
        self._changed.set()

    def clear_pending(self) -> int:
        """Leave what waits to be told now to its turn in the round; return how much that is."""
        count, self._pending = len(self._pending), KeyLedger()
        return count

    def is_kept(self, multihash: bytes) -> bool:
        """Whether others are kept told of it, as far as they can be reached."""
        return multihash in self._ledger

    def is_pending(self, multihash: bytes) -> bool:
        """Whether others have yet to be told of it."""
        return multihash in self._pending

    def statistics(self) -> ProvidingStatistics:
        return ProvidingStatistics(
            keys=len(self._ledger),
            pending=len(self._pending),
            rounds=self._sweep.rounds,
            progress=self._sweep.cursor / KEY_LIMIT,
            records_sent=self._records_sent,
            lookups=self._lookups,
            failures=self._failures,
        )

    async def _tell_pending(self) -> None:
        while True:
            found = self._pending.first_from(0)
            if found is None:
                self._changed.clear()
                await self._changed.wait()
                await asyncio.sleep(GATHER)
                continue
            zone = await self._tell_zone(found, self._pending)
            if zone is None:
                await asyncio.sleep(RETRY)
                continue
            for _, multihash in self._pending.between(*zone):
                self._pending.remove(multihash)

    async def _tell_again(self) -> None:
        while True:
            target = self._sweep.next_target(self._clock())
            if target is None:
                await self._wait_until(self._sweep.next_due())
                continue
            zone = await self._tell_zone(target, self._ledger)
            if zone is None:
                await asyncio.sleep(RETRY)
            else:
                self._sweep.done(zone)

    async def _wait_until(self, due: Instant | None) -> None:
        """Wait for an instant, or, when there is none, for something to provide."""
        if due is not None:
            await asyncio.sleep(max(0.0, due - self._clock()))
            return
        self._changed.clear()
        await self._changed.wait()

    async def _tell_zone(self, target: tuple[Key, bytes], ledger: KeyLedger) -> Zone | None:
        """Look up one key and tell of all in its zone from that key on.

        Returns the stretch that was told, or None when nobody took anything. It goes part by part, so that a network of
        few servers, which is one zone, does not have a million keys sorted at once.
        """
        self._lookups += 1
        wanted, done = WIDTH * self._k, target[0]
        try:
            servers = await self._announcer.find_closest(target[1], count=wanted)
            zone = Zone(target[0], zone_of(target[0], servers, wanted).end)
            keys: list[tuple[Key, bytes]] = []
            for part in parts_of(zone) if servers else ():
                keys += ledger.between(*part)
                if len(keys) < AT_A_TIME and part.end < zone.end:
                    continue
                keys = await self._still_held(keys)
                if keys:
                    sent = await self._send(servers, assign(keys, servers, self._k))
                    self._records_sent += sent
                    if not sent:
                        break
                done, keys = part.end, []
        except ZwermError as error:
            _LOG.info("could not be provided: %s", error)
        if done == target[0]:
            self._failures += 1
            return None
        return Zone(target[0], done)

    async def _still_held(self, keys: list[tuple[Key, bytes]]) -> list[tuple[Key, bytes]]:
        if self._held is None or not keys:
            return keys
        held = set(await asyncio.to_thread(self._held, [multihash for _, multihash in keys]))
        self.remove(multihash for _, multihash in keys if multihash not in held)
        return [entry for entry in keys if entry[1] in held]

    async def _send(self, servers: Iterable[Peer], told: dict[PeerId, list[bytes]]) -> int:
        slots = asyncio.Semaphore(SERVERS)

        async def send(server: Peer, keys: list[bytes]) -> int:
            sent = 0
            for start in range(0, len(keys), MESSAGES):
                async with slots:
                    taken = await self._announcer.send_provides([server], keys[start : start + MESSAGES])
                sent += taken
                if not taken:
                    break  # it is gone: the rest would only wait for that too
            return sent

        counts = await asyncio.gather(*(send(server, told[server.peer]) for server in servers if server.peer in told))
        return sum(counts)
