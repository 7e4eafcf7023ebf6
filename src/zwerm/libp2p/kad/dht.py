"""One node of one DHT as a machine: its table, its stores, its queries, and the clocks that keep them fresh.

Theory of operation. Two directions that meet in the routing table only:

* Others ask: `receive_request` gives the answer at once (`server.py`).
* We ask: a command (`find_providers`, `put_value`, ...) makes a query and gives its number. Whoever drives the machine
  takes requests with `next_request`, carries each to its peer, and brings back `receive_response` or `receive_failure`.
  `next_event` tells news (`Found`) and the end (`Result`) of each query; every query that was begun ends with one
  `Result`, unless it was cancelled.

A peer that answered is entered in the table, one that failed gets a strike. Every ten minutes contacts that were silent
are probed, and each bucket, and the neighbourhood of our own key, is looked up. What to reprovide, and when, is not
decided here: `zwerm.ipfs.providing`.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import filter_addresses
from zwerm.libp2p.kad.config import WAN, KadConfig
from zwerm.libp2p.kad.key import Key, key_of, random_preimage
from zwerm.libp2p.kad.lookup import Lookup
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record
from zwerm.libp2p.kad.network_size import NetworkSize
from zwerm.libp2p.kad.provider_store import ProviderStore
from zwerm.libp2p.kad.query import (
    ERRANDS,
    Errand,
    ErrandsQuery,
    Found,
    PeerQuery,
    ProvidersQuery,
    Query,
    Result,
    StoreQuery,
    ValueQuery,
)
from zwerm.libp2p.kad.record_store import RecordStore
from zwerm.libp2p.kad.routing_table import Node, RoutingTable
from zwerm.libp2p.kad.server import Server
from zwerm.libp2p.kad.validator import Namespaces, Validator

MAX_REFRESHED_BUCKET: Final = 13  # a name for a deeper one costs 2**15 hashes; those hold our neighbours anyway
MAX_PROVIDERS: Final = 1_024  # told by one query

Event: TypeAlias = Found | Result


class Timer(enum.Enum):
    """Why the machine wants to be woken."""

    REQUEST = "the oldest request was not answered in time"
    SLOW = "the oldest request that is not slow yet is now"
    QUERY = "the oldest query has run for too long"
    REFRESH = "the routing table is to be refreshed"


class Request(NamedTuple):
    """A message to carry to a peer."""

    number: int
    peer: PeerId
    addresses: tuple[bytes, ...]  # that somebody named for it; untrusted, unread
    data: bytes
    is_answered: bool  # otherwise `receive_response` wants b"" once it is delivered


class _UnderWay(NamedTuple):
    query: int
    peer: PeerId
    errand: Errand | None  # None: the walk's question


class Dht:
    """The machine."""

    def __init__(
        self,
        local: PeerId,
        config: KadConfig = WAN,
        *,
        random: Random,
        validators: Mapping[str, Validator] | None = None,
        addresses_of: Callable[[PeerId], Sequence[bytes]] = lambda _peer: (),
        trace: Trace | None = None,
    ) -> None:
        """Make a node that knows nobody.

        `addresses_of` gives what is known of any peer, ourselves included, from outside this machine.
        """
        self.config = config
        self.local = local
        self.table = RoutingTable(
            key_of(local.multihash),
            k=config.k,
            per_group=config.peers_per_group,
            per_group_in_bucket=config.peers_per_group_in_bucket,
        )
        self.providers = ProviderStore(config)
        self.validators = Namespaces(validators or {})
        self.records = RecordStore(config, self.validators)
        self.size = NetworkSize(config.k)
        self._addresses_of = addresses_of
        self.server = Server(config, local, self.table, self.providers, self.records, self._in_scope, trace=trace)
        self._random = random
        self._trace = trace
        self._key: Key = key_of(local.multihash)
        self._numbers = 0
        self._queries: OrderedDict[int, tuple[Query, Instant]] = OrderedDict()  # with their deadlines, oldest first
        self._requests: OrderedDict[int, tuple[_UnderWay, Instant]] = OrderedDict()
        self._hoped_for: deque[tuple[Instant, int]] = deque()  # when requests will be slow, in that order
        self._ready: OrderedDict[int, None] = OrderedDict()  # queries that may have something to send
        self._events: deque[Event] = deque()
        self._refreshing: deque[bytes] = deque()  # names still to be looked up
        self._refresh_queries: set[int] = set()
        self._timers: TimerTable[Timer] = TimerTable(Timer)

    @property
    def queries(self) -> int:
        """Queries under way, those of refreshing included."""
        return len(self._queries)

    def add_server(self, peer: PeerId, addresses: Sequence[bytes], now: Instant) -> bool:
        """Note a peer that is known to be a server; return whether it is in the table now."""
        usable = filter_addresses(addresses, self.config.scope)
        if not usable or peer == self.local:
            return False
        contact = self.table.find(peer)
        if contact is not None and contact.node.addresses == usable:
            return self.table.add(contact.node, now)
        return self.table.add(Node(peer, usable), now)

    def remove_server(self, peer: PeerId, now: Instant) -> None:
        """Note a peer that serves no more."""
        self.table.remove(peer, now)

    def start_refreshing(self, now: Instant) -> None:
        """Refresh now, and from then on at every interval."""
        self._timers.arm(Timer.REFRESH, now)
        self.handle_timeout(now)

    def find_closest(self, preimage: bytes, now: Instant, *, count: int | None = None) -> int:
        """Find the servers nearest to a name, k unless `count` says another number.

        Raises:
            ResourceLimitError: `max_queries` are under way. So do the commands below.
        """
        return self._begin(Query(self._number(), preimage, self._lookup(preimage, count=count)), now)

    def find_peer(self, peer: PeerId, now: Instant) -> int:
        return self._begin(PeerQuery(self._number(), peer, self._lookup(peer.multihash)), now)

    def find_providers(self, key: bytes, now: Instant, *, count: int = 0) -> int:
        """Find who provides the content of a multihash; `count` is enough, 0: everybody."""
        query = ProvidersQuery(self._number(), key, self._lookup(key), count, MAX_PROVIDERS)
        query.add([provider for provider in self.providers.providers(key, now) if provider.peer != self.local])
        return self._begin(query, now)

    def find_value(self, key: bytes, now: Instant, *, quorum: int = 0) -> int:
        """Find the best record of a key, of at least `quorum` valid ones; 0: of all."""
        query = ValueQuery(self._number(), key, self._lookup(key), quorum, self.validators, self.config.k)
        own = self.records.find(key, now)
        if own is not None:
            query.add(own)
        return self._begin(query, now)

    def put_value(self, key: bytes, value: bytes, now: Instant) -> int:
        """Put a record to the k nearest, and into our own store.

        Raises:
            WireError: it is not valid.
            OlderRecord: we know of a better one.
        """
        self.records.put(key, value, self.local, now)
        message = Message(MessageType.PUT_VALUE, key, Record(key, value))
        return self._begin(StoreQuery(self._number(), key, self._lookup(key), message, self.config.k), now)

    def provide(self, key: bytes, now: Instant, *, is_optimistic: bool = True) -> int:
        """Say at the k nearest that we provide the content of a multihash."""
        sure = self.size.sure_distance(now) if is_optimistic else 0
        query = StoreQuery(
            self._number(), key, self._lookup(key), self.provider_message(key), self.config.k, sure_distance=sure
        )
        return self._begin(query, now)

    def send(self, errands: Sequence[Errand], now: Instant) -> int:
        """Carry messages to peers that are known already; the result counts those that were taken."""
        number = self._number()
        return self._begin(ErrandsQuery(number, b"", self._lookup(b"", is_empty=True), errands), now)

    def provider_message(self, key: bytes) -> Message:
        """Return the ADD_PROVIDER that names us, with our addresses of this DHT's scope."""
        own = Peer(self.local, self._in_scope(self.local))
        return Message(MessageType.ADD_PROVIDER, key, providers=(own,))

    def cancel(self, query: int) -> None:
        """Give a query up: it has no `Result` any more. Idempotent; what is under way is let run out."""
        self._queries.pop(query, None)
        self._ready.pop(query, None)

    def receive_request(self, sender: PeerId, data: bytes, now: Instant) -> bytes | None:
        """Answer an untrusted request; see `Server.answer` for what it gives and raises."""
        return self.server.answer(sender, data, now)

    def receive_response(self, number: int, data: bytes, now: Instant) -> None:
        """Take the untrusted answer to a request. Unknown numbers, and those that timed out, are ignored."""
        under_way = self._take(number)
        if under_way is None:
            return
        try:
            answer = Message.parse(data) if data else None
        except RemoteProtocolError as error:
            self._failed(under_way, str(error), now)
            return
        query = self._queries[under_way.query][0] if under_way.query in self._queries else None
        if under_way.errand is not None:
            self._seen(under_way.peer, under_way.errand.addresses, now)
            if query is not None:
                query.errands_under_way -= 1
                query.errand_done(succeeded=True)
        elif answer is None or (query is not None and answer.type is not query.kind):
            self._failed(under_way, "answers something else", now)
            return
        elif query is not None:
            self._answered(query, under_way.peer, answer, now)
        if query is not None:
            self._advance(query, now)

    def receive_failure(self, number: int, reason: str, now: Instant) -> None:
        """A request did not reach its peer, or was not answered. Unknown numbers are ignored."""
        under_way = self._take(number)
        if under_way is not None:
            self._failed(under_way, reason, now)

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            match fired.timer:
                case Timer.REQUEST:
                    self._expire_requests(now)
                case Timer.SLOW:
                    self._pass_over(now)
                case Timer.QUERY:
                    self._expire_queries(now)
                case Timer.REFRESH:
                    self._timers.arm(Timer.REFRESH, now + self.config.refresh_interval)
                    self._refresh(now)

    def next_request(self, now: Instant) -> Request | None:
        """Return the next message to carry; None when there is none at the moment."""
        while self._ready:
            number = next(iter(self._ready))
            query, _ = self._queries[number]
            if query.errands and query.errands_under_way < ERRANDS:
                query.errands_under_way += 1
                errand = query.errands.popleft()
                return self._request(_UnderWay(number, errand.peer, errand), errand, now)
            candidate = query.lookup.next_peer()
            if candidate is None:
                del self._ready[number]
                continue
            self._ready.move_to_end(number)  # queries take turns
            errand = Errand(candidate.peer, candidate.addresses, query.request)
            return self._request(_UnderWay(number, candidate.peer, None), errand, now)
        return None

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _lookup(self, preimage: bytes, *, count: int | None = None, is_empty: bool = False) -> Lookup:
        if len(self._queries) >= self.config.max_queries:
            limit = self.config.max_queries
            raise ResourceLimitError(f"{limit + 1} DHT queries under way, the limit is {limit}")
        config = self.config
        target = key_of(preimage)
        lookup = Lookup(
            target,
            self.local,
            k=count or config.k,
            alpha=config.alpha,
            resilience=config.resilience,
            paths=config.paths,
            max_candidates=config.max_candidates,
        )
        if not is_empty:
            lookup.seed((node.peer, node.addresses) for node in self.table.closest(target, config.k))
        return lookup

    def _begin(self, query: Query, now: Instant) -> int:
        self._queries[query.number] = query, now + self.config.query_timeout
        if self._timers.deadline(Timer.QUERY) is None:
            self._timers.arm(Timer.QUERY, now + self.config.query_timeout)
        self._advance(query, now)
        return query.number

    def _advance(self, query: Query, now: Instant) -> None:
        """Tell what is new, and move on: to the errands, to the result, to the end."""
        self._events.extend(query.news)
        query.news.clear()
        if query.lookup.is_over and not query.is_settled:
            query.is_settled = True
            if query.lookup.requests:
                self.size.observe([candidate.distance for candidate in query.lookup.closest()], now)
            query.settle()
        if query.is_result_ready and not query.is_told:
            query.is_told = True
            self._tell(query.result(), now)
        if query.is_finished:
            self.cancel(query.number)
        else:
            self._ready[query.number] = None

    def _tell(self, result: Result, now: Instant) -> None:
        if result.query in self._refresh_queries:
            self._refresh_queries.discard(result.query)
            self._refresh_next(now)
        else:
            self._events.append(result)

    def _answered(self, query: Query, peer: PeerId, answer: Message, now: Instant) -> None:
        candidate = query.lookup.candidate(peer)
        if candidate is not None:
            self._seen(peer, candidate.addresses, now)
            query.receive(candidate, answer)
            query.lookup.answered(peer, self._named(answer.closer))

    def _request(self, under_way: _UnderWay, errand: Errand, now: Instant) -> Request:
        number = self._number()
        deadline = now + self.config.request_timeout
        self._requests[number] = under_way, deadline
        if self._timers.deadline(Timer.REQUEST) is None:
            self._timers.arm(Timer.REQUEST, deadline)
        if under_way.errand is None:
            self._hoped_for.append((now + self.config.slow_after, number))
            if self._timers.deadline(Timer.SLOW) is None:
                self._timers.arm(Timer.SLOW, now + self.config.slow_after)
        return Request(number, errand.peer, errand.addresses, errand.message, errand.is_answered)

    def _take(self, number: int) -> _UnderWay | None:
        entry = self._requests.pop(number, None)
        return entry[0] if entry else None

    def _failed(self, under_way: _UnderWay, reason: str, now: Instant) -> None:
        if self._trace:
            self._trace(now, "request failed", peer=str(under_way.peer), reason=reason)
        if under_way.errand is not None and under_way.query in self._refresh_queries:
            self.table.remove(under_way.peer, now)  # a probe is the last chance
        else:
            self.table.strike(under_way.peer, now)
        entry = self._queries.get(under_way.query)
        if entry is None:
            return
        query = entry[0]
        if under_way.errand is not None:
            query.errands_under_way -= 1
            query.errand_done(succeeded=False)
        else:
            query.lookup.failed(under_way.peer)
        self._advance(query, now)

    def _seen(self, peer: PeerId, addresses: tuple[bytes, ...], now: Instant) -> None:
        self.add_server(peer, addresses or self._addresses_of(peer), now)

    def _named(self, peers: Sequence[Peer]) -> list[tuple[PeerId, tuple[bytes, ...]]]:
        """The peers of an answer that this DHT may ask: with an address of its scope."""
        scope = self.config.scope
        named = ((peer.peer, filter_addresses(peer.addresses, scope)) for peer in peers)
        return [(peer, addresses) for peer, addresses in named if addresses]

    def _in_scope(self, peer: PeerId) -> tuple[bytes, ...]:
        return filter_addresses(self._addresses_of(peer), self.config.scope, relayed=True)

    def _expire_requests(self, now: Instant) -> None:
        while self._requests:
            number, (under_way, deadline) = next(iter(self._requests.items()))
            if deadline > now:
                self._timers.arm(Timer.REQUEST, deadline)
                return
            del self._requests[number]
            self._failed(under_way, "no answer in time", now)

    def _pass_over(self, now: Instant) -> None:
        while self._hoped_for:
            when, number = self._hoped_for[0]
            if number in self._requests and when > now:
                self._timers.arm(Timer.SLOW, when)
                return
            self._hoped_for.popleft()
            if number in self._requests:
                under_way, _ = self._requests[number]
                if under_way.query in self._queries:
                    query, _ = self._queries[under_way.query]
                    query.lookup.slow(under_way.peer)
                    self._advance(query, now)

    def _expire_queries(self, now: Instant) -> None:
        while self._queries:
            number, (query, deadline) = next(iter(self._queries.items()))
            if deadline > now:
                self._timers.arm(Timer.QUERY, deadline)
                return
            self.cancel(number)
            if not query.is_told:
                self._tell(query.result(is_timed_out=True), now)

    def _refresh(self, now: Instant) -> None:
        """Probe silent contacts; then look up a name in every bucket, and our own key (ipfs specs, "... Refresh")."""
        if self._refreshing or self._refresh_queries or not len(self.table):
            return
        probe = Message(MessageType.FIND_NODE, self.local.multihash).serialize()
        stale = self.table.stale(now - self.config.probe_after)
        buckets = min(len(self.table.bucket_sizes), MAX_REFRESHED_BUCKET + 1)
        self._refreshing += [random_preimage(self._key, shared, self._random) for shared in range(buckets)]
        self._refreshing.append(self.local.multihash)
        try:
            self._refresh_queries.add(self._numbers + 1)
            self.send([Errand(node.peer, node.addresses, probe) for node in stale], now)
        except ResourceLimitError:
            self._refresh_queries.clear()
            self._refreshing.clear()  # busy with better things; the next interval will do

    def _refresh_next(self, now: Instant) -> None:
        if not self._refreshing:
            return
        try:
            self._refresh_queries.add(self._numbers + 1)
            self.find_closest(self._refreshing.popleft(), now)
        except ResourceLimitError:
            self._refresh_queries.clear()
            self._refreshing.clear()
