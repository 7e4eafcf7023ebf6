"""What one client, one user and all of them together may take: every limit of the calls service, with its reason."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import NamedTuple

from zwerm.core.errors import RemoteProtocolError
from zwerm.core.machine import Instant


class Refused(RemoteProtocolError):
    """A request that is not carried out; nothing was changed."""

    def __init__(self, code: str, what: str, *, wait: float | None = None) -> None:
        """Say why.

        Args:
            code: one of docs/calls.md, which a page translates by.
            what: an English sentence.
            wait: seconds after which it may be tried again, if that helps.
        """
        super().__init__(what)
        self.code = code
        self.wait = wait


def network_of(address: str) -> str:
    """By what the other end of a connection is counted: of IPv6 the /64, which is what one subscriber has at least."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


class Rate(NamedTuple):
    """So many at once, and after that so many each second."""

    burst: int
    each_second: float


class CallsConfig(NamedTuple):
    """Limits and times; times in seconds."""

    ping_after: float = 4.0  # of silence, before the other side is asked whether it is there
    dead_after: float = 8.0  # of silence; a dead connection is to be found in under 10
    linger: float = 60.0  # a session waits so long for its device to come back, and keeps what was said meanwhile
    greeting: float = 10.0  # a connection that has not said who it is by then is closed
    signing: float = 120.0  # added where a passkey was asked for: its dialog waits for a person

    ring: float = 45.0  # until nobody answered, when a device rings
    ring_away: float = 120.0  # the same when a push message or a mail has to fetch somebody
    ring_again: float = 10.0  # at least, when the process of a call was killed: so long its caller may take to be back

    sessions: int = 20_000  # on one process
    sessions_of_user: int = 16
    guests_of_host: int = 256  # of one address, or /64: they need no account
    unnamed: int = 2_000  # connections that have not said who they are
    unnamed_of_host: int = 64
    kept_events: int = 512  # waiting for one device; a device that lets more pile up loses its session
    kept_bytes: int = 1_048_576
    kept_results: int = 64  # answers kept for requests that are sent again

    messages: Rate = Rate(200, 50.0)  # of one session
    strangers: Rate = Rate(20, 0.5)  # requests for accounts and links from one host
    greetings: Rate = Rate(200, 5.0)  # wrong ones from one host; right ones are free, an office may come at once
    guesses: Rate = Rate(10, 0.05)  # wrong links from one host: a link has 128 bits
    rings: Rate = Rate(10, 0.2)  # by one user
    rings_at: Rate = Rate(5, 0.05)  # by one user at the same other
    open_calls: int = 16  # of one user
    calls: int = 20_000  # on one process

    mails_by: Rate = Rate(10, 10 / 3600)  # that one caller causes
    mails_to: Rate = Rate(5, 5 / 3600)  # that one callee or address gets
    pushes_to: Rate = Rate(20, 1 / 60)
    subscriptions: int = 8  # for push messages, of one user
    devices: int = 16
    passkeys: int = 8
    contacts: int = 1_000
    watched: int = 256  # names whose presence one session follows

    rooms: int = 2_000  # open on one process
    rooms_of_user: int = 32
    members: int = 200  # of one room: each hears of all others, so the work grows with the square
    waiting: int = 100  # people before the door of one room
    chat_kept: int = 1_000  # lines of one room
    chat: Rate = Rate(10, 1.0)  # lines of one member
    moves: Rate = Rate(10, 0.2)  # times that one page comes, or changes its name: all others hear of each
    moves_of_room: Rate = Rate(300, 10.0)  # the same of all pages together

    buckets: int = 50_000  # hosts and users whose rates are remembered


class Buckets:
    """Rates by key: each key may do `burst` at once and gains `each_second` after. Forgets who was longest away."""

    __slots__ = ("_kept", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, str], tuple[float, Instant]] = OrderedDict()  # tokens left, and when

    def take(self, what: str, key: str, rate: Rate, now: Instant) -> float:
        """Take one; return 0, or the seconds until there is one again when there is none."""
        left = self._left(what, key, rate, now)
        if left < 1.0:
            return (1.0 - left) / rate.each_second if rate.each_second else 86_400.0
        self._put(what, key, left - 1.0, now)
        return 0.0

    def is_empty(self, what: str, key: str, rate: Rate, now: Instant) -> bool:
        """Whether `take` would refuse."""
        return self._left(what, key, rate, now) < 1.0

    def spend(self, what: str, key: str, rate: Rate, now: Instant, code: str, sentence: str) -> None:
        """Take one.

        Raises:
            Refused: there is none; it says how long to wait.
        """
        if wait := self.take(what, key, rate, now):
            raise Refused(code, sentence, wait=round(wait, 1))

    def __len__(self) -> int:
        return len(self._kept)

    def _left(self, what: str, key: str, rate: Rate, now: Instant) -> float:
        tokens, since = self._kept.get((what, key), (float(rate.burst), now))
        return min(float(rate.burst), tokens + (now - since) * rate.each_second)

    def _put(self, what: str, key: str, tokens: float, now: Instant) -> None:
        self._kept[(what, key)] = (tokens, now)
        self._kept.move_to_end((what, key))
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
