"""Rooms: people meet behind a link (docs/calls.md, "Rooms").

Whoever has the link may knock; where the room has a waiting room, a host lets them in. Hosts are the pages of the
account that opened the room. A room's members are endpoints, so somebody who comes back after a break is still there.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any, NamedTuple, TypeAlias

from zwerm.calls.limits import Buckets, CallsConfig, Refused
from zwerm.calls.ringing import Tell
from zwerm.calls.sessions import Party
from zwerm.core.machine import Instant


@dataclasses.dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as the store has it."""

    id: str
    title: str
    owner: str  # name of the account whose pages are hosts
    waiting: bool  # whether people wait until a host lets them in
    keep_chat: float  # seconds that a line is kept; 0: as long as somebody is in the room
    locked: bool = False


class Line(NamedTuple):
    """A line of chat."""

    n: int
    member: str
    label: str
    text: str
    at: float  # seconds since 1970

    def document(self, room: str) -> dict[str, Any]:
        return {"type": "room-said", "room": room, **self._asdict()}


class Said(NamedTuple):
    """For the store: a line of a room that keeps its chat."""

    room: str
    line: Line
    keep: float  # seconds


class RoomChanged(NamedTuple):
    """For the store: it was locked or unlocked."""

    room: str
    locked: bool


class RoomEnded(NamedTuple):
    """For the store: a host ended it; the link opens nothing any more."""

    room: str


RoomEvent: TypeAlias = Tell | Said | RoomChanged | RoomEnded


@dataclasses.dataclass(slots=True)
class _Member:
    party: Party
    label: str
    state: str  # as in the schema
    is_host: bool

    def document(self) -> dict[str, Any]:
        party = self.party
        return {
            "member": party.device,
            "name": party.name,
            "label": self.label,
            "key": party.key,
            "host": self.is_host,
            "state": self.state,
        }


class _Room:
    __slots__ = ("chat", "locked", "members", "numbered", "record")

    def __init__(self, record: RoomRecord, chat: list[Line], limit: int) -> None:
        self.record = record
        self.locked = record.locked
        self.members: dict[str, _Member] = {}
        self.chat: deque[Line] = deque(chat, limit)
        self.numbered = max((line.n for line in chat), default=0)

    def inside(self) -> list[_Member]:
        return [member for member in self.members.values() if member.state != "waiting"]


