"""The switchboard: sessions, calls, rooms and presence of one process as one machine.

The verbs are those of its parts (`calls`, `rooms`, `sessions`); after each, `pump` carries what one part says to the
others, and what is left for the shell comes out of `next_event`: wake or cut a connection, write down what has to last.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple, TypeAlias

from zwerm.calls.bus.elsewhere import Away, Elsewhere
from zwerm.calls.limits import Buckets, CallsConfig, Refused
from zwerm.calls.message import serialize
from zwerm.calls.ringing import CallAnswered, CallEnded, Calls, Tell
from zwerm.calls.rooms import RoomChanged, RoomEnded, Rooms, Said
from zwerm.calls.sessions import Arrived, Cut, Gone, Parted, Party, Presence, Session, Sessions, Wake
from zwerm.core.machine import Instant


class Send(NamedTuple):
    """Put this event into the mailbox of a session at another process."""

    process: str
    endpoint: str
    text: str
    left: float | None  # seconds until it expires
    hops: int


class Close(NamedTuple):
    """End a session at another process."""

    process: str
    endpoint: str
    code: str
    what: str


class Changed(NamedTuple):
    """A session of ours came, changed or went: the other processes should know."""

    endpoint: str


Effect: TypeAlias = Send | Close | Changed | Wake | Cut | CallAnswered | CallEnded | Said | RoomChanged | RoomEnded


class Switchboard:
    """One process' part of the calls service, without I/O, clock and randomness."""

    def __init__(self, config: CallsConfig) -> None:
        self.config = config
        self.sessions = Sessions(config)
        self.calls = Calls(config)
        self.rooms = Rooms(config)
        self.elsewhere = Elsewhere()
        self.is_several = False  # whether there can be other processes
        self.rates = Buckets(config.buckets)
        self._watchers: dict[str, set[str]] = {}  # endpoints by the name they watch
        self._watching: dict[str, frozenset[str]] = {}  # names by the endpoint that watches them
        self._told: dict[str, Presence] = {}  # of watched names
        self._effects: deque[Effect] = deque()

    def pump(self, now: Instant) -> None:
        """Carry events between the parts until nothing moves. Call it after every verb."""
        while True:
            if (event := self.sessions.next_event()) is not None:
                self._take_session_event(event, now)
            elif (told := self.calls.next_event() or self.rooms.next_event()) is not None:
                if isinstance(told, Tell):
                    self.deliver(told.endpoint, serialize(told.event), told.expires, now)
                else:
                    self._effects.append(told)
            else:
                return

    def _take_session_event(self, event: Wake | Cut | Arrived | Parted | Gone, now: Instant) -> None:
        match event:
            case Arrived(party):
                self.calls.arrived(party, now)
                self.rooms.arrived(party)
            case Parted(party):
                self.rooms.parted(party)
            case Gone(party):
                self.calls.gone(party)
                self.rooms.gone(party)
                self._forget_watcher(party.device)
            case _:
                self._effects.append(event)
                return
        if self.is_several:
            self._effects.append(Changed(event.party.device))
        if event.party.name is not None:
            self._tell_presence(event.party.name)

    def deliver(self, endpoint: str, text: str, expires: Instant | None, now: Instant, *, hops: int = 0) -> bool:
        """Put an event into a mailbox, here or at another process; False when there is no such session."""
        if self.sessions.deliver(endpoint, text, expires):
            return True
        if (away := self.elsewhere.find(endpoint)) is None:
            return False
        left = None if expires is None else max(0.0, expires - now)
        self._effects.append(Send(away.process, endpoint, text, left, hops))
        return True

    def tell(self, endpoint: str, event: dict[str, Any]) -> bool:
        """Tell one session something that does not expire."""
        return self.deliver(endpoint, serialize(event), None, 0.0)

    def close(self, endpoint: str, code: str, what: str) -> None:
        """End a session, here or at another process."""
        if (away := self.elsewhere.find(endpoint)) is not None:
            self._effects.append(Close(away.process, endpoint, code, what))
        else:
            self.sessions.close(endpoint, code, what)

    def there_elsewhere(self, away: Away, now: Instant) -> None:
        """Another process says that it has a session, and how it is."""
        party = away.party
        if self.sessions.find(party.device) is not None:
            return  # it came back here meanwhile
        old = self.elsewhere.put(away)
        if away.is_connected and (old is None or not old.is_connected):
            self.calls.arrived(party, now)
            self.rooms.arrived(party)
        elif old is not None and old.is_connected and not away.is_connected:
            self.rooms.parted(party)
        if party.name is not None:
            self._tell_presence(party.name)

    def gone_elsewhere(self, process: str, endpoint: str) -> None:
        """A session of another process is over."""
        if (old := self.elsewhere.remove(endpoint, process)) is None:
            return
        self.calls.gone(old.party)
        self.rooms.gone(old.party)
        if old.party.name is not None:
            self._tell_presence(old.party.name)

    def hand_over(self, secret: str, device: str, number: int, process: str, now: Instant) -> dict[str, Any]:
        """Let a session go on at another process; empty when it is over, or is no session of this device."""
        session = self.sessions.hand_over(secret, device, number)
        if session is None:
            return {}
        endpoint = session.party.device
        found = session.dump(now) | {"watching": sorted(self._watching.get(endpoint, ()))}
        self._forget_watcher(endpoint)
        self.elsewhere.put(Away(session.party, process, session.presence, is_connected=True))
        return found

    def take_over(self, session: Session, watching: list[str], connection: str, now: Instant) -> None:
        """Go on with a session that another process handed over."""
        self.elsewhere.remove(session.party.device)
        self.sessions.open(session, connection, now)
        self.watch(session, watching)

    def adopt(self, call: str, caller: Party, callee: str, media: list[str], due: Instant, now: Instant) -> None:
        """Take over a call of a process that was killed."""
        callers = [each.party for each in self.sessions.of(caller.name or "") if each.connection is not None]
        callers += [each.party for each in self.elsewhere.of(caller.name or "") if each.is_connected]
        endpoints = [endpoint for endpoint, is_connected in self.reached(callee) if is_connected]
        self.calls.adopt(call, caller, callee, media, due, now, callers=callers, endpoints=endpoints)

    def reached(self, name: str) -> list[tuple[str, bool]]:
        """The endpoints of a user, at whatever process, and whether each has a connection."""
        found = [(each.party.device, each.connection is not None) for each in self.sessions.of(name)]
        return found + [(each.party.device, each.is_connected) for each in self.elsewhere.of(name)]

    def presence(self, name: str) -> Presence:
        """How a user can be reached now, at whatever process."""
        here = self.sessions.presence(name)
        states = {each.presence for each in self.elsewhere.of(name) if each.is_connected}
        return here if not states else next(state for state in Presence if state in states | {here})

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due."""
        self.sessions.handle_timeout(now)
        self.calls.handle_timeout(now)
        self.pump(now)

    def next_timeout(self) -> Instant | None:
        due = [each for each in (self.sessions.next_timeout(), self.calls.next_timeout()) if each is not None]
        return min(due, default=None)

    def next_event(self) -> Effect | None:
        return self._effects.popleft() if self._effects else None

    def signal(self, by: Party, to: str, data: str, *, call: str | None, room: str | None) -> None:
        """Carry what one side of a call, or one member of a room, says to another; nobody else is reached.

        Raises:
            Refused: they have no call and no room together.
        """
        if call is not None:
            ends = self.calls.find(call, by).ends()
            if by.device not in ends or to not in ends or to == by.device:
                raise Refused("not-yours", "This device has no part in the call")
        elif room is not None:
            self.rooms.check_inside(room, by, to)
        else:
            raise Refused("bad-message", "A signal belongs to a call or to a room")
        event: dict[str, Any] = {"type": "signal", "from": by.device, "data": data}
        event |= {"call": call} if call is not None else {"room": room}
        if not self.tell(to, event):
            raise Refused("gone", "The other side is gone")

    def set_presence(self, session: Session, state: Presence) -> None:
        """Say how one can be reached at this device."""
        session.presence = state
        if self.is_several:
            self._effects.append(Changed(session.party.device))
        if session.party.name is not None:
            self._tell_presence(session.party.name)

    def watch(self, session: Session, names: list[str]) -> dict[str, str]:
        """Follow the presence of these people, and of nobody else from now on; return what it is."""
        endpoint = session.party.device
        self._forget_watcher(endpoint)
        watched = frozenset(names[: self.config.watched])
        self._watching[endpoint] = watched
        for name in watched:
            self._watchers.setdefault(name, set()).add(endpoint)
            self._told[name] = self.presence(name)
        return {name: self._told[name].value for name in sorted(watched)}

    def _forget_watcher(self, endpoint: str) -> None:
        for name in self._watching.pop(endpoint, ()):
            watchers = self._watchers[name]
            watchers.discard(endpoint)
            if not watchers:
                del self._watchers[name]
                del self._told[name]

    def _tell_presence(self, name: str) -> None:
        if name not in self._watchers:
            return
        state = self.presence(name)
        if self._told[name] is state:
            return
        self._told[name] = state
        event = {"type": "presence", "name": name, "state": state.value}
        for endpoint in sorted(self._watchers[name]):
            self.sessions.deliver(endpoint, serialize(event))

    def tell_user(self, name: str, event: dict[str, Any], *, but: str | None = None) -> None:
        """Tell every session of a user, or all but one."""
        for endpoint, _ in self.reached(name):
            if endpoint != but:
                self.tell(endpoint, event)
