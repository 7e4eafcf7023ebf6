"""Relayed addresses on their way: what a client wishes, the ports that are tried for it, and ports kept for later."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Final, NamedTuple

from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.webrtc.stun.address import IPV4, IPV6, family_of
from zwerm.webrtc.stun.attributes import (
    ADDITIONAL_ADDRESS_FAMILY,
    EVEN_PORT,
    REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT,
    RESERVATION_TOKEN,
)
from zwerm.webrtc.stun.message import Message
from zwerm.webrtc.turn.server.allocation import Relay
from zwerm.webrtc.turn.server.authenticator import Authenticated
from zwerm.webrtc.turn.server.config import RESERVATION_LIFETIME, FiveTuple, RelayHost, TurnServerConfig

MAX_TRIES: Final = 8  # ports for one allocation
MAX_RESERVATIONS: Final = 256  # ports kept for allocations to come
UDP: Final = 17


class OpenRelay(NamedTuple):
    """Open a UDP socket there, and tell `relay_opened` or `relay_failed`."""

    local: Address


class CloseRelay(NamedTuple):
    """Close that socket."""

    local: Address


class Wishes(NamedTuple):
    """What an Allocate request asks for, as far as this server has it."""

    families: tuple[int, ...]
    is_even: bool = False
    reserves_next: bool = False
    token: bytes | None = None
    missing_family: int | None = None  # wished for in addition, and not to be had

    @classmethod
    def of(cls, request: Message, config: TurnServerConfig) -> Wishes | Message:
        """Read the wishes, or return the refusal (RFC 8656 section 7.2, steps 3 to 9)."""
        transport = request.find(REQUESTED_TRANSPORT)
        if transport is None:
            return request.error(400, "Bad Request")
        if transport != UDP:
            return request.error(442, "Unsupported Transport Protocol")
        family, additional = request.find(REQUESTED_ADDRESS_FAMILY), request.find(ADDITIONAL_ADDRESS_FAMILY)
        even, token = request.find(EVEN_PORT), request.find(RESERVATION_TOKEN)
        if token is not None and (even is not None or family is not None or additional is not None):
            return request.error(400, "Bad Request")
        if additional is not None and (family is not None or additional != IPV6 or even):
            return request.error(400, "Bad Request")
        has = [family_of(relay.local) for relay in config.relays]
        first = IPV4 if family is None else family
        if token is None and first not in has:
            return request.error(440, "Address Family not Supported")
        families: tuple[int, ...] = (first, IPV6) if additional is not None and IPV6 in has else (first,)
        missing = IPV6 if additional is not None and IPV6 not in has else None
        return cls(families, even is not None, bool(even), token, missing)


@dataclasses.dataclass(slots=True)
class Opening:
    """An allocation that waits for its sockets."""

    client: FiveTuple
    request: Message
    user: Authenticated
    person: str
    wishes: Wishes
    relays: dict[int, Relay] = dataclasses.field(default_factory=dict)  # by family; asked for, then there
    next_relay: Relay | None = None  # the port after an even one
    token: bytes | None = None  # for `next_relay`
    waiting: set[Address] = dataclasses.field(default_factory=set)
    tries: int = 0


class Openings:
    """Chooses ports and counts sockets in."""

    def __init__(self, config: TurnServerConfig, random: Random) -> None:
        self._hosts: dict[int, RelayHost] = {family_of(relay.local): relay for relay in config.relays}
        self._ports = config.ports
        self._random = random
        self._by_client: dict[FiveTuple, Opening] = {}
        self._by_local: dict[Address, Opening] = {}
        self._in_use: set[Address] = set()  # sockets that are open, or asked for
        self._reserved: dict[bytes, tuple[Relay, Instant]] = {}
        self._events: deque[OpenRelay | CloseRelay] = deque()

    @property
    def count(self) -> int:
        return len(self._by_client)

    def is_under_way(self, client: FiveTuple) -> bool:
        return client in self._by_client

    def start(self, opening: Opening, now: Instant) -> Opening | None:
        """Ask for the sockets of an allocation; return it when they are there already: a reserved one."""
        token = opening.wishes.token
        if token is not None:
            relay, ends_at = self._reserved.pop(token, (None, now))
            if relay is None:
                return None
            if ends_at <= now:
                self.close(relay.local)
                return None
            opening.relays = {family_of(relay.local[0]): relay}
            return opening
        if self._ask(opening):
            self._by_client[opening.client] = opening
        return None

    def opened(self, local: Address, now: Instant) -> Opening | None:
        """A socket is there; return the allocation that lacks none any more."""
        opening = self._by_local.pop(local, None)
        if opening is None:
            self.close(local)  # nobody waits for it any longer
            return None
        opening.waiting.discard(local)
        if opening.waiting:
            return None
        del self._by_client[opening.client]
        if opening.next_relay is not None and len(self._reserved) < MAX_RESERVATIONS:
            opening.token = self._random.randbytes(8)
            self._reserved[opening.token] = opening.next_relay, now + RESERVATION_LIFETIME
        elif opening.next_relay is not None:
            self.close(opening.next_relay.local)
        return opening

    def failed(self, local: Address) -> Opening | None:
        """A socket is not to be had; return the allocation if that was its last try."""
        self._in_use.discard(local)
        opening = self._by_local.pop(local, None)
        if opening is None:
            return None
        self._drop(opening, but=local)
        if opening.tries < MAX_TRIES and self._ask(opening):
            return None
        del self._by_client[opening.client]
        return opening

    def abandon(self, client: FiveTuple) -> Opening | None:
        """Forget an allocation that waits, as its client is gone."""
        opening = self._by_client.pop(client, None)
        if opening is not None:
            self._drop(opening)
        return opening

    def close(self, local: Address) -> None:
        if local in self._in_use:
            self._in_use.discard(local)
            self._events.append(CloseRelay(local))

    def handle_timeout(self, now: Instant) -> None:
        for token in [token for token, (_, ends_at) in self._reserved.items() if ends_at <= now]:
            self.close(self._reserved.pop(token)[0].local)

    def next_event(self) -> OpenRelay | CloseRelay | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return min((ends_at for _, ends_at in self._reserved.values()), default=None)

    def _drop(self, opening: Opening, but: Address | None = None) -> None:
        """Close what was opened for it, and forget what was asked for."""
        relays = [*opening.relays.values(), *([opening.next_relay] if opening.next_relay else [])]
        for relay in relays:
            self._by_local.pop(relay.local, None)
            if relay.local not in opening.waiting and relay.local != but:
                self.close(relay.local)
        opening.relays, opening.next_relay = {}, None
        opening.waiting.clear()

    def _ask(self, opening: Opening) -> bool:
        """Choose ports that are free as far as we know, and ask for them; False when there are none."""
        opening.tries += 1
        wishes = opening.wishes
        chosen: dict[int, Relay] = {}
        for family in wishes.families:
            relay = self._choose(self._hosts[family], is_even=wishes.is_even, with_next=wishes.reserves_next)
            if relay is None:
                return False
            chosen[family] = relay
        opening.relays = chosen
        for family, relay in chosen.items():
            self._wait_for(opening, relay)
            if wishes.reserves_next:
                opening.next_relay = self._relay(self._hosts[family], relay.local[1] + 1)
                self._wait_for(opening, opening.next_relay)
        self._events.extend(OpenRelay(local) for local in sorted(opening.waiting))
        return True

    def _wait_for(self, opening: Opening, relay: Relay) -> None:
        self._in_use.add(relay.local)
        self._by_local[relay.local] = opening
        opening.waiting.add(relay.local)

    def _choose(self, host: RelayHost, *, is_even: bool, with_next: bool) -> Relay | None:
        start = self._random.randrange(len(self._ports))  # RFC 6056: not to be guessed
        for index in range(min(len(self._ports), 4_096)):
            port = self._ports[(start + index) % len(self._ports)]
            if is_even and port % 2:
                continue
            if with_next and (port + 1 not in self._ports or (host.local, port + 1) in self._in_use):
                continue
            if (host.local, port) not in self._in_use:
                return self._relay(host, port)
        return None

    def _relay(self, host: RelayHost, port: int) -> Relay:
        return Relay((host.local, port), (host.outside, port))
