"""The sessions of one process: which devices are there, through which connection, and what waits for them.

A *device* is a browser or program with a key; a *session* is one page of it, known to others by its *endpoint* and to
itself by a secret with which it comes back after a break. A connection is a name that the shell gave; a session without
one waits `linger` seconds for its device, and its mailbox keeps what is said meanwhile.

After `ping_after` seconds of silence a connection is asked whether it lives, after `dead_after` it is given up.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from typing import Any, NamedTuple, TypeAlias

from zwerm.calls.alarms import Alarms
from zwerm.calls.limits import Buckets, CallsConfig, Refused
from zwerm.calls.mailbox import Mailbox
from zwerm.core.errors import ResourceLimitError
from zwerm.core.machine import Instant


class Party(NamedTuple):
    """Somebody at a device."""

    name: str | None  # of the account; None for a guest
    device: str  # the endpoint: where exactly this page of the device is reached
    key: str  # the device's public key, base64url
    label: str  # what people read

    def document(self) -> dict[str, str | None]:
        return self._asdict()


class Presence(enum.Enum):
    """How a person can be reached; the first that holds for any of their sessions."""

    AVAILABLE = "available"
    BUSY = "busy"
    QUIET = "quiet"  # does not want to be disturbed
    AWAY = "away"
    OFFLINE = "offline"


class Wake(NamedTuple):
    """There is something to send to this endpoint."""

    endpoint: str


class Cut(NamedTuple):
    """Close this connection, after saying why."""

    connection: str
    code: str
    what: str


class Arrived(NamedTuple):
    """A session began, or came back."""

    party: Party


class Parted(NamedTuple):
    """A session has no connection now; it may come back."""

    party: Party


class Gone(NamedTuple):
    """A session is over."""

    party: Party


SessionEvent: TypeAlias = Wake | Cut | Arrived | Parted | Gone


class Session:
    """One page or program that is signed in."""

    __slots__ = (
        "connection",
        "device",
        "heard",
        "last_heard",
        "mailbox",
        "network",
        "outbox",
        "parted_at",
        "party",
        "presence",
        "rates",
        "results",
        "secret",
        "user",
    )

    def __init__(
        self, party: Party, device: str, user: str | None, secret: str, config: CallsConfig, *, network: str = ""
    ) -> None:
        self.party = party
        self.device = device  # its id in the store; a guest's is the endpoint
        self.user = user  # the account's id; None for a guest
        self.network = network  # by which guests are counted
        self.secret = secret
        self.connection: str | None = None
        self.last_heard: Instant = 0.0
        self.parted_at: Instant | None = None
        self.mailbox = Mailbox(config.kept_events, config.kept_bytes)
        self.outbox: deque[str] = deque()  # answers and pings for this connection: they die with it
        self.heard = 0  # the highest request number that was taken
        self.results: OrderedDict[int, str] = OrderedDict()  # answers, for requests that are sent again
        self.presence = Presence.AVAILABLE
        self.rates = Buckets(8)

    def dump(self, now: Instant) -> dict[str, Any]:
        """All of it, for another process."""
        return {
            "party": self.party.document(),
            "device": self.device,
            "user": self.user,
            "kept": self.mailbox.dump(now),
            "numbered": self.mailbox.numbered,
            "heard": self.heard,
            "results": list(self.results.items()),
            "presence": self.presence.value,
        }

    @classmethod
    def restore(cls, given: dict[str, Any], secret: str, config: CallsConfig, now: Instant, network: str) -> Session:
        """Make a session of what `dump` gave, under a new secret."""
        session = cls(Party(**given["party"]), given["device"], given["user"], secret, config, network=network)
        session.mailbox.restore(given["kept"], given["numbered"], now)
        session.heard = given["heard"]
        session.results = OrderedDict((number, text) for number, text in given["results"])
        session.presence = Presence(given["presence"])
        return session


class Sessions:
    """All sessions of a process."""

    def __init__(self, config: CallsConfig) -> None:
        self._config = config
        self._by_endpoint: dict[str, Session] = {}
        self._by_secret: dict[str, Session] = {}
        self._by_name: dict[str, dict[str, Session]] = {}
        self._guests: dict[str, int] = {}  # by network
        self._alarms = Alarms()
        self._events: deque[SessionEvent] = deque()

    def open(self, session: Session, connection: str, now: Instant) -> None:
        """Take a new session.

        Raises:
            Refused: too many, of all or, for a guest, from there.
        """
        config, party = self._config, session.party
        mine = self._by_name.get(party.name, {}) if party.name else {}
        if len(mine) >= config.sessions_of_user:
            oldest = min(mine.values(), key=lambda each: (each.connection is not None, each.last_heard))
            self.close(oldest.party.device, "replaced", "too many pages are open under this name")
        if len(self._by_endpoint) >= config.sessions:
            raise Refused("full", "The service is full", wait=30.0)
        if session.user is None and self._guests.get(session.network, 0) >= config.guests_of_host:
            raise Refused("full", "Too many guests from there", wait=30.0)
        self._by_endpoint[party.device] = session
        self._by_secret[session.secret] = session
        if party.name:
            self._by_name.setdefault(party.name, {})[party.device] = session
        if session.user is None:
            self._guests[session.network] = self._guests.get(session.network, 0) + 1
        self._connect(session, connection, now)

    def resume(self, secret: str, device: str, number: int, connection: str, now: Instant) -> Session | None:
        """Give a session a new connection; None when it is over, or is no session of this device.

        A connection that it still had is cut: the device knows better than we do that it is dead.
        """
        session = self._resumable(secret, device, number)
        if session is None:
            return None
        if session.connection is not None:
            self._events.append(Cut(session.connection, "replaced", "this session goes on elsewhere"))
        self._connect(session, connection, now)
        return session

    def _connect(self, session: Session, connection: str, now: Instant) -> None:
        session.connection = connection
        session.outbox.clear()
        session.last_heard = now
        session.parted_at = None
        self._alarms.set(session.party.device, now + self._config.ping_after)
        self._events.append(Arrived(session.party))
        if session.mailbox.has_unsent:
            self._events.append(Wake(session.party.device))

    def heard(self, endpoint: str, now: Instant) -> None:
        """Note that something came from there."""
        session = self._by_endpoint.get(endpoint)
        if session is not None:
            session.last_heard = now

    def lost(self, endpoint: str, connection: str, now: Instant) -> None:
        """A connection ended; nothing happens when the session has another one by now."""
        session = self._by_endpoint.get(endpoint)
        if session is not None and session.connection == connection:
            self._part(session, now)

    def hand_over(self, secret: str, device: str, number: int) -> Session | None:
        """Let a session go on at another process, from after event `number`; None as for `resume`. It is no end."""
        session = self._resumable(secret, device, number)
        if session is not None:
            self._remove(session, "replaced", "this session goes on elsewhere")
        return session

    def _resumable(self, secret: str, device: str, number: int) -> Session | None:
        session = self._by_secret.get(secret)
        if session is None or session.device != device:
            return None
        if not session.mailbox.resume(number):
            self.close(session.party.device, "lost", "events are gone that this device has not heard")
            return None
        return session

    def close(self, endpoint: str, code: str, what: str) -> None:
        """End a session for good."""
        session = self._by_endpoint.get(endpoint)
        if session is not None:
            self._remove(session, code, what)
            self._events.append(Gone(session.party))

    def _remove(self, session: Session, code: str, what: str) -> None:
        endpoint = session.party.device
        del self._by_endpoint[endpoint]
        del self._by_secret[session.secret]
        if session.party.name:
            mine = self._by_name[session.party.name]
            del mine[endpoint]
            if not mine:
                del self._by_name[session.party.name]
        if session.user is None:
            self._guests[session.network] -= 1
            if not self._guests[session.network]:
                del self._guests[session.network]
        self._alarms.cancel(endpoint)
        if session.connection is not None:
            self._events.append(Cut(session.connection, code, what))
            session.connection = None

    def deliver(self, endpoint: str, text: str, expires: Instant | None = None) -> bool:
        """Put an event into a mailbox; False when there is no such session, or it was so full that it is over now."""
        session = self._by_endpoint.get(endpoint)
        if session is None:
            return False
        try:
            session.mailbox.put(text, expires)
        except ResourceLimitError:
            self.close(endpoint, "overflow", "this device does not read what it is sent")
            return False
        if session.connection is not None:
            self._events.append(Wake(endpoint))
        return True

    def answer(self, session: Session, number: int | None, text: str) -> None:
        """Send the result of a request, and keep it for the case that the request comes again."""
        if number is not None:
            session.results[number] = text
            if len(session.results) > self._config.kept_results:
                session.results.popitem(last=False)
        if session.connection is not None:
            session.outbox.append(text)
            self._events.append(Wake(session.party.device))

    def next_text(self, endpoint: str, now: Instant) -> str | None:
        """What to send there next; None when there is nothing, or nobody."""
        session = self._by_endpoint.get(endpoint)
        if session is None or session.connection is None:
            return None
        return session.outbox.popleft() if session.outbox else session.mailbox.next_text(now)

    def all(self) -> list[Session]:
        """Every session."""
        return list(self._by_endpoint.values())

    def find(self, endpoint: str) -> Session | None:
        return self._by_endpoint.get(endpoint)

    def of(self, name: str) -> list[Session]:
        """The sessions of a user, those without a connection too."""
        return list(self._by_name.get(name, {}).values())

    def presence(self, name: str) -> Presence:
        """How a user can be reached now."""
        states = {session.presence for session in self.of(name) if session.connection is not None}
        return next((state for state in Presence if state in states), Presence.OFFLINE)

    @property
    def names(self) -> int:
        """How many users are there."""
        return len(self._by_name)

    def __len__(self) -> int:
        return len(self._by_endpoint)

    def handle_timeout(self, now: Instant) -> None:
        """Ask the silent ones, give up the dead ones, end what nobody came back to."""
        while (endpoint := self._alarms.pop(now)) is not None:
            session = self._by_endpoint[endpoint]
            if session.connection is None:
                self.close(endpoint, "lost", "")
                continue
            # Sums, as the deadlines were made: a difference can be a rounding less, and then this would never end.
            if now >= session.last_heard + self._config.dead_after:
                self._events.append(Cut(session.connection, "dead", "nothing was heard from this device"))
                self._part(session, now)
            elif now >= session.last_heard + self._config.ping_after:
                session.outbox.append('{"type":"ping"}')
                self._events.append(Wake(endpoint))
                self._alarms.set(endpoint, session.last_heard + self._config.dead_after)
            else:
                self._alarms.set(endpoint, session.last_heard + self._config.ping_after)

    def _part(self, session: Session, now: Instant) -> None:
        session.connection = None
        session.parted_at = now
        session.outbox.clear()
        self._alarms.set(session.party.device, now + self._config.linger)
        self._events.append(Parted(session.party))

    def next_timeout(self) -> Instant | None:
        return self._alarms.next_timeout()

    def next_event(self) -> SessionEvent | None:
        return self._events.popleft() if self._events else None
