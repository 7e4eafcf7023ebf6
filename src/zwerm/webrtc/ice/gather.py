"""Gathering (RFC 8445 section 5.1.1): host candidates, and what STUN and TURN servers say to each of our addresses.

All servers are asked at once and each has its own time limit, so that a dead one delays only the end of gathering and
never a candidate. A candidate that would be another one's copy is left out (section 5.1.3). While there is no selected
pair the STUN servers are asked again now and then, which keeps the translators' mappings (section 5.1.1.4).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType
from zwerm.webrtc.ice.config import CandidatePolicy, Config, ServerTransport, StunServer, TurnServer
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate
from zwerm.webrtc.ice.priority import COMPONENT, candidate_priority, rank_addresses
from zwerm.webrtc.ice.relay import NO_ANSWER, MakeRelay, Relay
from zwerm.webrtc.ice.stun_stream import StunStream
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, ERROR_CODE, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Method, request
from zwerm.webrtc.stun.transaction import ClientTransaction, Responded, Schedule

ACTIVE_PORT: Final = 9  # RFC 6544 section 4.5: an active candidate has no port yet
MAX_RELAYS: Final = 8  # allocations of one agent
MAX_STREAM_QUERIES: Final = 8  # STUN servers that are asked over connections at one time
MAX_ALTERNATES: Final = 4  # servers that name another one, each asked once (RFC 8489 section 10)
MAX_RENEWALS: Final = 8  # lost allocations that are asked for again in one generation

_RTO: Final = 0.25  # seconds; 0.5 is RFC 8489's, and a lost first datagram is what everybody waits for
_RC: Final = 4


@dataclasses.dataclass(slots=True, eq=False)
class Query:
    """A Binding request to one server from one base."""

    base: Base
    server: StunServer
    place: int  # of the server in the configuration
    transaction: ClientTransaction
    is_refresh: bool = False
    asked: tuple[Address, ...] = ()  # servers that named another one instead of answering


@dataclasses.dataclass(slots=True, eq=False)
class Allocation:
    """A TURN client, and the base that it became; or a STUN server that is asked over a connection."""

    relay: Relay
    server: StunServer | TurnServer
    address: Address  # of the server, or of the one that it named
    place: int
    host: Base  # the base it is reached from
    give_up_at: Instant | None  # None once it is decided
    stream: int | None = None  # of a server that is reached by TCP
    base: Base | None = None
    asked: tuple[Address, ...] = ()  # servers that named another one
    is_dismissed: bool = False  # the server is asked no more; what it relays may still carry the last generation


class Foundations:
    """Equal for candidates of one type, one base host, one server and one transport (RFC 8445 section 5.1.1.3)."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], str] = {}

    def of(self, *parts: object) -> str:
        return self._known.setdefault(parts, str(len(self._known) + 1))


def _place_of(server: StunServer | TurnServer) -> tuple[Address, bool, ServerTransport]:
    """Where a server is and what it does, whatever the credentials."""
    return server.address, isinstance(server, TurnServer), server.transport


def _is_same_family(one: Address, other: Address) -> bool:
    return (":" in one[0]) == (":" in other[0])


