"""A DHT node on a `Host`: streams for requests, one timer, and callers that wait.

async with Kad(host, LAN, validators={"pk": PublicKeyValidator()}, is_server=True) as dht:
    async for provider in dht.find_providers(cid.multihash): ...

Whether it serves is said with `is_server`, or, when that is None, follows what others find out of our reachability. It
tells nobody of itself: a server is found because identify names its protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Final, Self

from zwerm.core.errors import TransportError, WireError, ZwermError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.framing import MessageReader, read_message, write_message
from zwerm.libp2p.host import Host, HostEvent, PeerDisconnected, PeerIdentified, ReachabilityChanged
from zwerm.libp2p.kad.config import WAN, KadConfig
from zwerm.libp2p.kad.dht import Dht, Event, Request
from zwerm.libp2p.kad.message import MAX_REQUEST, MAX_RESPONSE, Peer
from zwerm.libp2p.kad.query import Errand, Found, Result
from zwerm.libp2p.kad.validator import Validator
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.multiformats.multiaddr import Multiaddr

IDLE: Final = 60.0  # seconds that a stream of requests may be silent, or an answer unread
REQUESTS: Final = 128  # under way at once, of all queries
ADDRESS_LIFETIME: Final = 1_800.0  # seconds that addresses heard on the way are kept
FEW: Final = 4  # contacts; while there are fewer, every new one is worth a refresh
_TRICKLE: Final = 65_536  # bytes that a peer may answer where it should not

_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class KadStatistics:
    """What a node of a DHT knows and has done."""

    protocol: str
    is_server: bool
    contacts: int
    buckets: tuple[int, ...]  # contacts by bucket
    network_size: int | None  # estimated; None: not known yet
    provider_records: int
    records: int
    queries: int  # under way
    requests_answered: int
    requests_refused: int
    requests_sent: int


class Kad:
    """One DHT. As an async context manager it runs inside the block."""

    def __init__(
        self,
        host: Host,
        config: KadConfig = WAN,
        *,
        validators: Mapping[str, Validator] | None = None,
        is_server: bool | None = None,
        random: Random = SYSTEM,
    ) -> None:
        self._random = random
        self.dht = Dht(host.peer_id, config, random=random, validators=validators, addresses_of=self._addresses_of)
        self._host = host
        self._config = config
        self._is_fixed = is_server is not None
        self._is_server = False
        self._wants_to_serve = bool(is_server)
        self._clock = asyncio.get_running_loop().time
        self._tasks = Tasks()
        self._slots = asyncio.Semaphore(REQUESTS)
        self._waiting: dict[int, asyncio.Queue[Event]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._refresh_timer: asyncio.TimerHandle | None = None
        self._stack = contextlib.ExitStack()
        self._sent = 0
        self._complaints = Complaints()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        self._stack.callback(self._host.subscribe(self._on_event))
        self.serve(self._wants_to_serve)
        for connection in self._host.connections:
            self._look_at(connection.remote_peer, self._host.peers.protocols(connection.remote_peer))
        self.dht.start_refreshing(self._now)
        self._pump()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every query and every stream of ours. Idempotent."""
        self._is_closed = True
        self.serve(False)  # noqa: FBT003
        self._stack.close()
        for timer in (self._timer, self._refresh_timer):
            if timer is not None:
                timer.cancel()
        await self._tasks.close()

    @property
    def is_server(self) -> bool:
        """Whether others may ask, and find us in tables."""
        return self._is_server

    def serve(self, yes: bool) -> None:
        """Answer requests from now on, or none any more. Identify tells it to those who are connected."""
        if yes == self._is_server:
            return
        self._is_server = yes
        if yes:
            self._host.handle(self._config.protocol, self._serve)
        else:
            self._host.unhandle(self._config.protocol)

    # Questions

    async def find_closest(self, preimage: bytes, *, count: int | None = None) -> tuple[Peer, ...]:
        """Return the servers nearest to a name, nearest first, k or `count` of them; each has answered.

        This and the methods below raise ResourceLimitError when too many queries are under way.
        """
        return (await self._result(self.dht.find_closest(preimage, self._now, count=count))).closest

    async def wander(self) -> tuple[PeerId, ...]:
        """Return servers near some key that nobody chose, each with its addresses remembered: whom one may meet."""
        met = await self.find_closest(self._random.randbytes(32))
        for peer in met:
            self._remember(peer.peer, peer.addresses)
        return tuple(peer.peer for peer in met)

    async def find_peer(self, peer: PeerId) -> tuple[Multiaddr, ...]:
        """Return where a peer is, as others say; empty when nobody knows."""
        found = (await self._result(self.dht.find_peer(peer, self._now))).peer
        return tuple(read_addresses_untrusted(found.addresses)) if found else ()

    async def find_providers(self, key: bytes, *, count: int = 0) -> AsyncGenerator[Peer, None]:
        """Yield who provides the content of a multihash, as they are found; `count` is enough, 0: all there are.

        A provider may come twice: first without addresses, then with. Closing the generator ends the search.
        """
        async with contextlib.aclosing(self._events(self.dht.find_providers(key, self._now, count=count))) as events:
            async for event in events:
                for provider in event.providers if isinstance(event, Found) else ():
                    self._remember(provider.peer, provider.addresses)
                    yield provider

    async def find_values(self, key: bytes, *, quorum: int = 16) -> AsyncGenerator[bytes, None]:
        """Yield valid records of a key, each better than the one before; the last is the best of at least `quorum`.

        Those who have a worse one, or none, are told of the best when the search has ended by itself.
        """
        async with contextlib.aclosing(self._events(self.dht.find_value(key, self._now, quorum=quorum))) as events:
            async for event in events:
                if isinstance(event, Found) and event.value is not None:
                    yield event.value

    async def find_value(self, key: bytes, *, quorum: int = 16) -> bytes | None:
        """Return the best record of a key; None when there is none. See `find_values`."""
        return (await self._result(self.dht.find_value(key, self._now, quorum=quorum))).value

    async def put_value(self, key: bytes, value: bytes) -> int:
        """Put a record to the servers nearest to it; return how many took it.

        Raises:
            WireError: it is not valid.
            OlderRecord: a better one is known here.
        """
        return (await self._result(self.dht.put_value(key, value, self._now))).stored

    async def provide(self, key: bytes, *, is_optimistic: bool = True) -> int:
        """Say at the servers nearest to a multihash that we have it; return how many have been told.

        When optimistic, it returns once enough have, and the rest are told behind it.
        """
        return (await self._result(self.dht.provide(key, self._now, is_optimistic=is_optimistic))).stored

    async def send_provides(self, peers: Iterable[Peer], keys: Sequence[bytes]) -> int:
        """Tell these servers that we provide these multihashes; return how many messages were taken."""
        messages = [self.dht.provider_message(key).serialize() for key in keys]
        errands = [
            Errand(peer.peer, peer.addresses, message, is_answered=False) for peer in peers for message in messages
        ]
        return (await self._result(self.dht.send(errands, self._now))).stored

    def refresh(self) -> None:
        """Refresh the table now."""
        self.dht.start_refreshing(self._now)
        self._pump()

    def contacts(self) -> list[tuple[int, PeerId]]:
        """Return who is in the table, with the number of its bucket, nearest buckets last."""
        return sorted(self.dht.table.buckets())

    def statistics(self) -> KadStatistics:
        dht = self.dht
        estimate = dht.size.estimate(self._now)
        return KadStatistics(
            protocol=self._config.protocol,
            is_server=self._is_server,
            contacts=len(dht.table),
            buckets=tuple(dht.table.bucket_sizes),
            network_size=None if estimate is None else round(estimate),
            provider_records=len(dht.providers),
            records=len(dht.records),
            queries=dht.queries,
            requests_answered=dht.server.answered,
            requests_refused=dht.server.refused,
            requests_sent=self._sent,
        )

    # The machine

    @property
    def _now(self) -> Instant:
        return self._clock()

    async def _events(self, query: int) -> AsyncGenerator[Event, None]:
        """Yield what a query tells, its result last; it is cancelled when nobody listens any more."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._waiting[query] = queue
        is_over = False
        try:
            self._pump()
            while not is_over:
                event = await queue.get()
                is_over = isinstance(event, Result)
                yield event
        finally:
            self._waiting.pop(query, None)
            if not is_over:
                self.dht.cancel(query)

    async def _result(self, query: int) -> Result:
        async with contextlib.aclosing(self._events(query)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event
        raise TransportError("the DHT was closed")

    def _pump(self) -> None:
        """One mutation, then drain."""
        if self._is_closed:
            return
        now = self._now
        while (request := self.dht.next_request(now)) is not None:
            self._tasks.spawn(self._carry(request), f"{self._config.protocol} to {request.peer}")
        while (event := self.dht.next_event()) is not None:
            if (queue := self._waiting.get(event.query)) is not None:
                queue.put_nowait(event)
        if self._timer is not None:
            self._timer.cancel()
        timeout = self.dht.next_timeout()
        loop = asyncio.get_running_loop()
        self._timer = None if timeout is None else loop.call_at(timeout, self._on_time)

    def _on_time(self) -> None:
        self.dht.handle_timeout(self._now)
        self._pump()

    async def _carry(self, request: Request) -> None:
        self._sent += 1
        try:
            async with self._slots, asyncio.timeout(self._config.request_timeout):
                answer = await self._exchange(request)
        except (ZwermError, TimeoutError) as error:
            self.dht.receive_failure(request.number, str(error) or "no answer in time", self._now)
        else:
            self.dht.receive_response(request.number, answer, self._now)
        self._pump()

    async def _exchange(self, request: Request) -> bytes:
        self._remember(request.peer, request.addresses)
        async with await self._host.open_stream(request.peer, [self._config.protocol]) as stream:
            await write_message(stream, request.data)
            if request.is_answered:
                answer = await read_message(stream, MAX_RESPONSE)
                if answer is None:
                    raise WireError("the stream ended before an answer")
                return answer
            await stream.close_write()
            read = 0
            while read < _TRICKLE and (data := await stream.read()):  # it closes when it has taken the message in
                read += len(data)
            return b""

    async def _serve(self, stream: Stream) -> None:
        """Answer requests until the peer has no more. What is wrong with one ends the stream, and the host logs why."""
        reader, sender = MessageReader(stream, MAX_REQUEST), stream.connection.remote_peer
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(IDLE):
                    data = await reader.read()
                if data is None:
                    return
                answer = self.dht.receive_request(sender, data, self._now)
                if (doubt := self.dht.server.doubt) is not None and self._complaints.is_news(sender, "doubt"):
                    _LOG.info("%s put a record into the DHT: %s", sender, doubt)
                if answer is not None:
                    async with asyncio.timeout(IDLE):
                        await write_message(stream, answer)

    # What the host knows

    def _on_event(self, event: HostEvent) -> None:
        match event:
            case PeerIdentified(peer, protocols):
                self._look_at(peer, protocols)
            case PeerDisconnected(peer):
                self._complaints.forget(peer)
            case ReachabilityChanged(is_public) if not self._is_fixed:
                self.serve(bool(is_public))
            case _:
                pass

    def _look_at(self, peer: PeerId, protocols: frozenset[str]) -> None:
        """A peer said what it speaks: a server comes into the table, one that serves no more goes."""
        if self._config.protocol not in protocols:
            self.dht.remove_server(peer, self._now)
            return
        before = len(self.dht.table)
        addresses = [bytes(address) for address in self._host.peers.addresses(peer)]
        if self.dht.add_server(peer, addresses, self._now) and before < FEW and len(self.dht.table) > before:
            _LOG.debug("%s knows %s", self._config.protocol, peer)
            if self._refresh_timer is not None:
                self._refresh_timer.cancel()
            self._refresh_timer = asyncio.get_running_loop().call_later(0.2, self.refresh)

    def _addresses_of(self, peer: PeerId) -> Sequence[bytes]:
        known = self._host.addresses if peer == self._host.peer_id else self._host.peers.addresses(peer)
        return [bytes(address) for address in known]

    def _remember(self, peer: PeerId, addresses: Iterable[bytes]) -> None:
        known = list(read_addresses_untrusted(addresses))
        if known:
            self._host.peers.add_addresses(peer, known, ADDRESS_LIFETIME)


def read_addresses_untrusted(addresses: Iterable[bytes]) -> Iterable[Multiaddr]:
    """Yield those that can be read here; others may name transports that we do not know."""
    for address in addresses:
        with contextlib.suppress(WireError):
            yield Multiaddr.parse(address)
