"""One way to find things, and several as one.

A `Router` is a DHT, or a server that is asked over HTTP. `Routing` asks all it has at the same time and gives what
comes first, so that a slow way costs nothing while another one knows. To names each router is a way of its own (it is
a `RecordRouting` of `zwerm.ipfs.ipns`), since they compare records and say which way took one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

from zwerm.core.errors import TransportError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.providing.providing import Providing
from zwerm.libp2p.kad.validator import Namespaces
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

MAX_PROVIDERS: Final = 1_024  # told of one search
_QUEUE: Final = 64  # providers that wait for the caller; routers wait then too

T = TypeVar("T")


class Router(Protocol):
    """One way. Every method may raise ZwermError: this way is closed now, others may know."""

    @property
    def label(self) -> str:
        """What people call it, such as `dht`."""
        ...

    def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        """Yield who has the content, as they are found."""
        ...

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        """Return where a peer is; empty when this way does not know."""
        ...

    def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        """Yield untrusted records kept under a routing key, as they come."""
        ...

    async def put_record(self, key: bytes, record: bytes) -> None:
        """Spread a record; an error when nobody took it."""
        ...


class Routing:
    """All ways at once; `zwerm.ipfs.exchange` finds providers by it."""

    def __init__(
        self, routers: Sequence[Router], validators: Namespaces, *, providing: Providing | None = None
    ) -> None:
        """Join `routers`; the list may grow and shrink later."""
        self.routers = list(routers)
        self.providing = providing
        self._validators = validators

    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        """Yield providers as they are found, each once, or twice when its addresses came later.

        It ends when nobody is left to ask. Closing it ends every search. A way that fails is passed over.
        """
        queue: asyncio.Queue[Provider | None] = asyncio.Queue(_QUEUE)

        async def search(router: Router) -> None:
            try:
                async with contextlib.aclosing(router.find_providers(cid)) as providers:
                    async for provider in providers:
                        await queue.put(provider)
            except ZwermError:
                return
            finally:
                ended[0] += 1
                if ended[0] == len(tasks):
                    with contextlib.suppress(asyncio.QueueFull):  # full: the reader looks at `ended` after the last
                        queue.put_nowait(None)

        ended = [0]
        known: dict[PeerId, bool] = {}  # whether it was told with addresses
        tasks = [asyncio.create_task(search(router), name=f"ask {router.label}") for router in self.routers]
        try:
            while len(known) < MAX_PROVIDERS and (ended[0] < len(tasks) or not queue.empty()):
                provider = await queue.get()
                if provider is None:
                    continue
                told = known.get(provider.peer)
                if told is None or (provider.addresses and not told):
                    known[provider.peer] = bool(provider.addresses)
                    yield provider
        finally:
            await _end(tasks)

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        """Return where a peer is, as the first way that knows says; empty when none does."""
        return await self._first(lambda router: router.find_peer(peer), bool) or ()

    async def find_value(self, key: bytes) -> bytes | None:
        """Return the best valid record of a routing key, of all ways; None when there is none.

        Raises:
            WireError: a key of no namespace that is known here.
        """
        best: bytes | None = None
        for values in await asyncio.gather(*(_collect(router, key) for router in self.routers)):
            for value in values:
                with contextlib.suppress(ZwermError):
                    self._validators.validate(key, value)
                    if best is None or self._validators.is_better(key, value, best):
                        best = value
        return best

    async def put_value(self, key: bytes, value: bytes) -> list[str]:
        """Put a record by every way; return the labels of those that took it.

        Raises:
            WireError: the record is not valid; it was not sent.
            TransportError: no way took it; the message says why of each.
        """
        self._validators.validate(key, value)
        outcomes = await asyncio.gather(
            *(router.put_record(key, value) for router in self.routers), return_exceptions=True
        )
        reasons = []
        for router, outcome in zip(self.routers, outcomes, strict=True):
            if isinstance(outcome, ZwermError):
                reasons.append(f"{router.label}: {outcome}")
            elif isinstance(outcome, BaseException):
                raise outcome
        if len(reasons) == len(self.routers):
            raise TransportError("nobody took the record: " + ("; ".join(reasons) or "there is nobody to ask"))
        return [router.label for router, outcome in zip(self.routers, outcomes, strict=True) if outcome is None]

    async def provide(self, cid: CID) -> int:
        """Tell at once that we have `cid`, and keep it told; return how many servers were told.

        Raises:
            TransportError: this node tells nobody of anything.
        """
        if self.providing is None:
            raise TransportError("this node tells nobody what it has")
        return await self.providing.provide(cid.multihash)

    async def _first(self, ask: Callable[[Router], Awaitable[T]], is_good: Callable[[T], bool]) -> T | None:
        tasks = [asyncio.ensure_future(ask(router)) for router in self.routers]
        try:
            for done in asyncio.as_completed(tasks):
                with contextlib.suppress(ZwermError):
                    answer = await done
                    if is_good(answer):
                        return answer
        finally:
            await _end(tasks)
        return None


async def _collect(router: Router, key: bytes) -> list[bytes]:
    values: list[bytes] = []
    with contextlib.suppress(ZwermError):
        async with contextlib.aclosing(router.find_records(key)) as records:
            async for record in records:
                values.append(record)  # noqa: PERF401  # what came before a failure counts
    return values


async def _end(tasks: Sequence[asyncio.Future[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
