"""Dials: one for each peer however many ask, its addresses raced, what lost closed.

The first address is tried at once, the next beside it after `Limits.stagger` seconds or as soon as one failed. A dial
ends with the last of its askers, so that cancelling one leaves the others'.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.stream import MuxedConnection
from zwerm.libp2p.swarm.backoff import Backoff
from zwerm.libp2p.swarm.connection import SwarmConnection
from zwerm.libp2p.swarm.limits import Limits
from zwerm.libp2p.swarm.ranking import ranked
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.libp2p.transports.transport import Transport
from zwerm.multiformats.multiaddr import Multiaddr

_NONE: Final[Mapping[Multiaddr, str]] = {}


class Dialer:
    """The dials of one swarm."""

    def __init__(
        self,
        transports: Sequence[Transport],
        *,
        limits: Limits,
        backoff: Backoff,
        tasks: Tasks,
        adopt: Callable[[MuxedConnection], SwarmConnection],
        refusal: Callable[[Multiaddr], str | None] = lambda _: None,
    ) -> None:
        """Make dials for a swarm.

        Args:
            transports: may grow.
            limits: how many at once, and how long.
            backoff: what failed a moment ago.
            tasks: in which the dials run.
            adopt: makes a connection the swarm's, or raises ResourceLimitError.
            refusal: says why an address is not for this node; None: it is.
        """
        self._transports = transports
        self._limits = limits
        self._backoff = backoff
        self._tasks = tasks
        self._adopt = adopt
        self._refusal = refusal
        self._dials: dict[tuple[PeerId, bool], _Dial] = {}
        self._attempts = asyncio.Semaphore(limits.attempts)

    def __len__(self) -> int:
        return len(self._dials)

    async def dial(
        self,
        peer: PeerId,
        addresses: Iterable[Multiaddr],
        *,
        force_direct: bool,
        reasons: Mapping[Multiaddr, str] = _NONE,
    ) -> SwarmConnection:
        """Connect to `peer`, together with whoever else is doing so.

        Args:
            peer: who is to be there.
            addresses: to try.
            force_direct: leave relays out.
            reasons: why other addresses are not tried, to be told when none leads to it.

        Raises:
            DialFailed: no address led to it.
            ResourceLimitError: too many dials, or the connection that came would be one too many.
        """
        key = peer, force_direct
        dial = self._dials.get(key)
        if dial is None or dial.is_over:
            if len(self._dials) >= self._limits.dials:
                raise ResourceLimitError(f"{len(self._dials) + 1} dials at once, the limit is {self._limits.dials}")
            dial = self._dials[key] = _Dial(self, peer, force_direct=force_direct)
            dial.add(addresses, reasons)
            dial.task = self._tasks.spawn(dial.run(), f"dial {peer}")
            dial.task.add_done_callback(partial(self._forget, key, dial))
        else:
            dial.add(addresses, reasons)
        return await dial.wait()

    def _forget(self, key: tuple[PeerId, bool], dial: _Dial, _: asyncio.Task[SwarmConnection]) -> None:
        if self._dials.get(key) is dial:
            del self._dials[key]

    async def close(self) -> None:
        """End every dial, and wait until what it began is closed."""
        tasks = [dial.task for dial in self._dials.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def transport_of(self, address: Multiaddr) -> Transport | None:
        return next((transport for transport in self._transports if transport.can_dial(address)), None)

    def can_dial(self, address: Multiaddr) -> bool:
        return self.transport_of(address) is not None

    async def attempt(self, peer: PeerId, address: Multiaddr, transport: Transport) -> MuxedConnection:
        """Try one address.

        Raises:
            TransportError, RemoteProtocolError: it does not lead to `peer`; it is left alone from now on.
        """
        async with self._attempts:
            try:
                async with asyncio.timeout(self._limits.dial_time):
                    connection = await transport.dial(address, peer)
            except TimeoutError:
                error = TransportError(f"no connection in {self._limits.dial_time:g} s")
                self._backoff.failed(peer, address, str(error))
                raise error from None
            except (TransportError, RemoteProtocolError) as error:
                self._backoff.failed(peer, address, str(error))
                raise
        self._backoff.succeeded(peer, address)
        return connection

    def sort(self, peer: PeerId, addresses: Iterable[Multiaddr]) -> tuple[list[Multiaddr], dict[Multiaddr, str]]:
        """Return which addresses to try, best first, and why the others are not."""
        usable, reasons = [], {}
        for address in addresses:
            if self.transport_of(address) is None:
                reasons[address] = "no transport here dials it"
            elif (refusal := self._refusal(address)) is not None:
                reasons[address] = refusal
            elif (waits := self._backoff.waits(peer, address)) is not None:
                reasons[address] = waits
            else:
                usable.append(address)
        return ranked(usable), reasons


class _Dial:
    """One dial and those who wait for it."""

    task: asyncio.Task[SwarmConnection]

    def __init__(self, dialer: Dialer, peer: PeerId, *, force_direct: bool) -> None:
        self._dialer = dialer
        self._peer = peer
        self._force_direct = force_direct
        self.is_over = False  # who comes now begins another
        self._waiting = 0
        self._seen: set[Multiaddr] = set()
        self._queue: deque[Multiaddr] = deque()
        self._attempts: dict[asyncio.Task[MuxedConnection], Multiaddr] = {}
        self._reasons: dict[Multiaddr, str] = {}

    def add(self, addresses: Iterable[Multiaddr], reasons: Mapping[Multiaddr, str]) -> None:
        """Try these too; `reasons` are those why others are not."""
        self._reasons |= reasons
        new = [address for address in dict.fromkeys(addresses) if address not in self._seen]
        if self._force_direct:
            new = [address for address in new if "p2p-circuit" not in address.names]
        new = new[: self._dialer._limits.addresses_per_dial - len(self._seen)]
        self._seen.update(new)
        usable, unusable = self._dialer.sort(self._peer, new)
        self._queue.extend(usable)
        self._reasons |= unusable

    async def wait(self) -> SwarmConnection:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.is_over = True  # nobody wants it any more; a task that is done stays as it is
                self.task.cancel()

    async def run(self) -> SwarmConnection:
        limits = self._dialer._limits
        try:
            while True:
                if self._queue and len(self._attempts) < limits.attempts_per_dial:
                    self._start(self._queue.popleft())
                if not self._attempts:
                    raise DialFailed(self._explain())
                done, _ = await asyncio.wait(
                    self._attempts, timeout=limits.stagger, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    connection = self._outcome(task)
                    if connection is not None:
                        return self._dialer._adopt(connection)
        finally:
            self.is_over = True
            await self._end_attempts()

    def _start(self, address: Multiaddr) -> None:
        transport = self._dialer.transport_of(address)
        assert transport is not None, address  # noqa: S101 -- `sort` left it in
        attempt = self._dialer.attempt(self._peer, address, transport)
        task = self._dialer._tasks.spawn(attempt, f"dial {self._peer} at {address}")
        self._attempts[task] = address

    def _outcome(self, task: asyncio.Task[MuxedConnection]) -> MuxedConnection | None:
        address = self._attempts.pop(task)
        try:
            return task.result()
        except (TransportError, RemoteProtocolError) as error:
            self._reasons[address] = str(error)
            return None

    async def _end_attempts(self) -> None:
        """Cancel what is under way, and close what came all the same."""
        while self._attempts:
            task, _ = self._attempts.popitem()
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is None:
                await task.result().close()

    def _explain(self) -> str:
        if not self._reasons:
            return f"no address of {self._peer} is known"
        reasons = "; ".join(f"{address}: {reason}" for address, reason in self._reasons.items())
        return f"no address of {self._peer} led to it: {reasons}"
