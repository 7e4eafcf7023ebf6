"""The TURN server (RFC 8656): one machine for any number of clients over UDP, TCP and TLS.

Sockets are somebody else's. For each relayed address the machine says `OpenRelay`; whoever drives it opens that socket
and tells `relay_opened`, or `relay_failed`, whereupon another port is tried. The answer to the client waits for that.

    client --receive_from_client--> machine --next_transmit (source: the relay's address)--> peer
    peer   --receive_from_peer----> machine --next_transmit, or next_stream_data-----------> client

Nothing is kept for a client before it has proved who it is: nonces are stateless (`nonce.py`).
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.stun.attributes import (
    ADDRESS_ERROR_CODE,
    CHANNEL_NUMBER,
    DATA,
    DONT_FRAGMENT,
    LIFETIME,
    REQUESTED_ADDRESS_FAMILY,
    RESERVATION_TOKEN,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    AddressError,
    Icmp,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, is_stun
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.channel_data import ACCEPTED
from zwerm.webrtc.turn.credentials import Users, person_of
from zwerm.webrtc.turn.server.allocation import Allocation, Channel
from zwerm.webrtc.turn.server.authenticator import Authenticated, Authenticator
from zwerm.webrtc.turn.server.bucket import TokenBucket
from zwerm.webrtc.turn.server.config import DEFAULT_LIFETIME, FiveTuple, TurnServerConfig
from zwerm.webrtc.turn.server.forwarding import Forwarding
from zwerm.webrtc.turn.server.handover import Handover
from zwerm.webrtc.turn.server.opening import CloseRelay, Opening, Openings, OpenRelay, Wishes
from zwerm.webrtc.turn.server.relaying import Relaying, Traffic
from zwerm.webrtc.turn.server.shared import SharedCounts

Event: TypeAlias = OpenRelay | CloseRelay


@dataclasses.dataclass(frozen=True, slots=True)
class Statistics:
    """What a server has done so far."""

    allocations: int  # now
    allocations_made: int
    wrong_credentials: int
    traffic: Traffic


class TurnServer:
    """Relays for whom it knows."""

    def __init__(
        self,
        config: TurnServerConfig,
        users: Users,
        *,
        now: Instant,
        random: Random,
        unix_offset: float = 0.0,
        nonce_key: bytes | None = None,
        shared: SharedCounts | None = None,
    ) -> None:
        """`unix_offset` added to an instant gives seconds since 1970. Workers share `nonce_key`, `now` and `shared`."""
        self._config = config
        self._own_hosts = config.own_hosts()
        total = config.total_bytes_per_second
        self._relaying = Relaying(
            self._own_hosts, TokenBucket(total, total, now) if total is not None else None, random, config.siblings
        )
        self._shared = shared
        self.forwarding = Forwarding(self._relaying)
        self._authenticator = Authenticator(
            config, users, nonce_key or random.randbytes(32), started=now, unix_offset=unix_offset
        )
        self._openings = Openings(config, random)
        self._allocations: dict[FiveTuple, Allocation] = {}
        self._persons: Counter[str] = Counter()
        self._buckets: dict[str, TokenBucket] = {}
        self._ends: list[tuple[Instant, int, Allocation]] = []  # a heap; one entry for each allocation, never too late
        self._order = itertools.count()
        self._made = 0
        self._handlers: dict[int, Callable[[Message, FiveTuple, Authenticated, Instant], Message | None]] = {
            Method.ALLOCATE: self._allocate,
            Method.REFRESH: self._refresh,
            Method.CREATE_PERMISSION: self._create_permission,
            Method.CHANNEL_BIND: self._bind_channel,
        }

    # From clients.

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Take an untrusted datagram that came to the first listening address."""
        return self.receive_from_client([data], FiveTuple(Transport.UDP, source, self._config.listening[0]), now) == 1

    def receive_from_client(self, messages: Sequence[bytes], client: FiveTuple, now: Instant) -> int:
        """Take what one client sent, datagrams or messages cut out of its stream; return how many were for us."""
        allocation = self._allocations.get(client)
        taken = 0
        payloads: list[bytes] = []
        channel: Channel | None = None
        number = -1
        for data in messages:
            if len(data) < 4 or data[0] & 0xC0 != 0x40:
                if allocation is not None and channel is not None and payloads:
                    self._relaying.to_peer(allocation, channel.relay, channel.peer, payloads, now)
                payloads, number = [], -1
                taken += self._receive_message(data, client, now)
                allocation = self._allocations.get(client)
                continue
            if data[0] << 8 | data[1] != number:
                if allocation is not None and channel is not None and payloads:
                    self._relaying.to_peer(allocation, channel.relay, channel.peer, payloads, now)
                payloads, number = [], data[0] << 8 | data[1]
                channel = allocation.channels.get(number) if allocation is not None else None
                if channel is not None and channel.expires_at <= now:
                    channel = None
            end = 4 + (data[2] << 8 | data[3])
            if channel is None or end > len(data):
                self._relaying.traffic.dropped_unknown += 1
                continue
            payloads.append(data[4:end])
            taken += 1
        if allocation is not None and channel is not None and payloads:
            self._relaying.to_peer(allocation, channel.relay, channel.peer, payloads, now)
        return taken

    def client_gone(self, client: FiveTuple) -> None:
        """The client's stream has ended, and its allocation with it. Repeating it is harmless."""
        opening = self._openings.abandon(client)
        if opening is not None:
            self._leave(opening.person)
        allocation = self._allocations.get(client)
        if allocation is not None:
            self._end(allocation)

    def has_allocation(self, client: FiveTuple) -> bool:
        return client in self._allocations

    # From peers, and from whoever holds the sockets.

    def receive_from_peer(self, relay: Address, datagrams: Sequence[bytes], peer: Address, now: Instant) -> None:
        """Take what came from `peer` to the relay socket bound to `relay`."""
        allocation = self._relaying.by_local.get(relay)
        if allocation is not None:
            self._relaying.to_client(allocation, peer, datagrams, now)

    def receive_icmp(self, relay: Address, peer: Address, error: Icmp, now: Instant) -> None:
        """Take an ICMP error about what left from `relay` for `peer` (RFC 8656 section 11.5)."""
        self._relaying.icmp_to_client(relay, peer, error, now)

    def receive_handover(self, handover: Handover, now: Instant) -> None:
        """Take what the client of another worker sends to one of ours."""
        self._relaying.receive_handover(handover, now)

    def relay_opened(self, relay: Address, now: Instant) -> None:
        """The socket that `OpenRelay` asked for is there."""
        opening = self._openings.opened(relay, now)
        if opening is not None:
            self._finish_allocate(opening, now)

    def relay_failed(self, relay: Address, now: Instant) -> None:  # noqa: ARG002 - as `relay_opened`
        """That socket cannot be had; another may be asked for."""
        opening = self._openings.failed(relay)
        if opening is not None:
            self._refuse(opening, 508, "Insufficient Capacity")

    # The verbs of machines.

    def handle_timeout(self, now: Instant) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, _, allocation = heapq.heappop(self._ends)
            if self._allocations.get(allocation.client) is not allocation:
                continue
            if allocation.expires_at <= now:
                self._end(allocation)
            else:
                self._schedule(allocation)
        self._openings.handle_timeout(now)

    def next_transmit(self) -> Transmit | None:
        return self._relaying.transmits.popleft() if self._relaying.transmits else None

    def next_whole(self) -> Transmit | None:
        """What is to leave in one piece, with the bit that forbids fragments (RFC 8656 section 14.2)."""
        return self._relaying.whole.popleft() if self._relaying.whole else None

    def next_stream_data(self) -> tuple[FiveTuple, bytes] | None:
        """What is to be written to the stream of a client over TCP or TLS."""
        return self._relaying.stream_data.popleft() if self._relaying.stream_data else None

    def next_handover(self) -> Handover | None:
        """What is for the client of another worker."""
        return self._relaying.handovers.popleft() if self._relaying.handovers else None

    def next_event(self) -> Event | None:
        return self._openings.next_event()

    def next_timeout(self) -> Instant | None:
        deadlines = self._ends[0][0] if self._ends else None, self._openings.next_timeout()
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def statistics(self) -> Statistics:
        traffic = dataclasses.replace(self._relaying.traffic)
        return Statistics(len(self._allocations), self._made, self._authenticator.failures, traffic)

    # Messages.

    def _receive_message(self, data: bytes, client: FiveTuple, now: Instant) -> bool:
        if not is_stun(data):
            return False
        try:
            message = Message.parse(data)
        except WireError:
            return False
        if message.message_class is MessageClass.INDICATION:
            return self._receive_indication(message, client, now)
        if message.message_class is not MessageClass.REQUEST:
            return False
        if message.method == Method.BINDING:
            self._answer(message.success(XOR_MAPPED_ADDRESS(client.source)), message, client, None)
            return True
        handler = self._handlers.get(message.method)
        if handler is None:
            return False
        allocation = self._allocations.get(client)
        known_since = (allocation.username, allocation.made_at) if allocation is not None else None
        result = self._authenticator.authenticate(message, client, now, known_since)
        if isinstance(result, Authenticated):
            unknown = message.unknown_required()
            if message.find(DONT_FRAGMENT) and not self._config.dont_fragment:  # RFC 8656 section 7.2, step 4
                unknown += (DONT_FRAGMENT.number,)
            if unknown:
                response: Message | None = message.error(420, "Unknown Attribute", UNKNOWN_ATTRIBUTES(unknown))
            elif allocation is not None and allocation.username != result.username:
                response = message.error(441, "Wrong Credentials")
            elif allocation is None and message.method != Method.ALLOCATE:
                response = message.error(437, "Allocation Mismatch")
            else:
                response = handler(message, client, result, now)
            self._answer(response, message, client, result)
        else:
            self._answer(result, message, client, None)
        return True

    def _answer(
        self, response: Message | None, request: Message, client: FiveTuple, sealed_for: Authenticated | None
    ) -> bytes:
        if response is None:
            return b""
        if self._config.software is not None:
            response.attributes.append(SOFTWARE(self._config.software))
        has_fingerprint = request.has_fingerprint
        if sealed_for is None:
            data = response.serialize(fingerprint=has_fingerprint)
        else:
            data = response.serialize(sealed_for.key, integrity=sealed_for.integrity, fingerprint=has_fingerprint)
        self._relaying.send_to_client(client, [data])
        return data

    # Allocations.

    def _allocate(self, request: Message, client: FiveTuple, user: Authenticated, now: Instant) -> Message | None:
        allocation = self._allocations.get(client)
        if allocation is not None:
            if allocation.transaction_id == request.transaction_id:
                self._relaying.send_to_client(client, [allocation.response])
                return None
            return request.error(437, "Allocation Mismatch")
        if self._openings.is_under_way(client):
            return None
        wishes = Wishes.of(request, self._config)
        if isinstance(wishes, Message):
            return wishes
        person = person_of(user.username)
        elsewhere, all_elsewhere = self._elsewhere(person)
        if self._persons[person] + elsewhere >= self._config.max_allocations_per_user:
            return request.error(486, "Allocation Quota Reached")
        if len(self._allocations) + self._openings.count + all_elsewhere >= self._config.max_allocations:
            return request.error(508, "Insufficient Capacity")
        self._enter(person)
        ready = self._openings.start(Opening(client, request, user, person, wishes), now)
        if ready is not None:
            self._finish_allocate(ready, now)
        elif not self._openings.is_under_way(client):
            self._leave(person)
            return request.error(508, "Insufficient Capacity")
        return None

    def _finish_allocate(self, opening: Opening, now: Instant) -> None:
        """Every socket is there: make the allocation, and answer."""
        request, client, wishes = opening.request, opening.client, opening.wishes
        lifetime = self._lifetime(request)
        attributes = [XOR_RELAYED_ADDRESS(relay.outside) for relay in opening.relays.values()]
        attributes += [LIFETIME(lifetime), XOR_MAPPED_ADDRESS(client.source)]
        if opening.token is not None:
            attributes.append(RESERVATION_TOKEN(opening.token))
        if wishes.missing_family is not None:
            attributes.append(
                ADDRESS_ERROR_CODE(AddressError(wishes.missing_family, 440, "Address Family not Supported"))
            )
        response = self._answer(request.success(*attributes), request, client, opening.user)
        allocation = Allocation(
            client,
            opening.user.username,
            opening.person,
            opening.relays,
            request.transaction_id,
            response,
            expires_at=now + lifetime,
            made_at=now,
            bucket=self._bucket(opening.person, now),
        )
        self._allocations[client] = allocation
        self._relaying.add(allocation)
        self.forwarding.add(allocation)
        self._made += 1
        self._schedule(allocation)

    def _refuse(self, opening: Opening, code: int, reason: str) -> None:
        self._leave(opening.person)
        self._answer(opening.request.error(code, reason), opening.request, opening.client, opening.user)

    def _refresh(self, request: Message, client: FiveTuple, _user: Authenticated, now: Instant) -> Message:
        allocation = self._allocations[client]
        family = request.find(REQUESTED_ADDRESS_FAMILY)
        if family is not None and family not in allocation.relays:
            return request.error(443, "Peer Address Family Mismatch")
        lifetime = self._lifetime(request)
        if lifetime == 0:
            self._end(allocation)
        else:
            allocation.bucket = self._bucket(allocation.person, now)  # the user's share may be another by now
            is_sooner = now + lifetime < allocation.expires_at
            allocation.expires_at = now + lifetime
            if is_sooner:
                self._schedule(allocation)
        return request.success(LIFETIME(lifetime))

    def _lifetime(self, request: Message) -> int:
        """RFC 8656 section 7.2: what is wanted, but not under the default and not over the limit; 0 ends it."""
        wanted = request.find(LIFETIME)
        if wanted == 0 and request.method == Method.REFRESH:
            return 0
        return min(max(wanted or 0, DEFAULT_LIFETIME), self._config.max_lifetime)

    def _schedule(self, allocation: Allocation) -> None:
        heapq.heappush(self._ends, (allocation.expires_at, next(self._order), allocation))

    def _end(self, allocation: Allocation) -> None:
        del self._allocations[allocation.client]
        self._relaying.remove(allocation)
        self.forwarding.remove(allocation)
        self._leave(allocation.person)
        for relay in allocation.relays.values():
            self._openings.close(relay.local)
        if len(self._ends) > 2 * len(self._allocations) + 64:  # entries of allocations that ended early
            self._ends = [entry for entry in self._ends if self._allocations.get(entry[2].client) is entry[2]]
            heapq.heapify(self._ends)

    def _elsewhere(self, person: str) -> tuple[int, int]:
        """How many allocations the user, and how many all, have with other workers."""
        return (self._shared.of_others(person), self._shared.total_of_others()) if self._shared else (0, 0)

    def _enter(self, person: str) -> None:
        self._persons[person] += 1
        if self._shared is not None:
            self._shared.enter(person)

    def _leave(self, person: str) -> None:
        self._persons[person] -= 1
        if self._shared is not None:
            self._shared.leave(person)
        if self._persons[person] <= 0:
            del self._persons[person]
            self._buckets.pop(person, None)

    def _bucket(self, person: str, now: Instant) -> TokenBucket | None:
        rate = self._config.bytes_per_second
        if rate is None:
            return None
        elsewhere, _ = self._elsewhere(person)
        share = rate * self._persons[person] / (self._persons[person] + elsewhere)
        bucket = self._buckets.get(person)
        if bucket is None:
            bucket = self._buckets[person] = TokenBucket(share, share, now)
        elif self._shared is not None:
            bucket.change(share, share, now)
        return bucket

    # Permissions, channels, indications.

    def _create_permission(self, request: Message, client: FiveTuple, _user: Authenticated, now: Instant) -> Message:
        allocation = self._allocations[client]
        peers = request.find_all(XOR_PEER_ADDRESS)
        if not peers:
            return request.error(400, "Bad Request")
        for peer in peers:
            refusal = self._refusal(request, allocation, peer)
            if refusal is not None:
                return refusal
        try:
            allocation.permit([host for host, _ in peers], now, self._config)
        except ResourceLimitError:
            return request.error(508, "Insufficient Capacity")
        return request.success()

    def _bind_channel(self, request: Message, client: FiveTuple, _user: Authenticated, now: Instant) -> Message:
        allocation = self._allocations[client]
        number, peer = request.find(CHANNEL_NUMBER), request.find(XOR_PEER_ADDRESS)
        if number is None or peer is None or number not in ACCEPTED or not allocation.is_free(number, peer, now):
            return request.error(400, "Bad Request")
        refusal = self._refusal(request, allocation, peer)
        if refusal is not None:
            return refusal
        try:
            channel = allocation.bind(number, peer, now, self._config)
        except ResourceLimitError:
            return request.error(508, "Insufficient Capacity")
        channel.is_inside = peer[0] in self._own_hosts
        return request.success()

    def _refusal(self, request: Message, allocation: Allocation, peer: Address) -> Message | None:
        """Why there is to be no traffic with this peer; our own relayed addresses are left to `Relaying.to_peer`."""
        if family_of(peer[0]) not in allocation.relays:
            return request.error(443, "Peer Address Family Mismatch")
        is_relay = any(peer[0] == relay.outside for relay in self._config.relays)
        if not is_relay and (peer[0] in self._own_hosts or not self._config.peers.allows(peer[0])):
            return request.error(403, "Forbidden")
        return None

    def _receive_indication(self, message: Message, client: FiveTuple, now: Instant) -> bool:
        if message.method == Method.BINDING:
            return True  # a keep-alive
        allocation = self._allocations.get(client)
        peer, data = message.find(XOR_PEER_ADDRESS), message.find(DATA)
        if message.method != Method.SEND or allocation is None or peer is None or data is None:
            return False
        is_whole = message.find(DONT_FRAGMENT) is not None
        is_refused = message.unknown_required() or (is_whole and not self._config.dont_fragment)
        if is_refused or not allocation.permits(peer[0], now):
            self._relaying.traffic.dropped_unknown += 1
            return True
        relay = allocation.relays[family_of(peer[0])]
        self._relaying.to_peer(allocation, relay, peer, [data], now, is_whole=is_whole)
        return True
