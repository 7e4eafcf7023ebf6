"""The switchboard: sessions, calls, rooms and presence of one process as one machine.

The verbs are those of its parts (`calls`, `rooms`, `sessions`); after each, `pump` carries what one part says to the
others, and what is left for the shell comes out of `next_event`: wake or cut a connection, write down what has to last.
"""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

from zwerm.calls.limits import Buckets, CallsConfig, Refused
from zwerm.calls.message import serialize
from zwerm.calls.ringing import CallAnswered, CallEnded, Calls, Tell
from zwerm.calls.rooms import RoomChanged, RoomEnded, Rooms, Said
from zwerm.calls.sessions import Arrived, Cut, Gone, Parted, Party, Presence, Session, Sessions, Wake
from zwerm.core.machine import Instant

Effect: TypeAlias = Wake | Cut | CallAnswered | CallEnded | Said | RoomChanged | RoomEnded


class Switchboard:
    """One process' part of the calls service, without I/O, clock and randomness."""

    def __init__(self, config: CallsConfig) -> None:
        self.config = config
        self.sessions = Sessions(config)
        self.calls = Calls(config)
        self.rooms = Rooms(config)
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
                    self.sessions.deliver(told.endpoint, serialize(told.event), told.expires)
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
        if event.party.name is not None:
            self._tell_presence(event.party.name)

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
        if not self.sessions.deliver(to, serialize(event)):
            raise Refused("gone", "The other side is gone")

    def set_presence(self, session: Session, state: Presence) -> None:
        """Say how one can be reached at this device."""
        session.presence = state
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
            self._told[name] = self.sessions.presence(name)
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
        state = self.sessions.presence(name)
        if self._told[name] is state:
            return
        self._told[name] = state
        event = {"type": "presence", "name": name, "state": state.value}
        for endpoint in sorted(self._watchers[name]):
            self.sessions.deliver(endpoint, serialize(event))

    def tell_user(self, name: str, event: dict[str, Any], *, but: str | None = None) -> None:
        """Tell every session of a user, or all but one."""
        for session in self.sessions.of(name):
            if session.party.device != but:
                self.sessions.deliver(session.party.device, serialize(event))