class Gatherer:
    """The local candidates of an agent. What it finds, it hands to `found`, what fails to `failed`."""

    def __init__(
        self,
        config: Config,
        random: Random,
        make_relay: MakeRelay | None,
        found: Callable[[LocalCandidate, Instant], None],
        failed: Callable[[StunServer | TurnServer, int, str], None],
    ) -> None:
        self.bases: list[Base] = []
        self.awaits_servers = False  # names are still being looked up
        self.awaits_addresses = False  # the caller has more of ours to come
        self.allocations: list[Allocation] = []
        self._given_up: list[Allocation] = []  # no use any more: their streams are to be closed
        self._config = config
        self._random = random
        self._make_relay = make_relay
        self._found = found
        self._failed = failed
        self._queries: list[Query] = []
        self._foundations = Foundations()
        self._candidates: list[LocalCandidate] = []
        self._failed_servers: set[int] = set()
        self._transmits: list[Transmit] = []
        self._refresh_at: Instant | None = None
        self._renewals = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is open that could give a candidate."""
        is_asking = any(not query.is_refresh for query in self._queries) or any(
            allocation.give_up_at is not None for allocation in self.allocations
        )
        return not (is_asking or self.awaits_servers or self.awaits_addresses)

    def base_at(self, address: Address, *, is_tcp: bool = False) -> Base | None:
        return next((b for b in self.bases if b.address == address and (b.kind is BaseKind.TCP) is is_tcp), None)

    def gather(self, bases: list[Base], now: Instant) -> None:
        """Gather on `bases`, new ones of `self.bases`."""
        ranks = rank_addresses([base.host for base in self.bases])
        for base in bases:
            rank = ranks[base.host]
            self._add_host(base, rank, now)
            self._ask_on(base, now)
        if self._config.stun_servers:
            self._refresh_at = now + self._config.keepalive_interval

    def ask(self, now: Instant) -> None:
        """Servers are known now, that were not when gathering began."""
        for base in self.bases:
            self._ask_on(base, now)

    def _ask_on(self, base: Base, now: Instant) -> None:
        """Ask every server that can tell something about a base, or relay for it, and does not yet."""
        if base.kind is BaseKind.UDP:
            self._ask_servers(base, now)
            self._allocate(base, now)
        elif base.tcp_type is TcpType.PASSIVE:
            self._ask_by_streams(base, now)

    def repeat(self, now: Instant) -> None:
        """A restart: hand out what is known again, and ask once more (RFC 8445 section 5.1.1.2 allows reuse)."""
        self._renewals = 0
        for allocation in [one for one in self.allocations if one.stream is not None and one.give_up_at is not None]:
            self.lost(allocation)  # a connection that is on its way may be one to a server that is gone
            self._given_up.append(allocation)
        self._dismiss(now)
        for candidate in [local for local in self._candidates if self._is_wanted(local)]:
            self._found(candidate, now)
        ranks = rank_addresses([base.host for base in self.bases])
        for base in self.bases:
            if not any(local.base is base and local.candidate.type == CandidateType.HOST for local in self._candidates):
                self._add_host(base, ranks[base.host], now)  # the policy has let it in again
            self._ask_on(base, now)  # for a relay, where an allocation was lost

    def use(self, config: Config) -> None:
        """Other servers, or another policy: they count from the next `repeat` on."""
        known = {one: one for one in self._config.stun_servers}
        relays = {one: one for one in self._config.turn_servers}
        self._config = dataclasses.replace(
            self._config,
            policy=config.policy,
            stun_servers=tuple(known.get(one, one) for one in config.stun_servers),
            turn_servers=tuple(relays.get(one, one) for one in config.turn_servers),
        )
        self._failed_servers.clear()

    def _dismiss(self, now: Instant) -> None:
        """Give back what servers relay that are no longer asked, once the generation after theirs is over too."""
        asked = set(map(_place_of, self._config.turn_servers))
        for allocation in list(self.allocations):
            was_dismissed, allocation.is_dismissed = allocation.is_dismissed, _place_of(allocation.server) not in asked
            if was_dismissed and allocation.is_dismissed:
                allocation.relay.release(now)
                self.lost(allocation)
                self._given_up.append(allocation)

    def _is_wanted(self, local: LocalCandidate) -> bool:
        """Whether the configuration still asks for a candidate."""
        asked = {*map(_place_of, self._config.stun_servers), *map(_place_of, self._config.turn_servers)}
        is_hidden = self._config.policy is CandidatePolicy.RELAY and local.candidate.type != CandidateType.RELAYED
        return not is_hidden and (local.server is None or _place_of(local.server) in asked)

    def remove(self, base: Base, now: Instant) -> list[Base]:
        """Forget a base; return it and the relayed ones that stood on it."""
        gone = [base]
        for allocation in [allocation for allocation in self.allocations if allocation.host is base]:
            allocation.relay.release(now)
            self.allocations.remove(allocation)
            self._given_up.append(allocation)
            if allocation.base is not None:
                gone.append(allocation.base)
        for removed in gone:
            removed.is_removed = True
        self.bases = [kept for kept in self.bases if not kept.is_removed]
        self._queries = [query for query in self._queries if not query.base.is_removed]
        self._candidates = [local for local in self._candidates if not local.base.is_removed]
        return gone

    def release(self, now: Instant) -> None:
        """The agent is closed."""
        for allocation in self.allocations:
            allocation.relay.release(now)
        self._queries.clear()
        self._refresh_at = None

    # STUN.

    def receive_datagram(self, data: bytes, base: Base, source: Address, now: Instant) -> bool:
        """Offer a datagram that may be a STUN server's answer."""
        for query in self._queries:
            if query.base is base and query.transaction.receive_datagram(data, source, now):
                self._settle(now)
                return True
        return False

    def handle_timeout(self, now: Instant) -> None:
        for query in self._queries:
            query.transaction.handle_timeout(now)
        if self._refresh_at is not None and self._refresh_at <= now:
            self._refresh_at = now + self._config.keepalive_interval
            for base in self.bases:
                if base.kind is BaseKind.UDP:
                    self._ask_servers(base, now, is_refresh=True)
        for allocation in list(self.allocations):
            if allocation.give_up_at is not None and allocation.give_up_at <= now:
                self.lost(allocation)
                self._given_up.append(allocation)
                kind = "TURN" if isinstance(allocation.server, TurnServer) else "STUN"
                self.fail(allocation.server, NO_ANSWER, f"the {kind} server does not answer")
        self._settle(now)

    def next_timeout(self) -> Instant | None:
        if not self._queries and not self.allocations:
            return self._refresh_at
        waits = [query.transaction.next_timeout() for query in self._queries]
        waits += [allocation.give_up_at for allocation in self.allocations]
        waits.append(self._refresh_at)
        return min((wait for wait in waits if wait is not None), default=None)

    def take_transmits(self) -> list[Transmit]:
        """What is to be sent, oldest first."""
        transmits, self._transmits = self._transmits, []
        return transmits

    def take_given_up(self) -> list[Allocation]:
        """The allocations that were forgotten since the last time."""
        given_up, self._given_up = self._given_up, []
        return given_up

    def keep_alive(self, now: Instant, *, needed: bool) -> None:
        """While no pair is selected, mappings are kept."""
        if not needed:
            self._refresh_at = None
        elif self._refresh_at is None and self._config.stun_servers:
            self._refresh_at = now + self._config.keepalive_interval

    def _settle(self, now: Instant) -> None:
        for query in list(self._queries):
            event = query.transaction.next_event()
            if event is not None:
                self._queries.remove(query)
                self._finish(query, event, now)
        self._collect()

    def _collect(self) -> None:
        for query in self._queries:
            while (transmit := query.transaction.next_transmit()) is not None:
                self._transmits.append(transmit._replace(source=query.base.address))

    def _finish(self, query: Query, event: object, now: Instant) -> None:
        if not isinstance(event, Responded):
            if not query.is_refresh:
                self.fail(query.server, NO_ANSWER, "the STUN server does not answer")
            return
        mapped = event.message.find(XOR_MAPPED_ADDRESS)
        if mapped is not None:
            self.add_reflexive(query.base, mapped, query.place, query.server, now)
            return
        error = event.message.find(ERROR_CODE)
        code, reason = error if error is not None else (NO_ANSWER, "the answer has no address in it")
        alternate = event.message.find(ALTERNATE_SERVER) if code == 300 else None
        asked = (*query.asked, query.transaction.destination)
        if alternate is None or not self._may_ask(alternate, asked):
            self.fail(query.server, code, reason)
        else:
            other = dataclasses.replace(query, transaction=self._transaction(alternate, now), asked=asked)
            self._queries.append(other)

    def _may_ask(self, alternate: Address, asked: tuple[Address, ...]) -> bool:
        """Whether to go where a server sends us: not in circles, not to another family, and not for ever."""
        return alternate not in asked and len(asked) <= MAX_ALTERNATES and _is_same_family(alternate, asked[0])

    def _ask_servers(self, base: Base, now: Instant, *, is_refresh: bool = False) -> None:
        if self._config.policy is CandidatePolicy.RELAY:
            return
        for place, server in enumerate(self._config.stun_servers):
            asked = any(query.base is base and query.server is server for query in self._queries)
            is_by_datagrams = server.transport is ServerTransport.UDP
            if _is_same_family(server.address, base.address) and is_by_datagrams and not asked:
                self._queries.append(Query(base, server, place, self._transaction(server.address, now), is_refresh))
        self._collect()

    def _transaction(self, server: Address, now: Instant) -> ClientTransaction:
        schedule = Schedule(_RTO, _RC, max(1.0, self._config.stun_timeout / _RTO - 2 ** (_RC - 1) + 1))
        message = request(Method.BINDING, self._random.randbytes(12)).serialize()
        return ClientTransaction(message, server, now=now, schedule=schedule)

    def _ask_by_streams(self, base: Base, now: Instant) -> None:
        """Ask how others see the port that listens (RFC 6544 section 5.2); what is known of it stays known."""
        if self._config.policy is CandidatePolicy.RELAY:
            return
        for place, server in enumerate(self._config.stun_servers):
            is_asked = any(one.host is base and one.server == server for one in self.allocations)
            is_known = any(local.base is base and local.server == server for local in self._candidates)
            count = sum(isinstance(one.server, StunServer) for one in self.allocations)
            is_by_datagrams = server.transport is ServerTransport.UDP or count >= MAX_STREAM_QUERIES
            if not (is_by_datagrams or is_asked or is_known) and _is_same_family(server.address, base.address):
                give_up_at = now + self._config.stun_timeout
                relay = StunStream(self._random)
                self.allocations.append(Allocation(relay, server, server.address, place, base, give_up_at))

    def mapped(self, allocation: Allocation, mapped: Address, now: Instant) -> None:
        """A STUN server told how it sees the port that listens. Its connection stays, and with it the translation."""
        if allocation.give_up_at is not None:
            allocation.give_up_at = None
            self.allocations = [kept for kept in self.allocations if kept is not allocation]
            self.add_reflexive(allocation.host, mapped, allocation.place, allocation.server, now)

    def redirect(self, allocation: Allocation, alternate: Address, now: Instant) -> bool:
        """A server named the one to ask instead: ask that; False when it is asked already, or cannot be."""
        asked = (*allocation.asked, allocation.address)
        if allocation.base is not None or allocation.host.is_removed or not self._may_ask(alternate, asked):
            return False
        server, place, host, relay = allocation.server, allocation.place, allocation.host, allocation.relay
        timeout = self._config.turn_timeout
        if isinstance(server, StunServer):
            relay, timeout = StunStream(self._random), self._config.stun_timeout
        elif self._make_relay is not None:
            there = dataclasses.replace(server, address=alternate)
            relay = self._make_relay(there, host.address, now, self._random)
        self.allocations.append(Allocation(relay, server, alternate, place, host, now + timeout, asked=asked))
        return True

    # TURN.

    def _allocate(self, base: Base, now: Instant) -> None:
        for place, server in enumerate(self._config.turn_servers):
            count = sum(isinstance(one.server, TurnServer) for one in self.allocations)
            if not _is_same_family(server.address, base.address) or count >= MAX_RELAYS:
                continue
            if any(known.host is base and _place_of(known.server) == _place_of(server) for known in self.allocations):
                continue  # with other credentials too: a server has one allocation for an address of ours
            if self._make_relay is not None:
                relay = self._make_relay(server, base.address, now, self._random)
                give_up_at = now + self._config.turn_timeout
                self.allocations.append(Allocation(relay, server, server.address, place, base, give_up_at))

    def allocated(self, allocation: Allocation, relayed: Address, mapped: Address | None, now: Instant) -> None:
        """The TURN server relays for us: one relayed candidate, and a reflexive one when it was asked by UDP."""
        if allocation.give_up_at is None:  # too late, or told twice
            return
        allocation.give_up_at = None
        host = allocation.host
        allocation.base = Base(relayed, BaseKind.RELAY, self.allocations.index(allocation), host=host.host)
        over_tcp = allocation.server.transport is not ServerTransport.UDP
        rank = rank_addresses([base.host for base in self.bases])[host.host]
        priority = candidate_priority(CandidateType.RELAYED, rank, server=allocation.place, over_tcp=over_tcp)
        foundation = self._foundations.of("relay", host.host, allocation.server.address[0], allocation.server.transport)
        base, server = allocation.base, allocation.server
        self._add(CandidateType.RELAYED, base, relayed, foundation, priority, related=mapped, now=now, server=server)
        if not over_tcp and mapped is not None:
            self.add_reflexive(host, mapped, allocation.place, server, now)

    def lost(self, allocation: Allocation) -> None:
        """The server relays no longer, or never did: a restart asks it anew."""
        allocation.give_up_at = None
        self.allocations = [kept for kept in self.allocations if kept is not allocation]
        if allocation.base is not None:
            allocation.base.is_removed = True
            self._candidates = [local for local in self._candidates if local.base is not allocation.base]

    def renew(self, allocation: Allocation, now: Instant) -> None:
        """A server that did relay does no longer: ask it once more; it may have been started anew."""
        if not allocation.host.is_removed and self._renewals < MAX_RENEWALS:
            self._renewals += 1
            self._allocate(allocation.host, now)

    def fail(self, server: StunServer | TurnServer, code: int, reason: str) -> None:
        """Tell once of each server that it gave nothing."""
        if id(server) not in self._failed_servers:
            self._failed_servers.add(id(server))
            self._failed(server, code, reason)

    # Candidates.

    def _add_host(self, base: Base, rank: int, now: Instant) -> None:
        if self._config.policy is CandidatePolicy.RELAY:
            return
        foundation = self._foundations.of("host", base.host, base.kind, base.tcp_type)
        priority = candidate_priority(CandidateType.HOST, rank, tcp_type=base.tcp_type)
        self._add(CandidateType.HOST, base, base.address, foundation, priority, related=None, now=now)

    def add_reflexive(
        self, base: Base, mapped: Address, place: int, server: StunServer | TurnServer, now: Instant
    ) -> None:
        """A server sees `base` as `mapped`."""
        if self._config.policy is CandidatePolicy.RELAY or base.is_removed:
            return
        same = [local for local in self._candidates if local.base is base and local.address == mapped]
        if any(map(self._is_wanted, same)):
            return
        self._candidates = [local for local in self._candidates if local not in same]  # of servers asked no more
        rank = rank_addresses([known.host for known in self.bases])[base.host]
        foundation = self._foundations.of("srflx", base.host, base.kind, server.address[0])
        priority = candidate_priority(CandidateType.SERVER_REFLEXIVE, rank, server=place, tcp_type=base.tcp_type)
        kind, related = CandidateType.SERVER_REFLEXIVE, base.address
        self._add(kind, base, mapped, foundation, priority, related=related, now=now, server=server)

    def _add(
        self,
        kind: CandidateType,
        base: Base,
        address: Address,
        foundation: str,
        priority: int,
        *,
        related: Address | None,
        now: Instant,
        server: StunServer | TurnServer | None = None,
    ) -> None:
        hides = self._config.policy is CandidatePolicy.RELAY or (
            self._config.mdns and self._config.discard_host_addresses
        )
        if related is not None and hides:  # RFC 8839 section 5.1: when the base is not to be told
            related = ("::" if ":" in address[0] else "0.0.0.0", 0)  # noqa: S104 - no socket, but "not told"
        candidate = Candidate(
            foundation=foundation,
            component=COMPONENT,
            transport="tcp" if base.kind is BaseKind.TCP else "udp",
            priority=priority,
            address=address[0],
            port=ACTIVE_PORT if base.tcp_type is TcpType.ACTIVE else address[1],
            type=kind,
            related_address=None if related is None else related[0],
            related_port=None if related is None else related[1],
            extensions=() if base.tcp_type is None else (("tcptype", base.tcp_type.value),),
        )
        local = LocalCandidate(candidate, base, address, server)
        self._candidates.append(local)
        self._found(local, now)

    def reflexive(self) -> Iterator[LocalCandidate]:
        return (local for local in self._candidates if local.candidate.type == CandidateType.SERVER_REFLEXIVE)
