"""The search for peers on a link, as a machine: asks, answers, and says whom it found (discovery/mdns.md, RFC 6762).

It asks at once and then ever more rarely, announces itself when it begins and when its addresses change, and answers
whoever asks, after a moment so that the answers of many do not collide (RFC 6762 section 6). Its own messages come back
to it on a multicast, and are known by the peer ID in them.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from zwerm.core.bounded import LruCache
from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.mdns import message
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.mdns.message import GROUP

FIRST_WAIT: Final = 1.0  # seconds between the first two questions; doubles (RFC 6762 section 5.2)
LONGEST_WAIT: Final = 300.0  # seconds
LEAST_BETWEEN: Final = 1.0  # seconds between two answers to the group (RFC 6762 section 6)
ANSWER_DELAY: Final = (0.02, 0.12)  # seconds (RFC 6762 section 6)
TELL_AGAIN: Final = 60.0  # seconds until a peer that is still there is an event once more: its connection may be gone
ANNOUNCEMENTS: Final = 2  # a second apart (RFC 6762 section 8.3)

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclasses.dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    """What can grow, and which network it is."""

    service: str = message.SERVICE  # with the fingerprint in it on a private network
    max_peers: int = 1_024  # that are remembered as told of
    max_waiting: int = 256  # datagrams and events that nobody took; more is dropped


@dataclasses.dataclass(frozen=True, slots=True)
class PeerFound:
    """A peer of this link, or new addresses of one. They are only said, not tried."""

    peer: PeerId
    addresses: tuple[Multiaddr, ...]  # without `/p2p/`


class Timer(enum.Enum):
    """The deadlines."""

    ASK = "the next question is due"
    ANSWER = "somebody asked, and is answered a moment later"
    ANNOUNCE = "the next of the announcements"


class _Told(NamedTuple):
    addresses: frozenset[Multiaddr]
    at: Instant


class Discovery:
    """One node on one link. Law 1 of `zwerm.core.machine` holds after each call."""

    def __init__(self, peer: PeerId, *, random: Random, now: Instant, config: DiscoveryConfig | None = None) -> None:
        """Begin; the first question is due at `now`. `random` makes the name and the waits."""
        self._peer = peer
        self._config = config or DiscoveryConfig()
        self._random = random
        self._name = "".join(_LETTERS[random.randbytes(1)[0] % len(_LETTERS)] for _ in range(32))
        self._addresses: tuple[Multiaddr, ...] = ()
        self._wait = FIRST_WAIT
        self._answered_at: Instant | None = None
        self._announcements = 0
        self._told: LruCache[PeerId, _Told] = LruCache(self._config.max_peers)
        self._transmits: deque[Transmit] = deque(maxlen=self._config.max_waiting)
        self._events: deque[PeerFound] = deque(maxlen=self._config.max_waiting)
        self._timers = TimerTable(Timer)
        self._timers.arm(Timer.ASK, now)

    def set_addresses(self, addresses: Sequence[Multiaddr], now: Instant) -> None:
        """Say where this node is, without `/p2p/`; announced when it is something new."""
        own = Multiaddr.from_text(f"/p2p/{self._peer}")
        complete = tuple(address.encapsulate(own) for address in addresses)
        if complete != self._addresses:
            self._addresses = complete
            if complete:
                self._announcements = ANNOUNCEMENTS
                self._timers.arm(Timer.ANNOUNCE, now)
                self.handle_timeout(now)

    def ask_again(self, now: Instant) -> None:
        """Ask at once: the network is another one."""
        self._wait = FIRST_WAIT
        self._timers.arm(Timer.ASK, now)
        self.handle_timeout(now)

    def say_goodbye(self) -> None:
        """Tell the link that this node is no more (RFC 6762 section 10.1)."""
        if self._addresses:
            data = message.answer(self._name, self._addresses, self._config.service, ttl=0)
            self._transmits.append(Transmit(data, GROUP))

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Take an untrusted datagram; return whether it was DNS at all."""
        try:
            received = message.parse(data)
        except WireError:
            return False
        if isinstance(received, message.Asked):
            self._hear(received, source, now)
        else:
            self._learn(received, now)
        return True

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            timer = fired.timer
            if timer is Timer.ASK:
                self._transmits.append(Transmit(message.question(self._config.service), GROUP))
                self._timers.arm(Timer.ASK, now + self._wait)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            elif timer is Timer.ANSWER:
                self._answer(now)
            else:
                self._answer(now)
                self._announcements -= 1
                if self._announcements > 0:
                    self._timers.arm(Timer.ANNOUNCE, now + LEAST_BETWEEN)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> PeerFound | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _hear(self, asked: message.Asked, source: Address, now: Instant) -> None:
        if message.META in asked.names:
            self._transmits.append(Transmit(message.services(self._config.service), GROUP))
        if not {self._config.service, f"{self._name}.{self._config.service}"} & asked.names or not self._addresses:
            return
        if asked.wants_unicast:
            data = message.answer(self._name, self._addresses, self._config.service)
            self._transmits.append(Transmit(data, source))
            return
        least, most = ANSWER_DELAY
        due = now + least + (most - least) * self._random.random()
        if self._answered_at is not None:
            due = max(due, self._answered_at + LEAST_BETWEEN)
        if self._timers.deadline(Timer.ANSWER) is None:
            self._timers.arm(Timer.ANSWER, due)

    def _answer(self, now: Instant) -> None:
        if self._addresses:
            self._answered_at = now
            data = message.answer(self._name, self._addresses, self._config.service)
            self._transmits.append(Transmit(data, GROUP))

    def _learn(self, answered: message.Answered, now: Instant) -> None:
        found: dict[PeerId, list[Multiaddr]] = {}
        for address in answered.addresses:
            try:
                peer = PeerId.from_text(address.components[-1].text)
            except WireError:
                continue
            found.setdefault(peer, []).append(Multiaddr(address.components[:-1]))
        for peer, addresses in found.items():
            known = frozenset(addresses)
            told = self._told.find(peer)
            if peer != self._peer and (told is None or told.addresses != known or now >= told.at + TELL_AGAIN):
                self._told.put(peer, _Told(known, now))
                self._events.append(PeerFound(peer, tuple(addresses)))