class Rooms:
    """The rooms in which somebody is. One that the last member leaves is forgotten here; the store has it still."""

    def __init__(self, config: CallsConfig) -> None:
        self._config = config
        self._rooms: dict[str, _Room] = {}
        self._of: dict[str, set[str]] = {}  # rooms by endpoint
        self._rates = Buckets(config.buckets)
        self._events: deque[RoomEvent] = deque()

    def join(self, record: RoomRecord, chat: list[Line], party: Party, label: str, now: Instant) -> dict[str, Any]:
        """Bring somebody to the door, or inside; return what they are told at once.

        Args:
            record: the room.
            chat: its lines, should nobody be in it yet.
            party: who comes.
            label: the name shown to the others.
            now: the time.

        Raises:
            Refused: it is locked or full, or too many come, or this one too often.
        """
        room = self._rooms.get(record.id)
        is_new = room is None
        if room is None:
            if len(self._rooms) >= self._config.rooms:
                raise Refused("full", "Too many rooms are open", wait=30.0)
            room = _Room(record, chat, self._config.chat_kept)
        is_host = party.name == record.owner
        old = room.members.get(party.device)
        state = old.state if old else ("waiting" if record.waiting and not is_host else "inside")
        if old is None:
            self._check_door(room, state, is_host=is_host)
        self._check_pace(record.id, party, now)
        if is_new:
            self._rooms[record.id] = room
        member = _Member(party, label, state, is_host)
        room.members[party.device] = member
        self._of.setdefault(party.device, set()).add(record.id)
        self._announce(room, member)
        answer: dict[str, Any] = {
            "room": record.id,
            "title": record.title,
            "state": state,
            "host": is_host,
            "locked": room.locked,
            "keep_chat": record.keep_chat,
        }
        if state != "waiting":
            answer |= self._inside(room, member)
        return answer

    def _check_door(self, room: _Room, state: str, *, is_host: bool) -> None:
        if room.locked and not is_host:
            raise Refused("room-locked", "The room is locked")
        same = sum(1 for each in room.members.values() if (each.state == "waiting") == (state == "waiting"))
        if same >= (self._config.waiting if state == "waiting" else self._config.members):
            raise Refused("room-full", "The room is full", wait=30.0)

    def _check_pace(self, room_id: str, party: Party, now: Instant) -> None:
        """Whoever comes, or changes their name, is announced: a few guests must not drown a room in that."""
        config, sentence = self._config, "Too much coming and going"
        self._rates.spend("moves", f"{room_id} {party.device}", config.moves, now, "too-fast", sentence)
        self._rates.spend("moves-of-room", room_id, config.moves_of_room, now, "too-fast", sentence)

    @staticmethod
    def _inside(room: _Room, member: _Member) -> dict[str, Any]:
        """What somebody sees who comes in. Hosts see who waits, too."""
        seen = room.members.values() if member.is_host else room.inside()
        chat = [line._asdict() for line in room.chat]
        return {"members": [each.document() for each in seen], "chat": chat}

    def _announce(self, room: _Room, member: _Member) -> None:
        event = {"type": "room-member", "room": room.record.id, "who": member.document()}
        hidden = member.state == "waiting"
        for other in room.inside():
            if other is not member and (other.is_host or not hidden):
                self._tell(other, event)

    def admit(self, room_id: str, by: Party, endpoint: str) -> None:
        """Let somebody in who waits. Raises as `remove`; also a `Refused` when the room is full."""
        room = self._hosted(room_id, by)
        member = self._member(room, endpoint)
        if member.state != "waiting":
            return
        if len(room.inside()) >= self._config.members:
            raise Refused("room-full", "The room is full", wait=30.0)
        member.state = "inside"
        self._tell(member, {"type": "room-let-in", "room": room_id, **self._inside(room, member)})
        self._announce(room, member)

    def remove(self, room_id: str, by: Party, endpoint: str) -> None:
        """Put somebody out, or send them away from the door.

        Raises:
            Refused: not a host, or nobody of that name is there.
        """
        room = self._hosted(room_id, by)
        member = self._member(room, endpoint)
        reason = "refused" if member.state == "waiting" else "removed"
        self._tell(member, {"type": "room-closed", "room": room_id, "reason": reason})
        self._leave(room, member)

    def ask(self, room_id: str, by: Party, endpoint: str, what: str) -> None:
        """Ask somebody to mute, or the like; it is their page that does it. Raises as `remove`."""
        room = self._hosted(room_id, by)
        event = {"type": "room-asked", "room": room_id, "what": what, "by": by.device}
        self._tell(self._member(room, endpoint), event)

    def lock(self, room_id: str, by: Party, *, locked: bool) -> None:
        """Let nobody else in, or in again. Raises as `remove`."""
        room = self._hosted(room_id, by)
        if room.locked != locked:
            room.locked = locked
            self._events.append(RoomChanged(room_id, locked))
            for member in room.inside():
                self._tell(member, {"type": "room-locked", "room": room_id, "locked": locked})

    def end(self, room_id: str, by: Party) -> None:
        """Send everybody home, and let the link open nothing any more. Raises as `remove`."""
        room = self._hosted(room_id, by)
        for member in list(room.members.values()):
            if member.party.device != by.device:
                self._tell(member, {"type": "room-closed", "room": room_id, "reason": "ended"})
            self._leave_index(member.party.device, room_id)
        del self._rooms[room_id]
        self._events.append(RoomEnded(room_id))

    def leave(self, room_id: str, by: Party) -> None:
        """Go. Raises a `Refused` when one is not there."""
        room = self._room(room_id, by)
        self._leave(room, room.members[by.device])

    def rename(self, room_id: str, by: Party, label: str, now: Instant) -> None:
        """Change the name that the others see. Raises a `Refused` when one is not there, or does so too often."""
        room = self._room(room_id, by)
        self._check_pace(room_id, by, now)
        member = room.members[by.device]
        member.label = label
        self._announce(room, member)

    def say(self, room_id: str, by: Party, text: str, at: float, now: Instant) -> Line:
        """Write a line for everybody inside, the writer too.

        Raises:
            Refused: still before the door, or too many lines.
        """
        room = self._room(room_id, by)
        member = room.members[by.device]
        if member.state == "waiting":
            raise Refused("waiting", "Nobody hears what is said before the door")
        key = f"{room_id} {by.device}"
        self._rates.spend("chat", key, self._config.chat, now, "too-fast", "Too many lines in a short time")
        room.numbered += 1
        line = Line(room.numbered, by.device, member.label, text, at)
        room.chat.append(line)
        if room.record.keep_chat:
            self._events.append(Said(room_id, line, room.record.keep_chat))
        for each in room.inside():
            self._tell(each, line.document(room_id))
        return line

    def check_inside(self, room_id: str, by: Party, other: str) -> None:
        """Raise a `Refused` unless both are inside: then they may signal to each other."""
        room = self._room(room_id, by)
        if room.members[by.device].state == "waiting" or self._member(room, other).state == "waiting":
            raise Refused("waiting", "Nobody is reached through the door")

    def arrived(self, party: Party) -> None:
        """A page is back from a break."""
        self._mark(party, "away", "inside")

    def parted(self, party: Party) -> None:
        """A page has no connection now; it may be back."""
        self._mark(party, "inside", "away")

    def _mark(self, party: Party, old: str, new: str) -> None:
        for room_id in sorted(self._of.get(party.device, ())):
            room = self._rooms[room_id]
            member = room.members[party.device]
            if member.state == old:
                member.state = new
                self._announce(room, member)

    def gone(self, party: Party) -> None:
        """A session is over: it leaves every room."""
        for room_id in sorted(self._of.get(party.device, ())):
            room = self._rooms[room_id]
            self._leave(room, room.members[party.device])
        self._of.pop(party.device, None)

    def _leave(self, room: _Room, member: _Member) -> None:
        was_waiting = member.state == "waiting"
        del room.members[member.party.device]
        self._leave_index(member.party.device, room.record.id)
        member.state = "left"
        event = {"type": "room-member", "room": room.record.id, "who": member.document()}
        for other in room.inside():
            if other.is_host or not was_waiting:
                self._tell(other, event)
        if not room.members:
            del self._rooms[room.record.id]

    def _leave_index(self, endpoint: str, room_id: str) -> None:
        mine = self._of[endpoint]
        mine.discard(room_id)
        if not mine:
            del self._of[endpoint]

    def is_open(self, room_id: str) -> bool:
        return room_id in self._rooms

    def __len__(self) -> int:
        return len(self._rooms)

    def _room(self, room_id: str, by: Party) -> _Room:
        room = self._rooms.get(room_id)
        if room is None or by.device not in room.members:
            raise Refused("no-such-room", "You are not in such a room")
        return room

    def _hosted(self, room_id: str, by: Party) -> _Room:
        room = self._room(room_id, by)
        if not room.members[by.device].is_host:
            raise Refused("not-host", "Only a host may do that")
        return room

    @staticmethod
    def _member(room: _Room, endpoint: str) -> _Member:
        member = room.members.get(endpoint)
        if member is None:
            raise Refused("no-such-member", "Nobody of that name is in the room")
        return member

    def _tell(self, member: _Member, event: dict[str, Any]) -> None:
        self._events.append(Tell(member.party.device, event))

    def next_event(self) -> RoomEvent | None:
        return self._events.popleft() if self._events else None
