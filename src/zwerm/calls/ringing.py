"""Ringing: one person calls another, on all devices of theirs (docs/calls.md, "A call").

    ring -> RINGING --answer--> ANSWERED --hang_up, or a side is gone--> ended
               |---decline, busy everywhere, cancel, time, nobody to reach---> ended

The first answer wins: the other devices hear `answered-elsewhere`. When two people ring each other, the second ring is
an answer to the first. A call for somebody with no device stays open while a message fetches them; each device that
comes meanwhile rings for the time that is left.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from zwerm.calls.alarms import Alarms
from zwerm.calls.limits import CallsConfig, Refused
from zwerm.calls.sessions import Party
from zwerm.core.machine import Instant


class State(enum.Enum):
    """Where a call is."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Reason(enum.Enum):
    """Why a call, or its ringing on one device, ended."""

    ANSWERED_ELSEWHERE = "answered-elsewhere"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELLED = "cancelled"
    HUNG_UP = "hung-up"
    LOST = "lost"
    UNAVAILABLE = "unavailable"


class Tell(NamedTuple):
    """An event for one endpoint."""

    endpoint: str
    event: dict[str, Any]
    expires: Instant | None = None


class CallEnded(NamedTuple):
    """For the list of calls."""

    call: str
    reason: Reason
    is_missed: bool  # whether nobody at the callee's took or refused it


class CallAnswered(NamedTuple):
    """For the list of calls."""

    call: str


RingEvent: TypeAlias = Tell | CallEnded | CallAnswered


class Call:
    """One call; `Calls` is its machine."""

    __slots__ = (
        "answered_by",
        "busy",
        "callee",
        "caller",
        "due",
        "id",
        "is_kept_open",
        "is_orphan",
        "media",
        "rung",
        "state",
    )

    def __init__(self, call_id: str, caller: Party, callee: str, media: list[str], due: Instant) -> None:
        self.id = call_id
        self.caller = caller
        self.callee = callee
        self.media = media
        self.due = due  # when nobody has answered
        self.state = State.RINGING
        self.rung: set[str] = set()  # endpoints that ring
        self.busy: set[str] = set()  # endpoints that said so
        self.is_kept_open = False  # a message fetches the callee
        self.is_orphan = False  # its process was killed, and the caller is not back yet
        self.answered_by: Party | None = None

    def ends(self) -> tuple[str, ...]:
        """Both endpoints of an answered call."""
        return (self.caller.device, self.answered_by.device) if self.answered_by else (self.caller.device,)

    def is_of(self, name: str) -> bool:
        return name in (self.caller.name, self.callee)


class Calls:
    """All calls whose caller is on this process."""

    def __init__(self, config: CallsConfig) -> None:
        self._config = config
        self._calls: dict[str, Call] = {}
        self._of: dict[str, set[str]] = {}  # calls by the name of caller and callee
        self._alarms = Alarms()
        self._events: deque[RingEvent] = deque()

    def check(self, caller: str, callee: str) -> Call | None:
        """Say whether `caller` may ring now; return the call in which `callee` rings `caller` at this moment.

        Raises:
            Refused: the same ring goes on already, or there are too many calls.
        """
        for call in map(self._calls.__getitem__, self._of.get(caller, ())):
            if call.state is State.RINGING and call.is_of(callee):
                if call.callee == caller:
                    return call
                raise Refused("ringing-already", f"{callee} is being rung already")
        if len(self._of.get(caller, ())) >= self._config.open_calls or len(self._calls) >= self._config.calls:
            raise Refused("too-many-calls", "Too many calls are open", wait=30.0)
        return None

    def ring(
        self,
        call_id: str,
        caller: Party,
        callee: str,
        media: list[str],
        endpoints: Iterable[str],
        now: Instant,
        *,
        is_fetched: bool,
    ) -> Call:
        """Begin to ring. The caller is told `progress`, or `ended` when there is nobody to reach.

        Args:
            call_id: a new name for the call.
            caller: who rings, and from where.
            callee: whom.
            media: what is offered.
            endpoints: the devices that are there.
            now: the time.
            is_fetched: whether a message is on its way to the callee, or a device in a break may be back, so that it
                is worth waiting.
        """
        if (other := self.check(caller.name or "", callee)) is not None:
            self.answer(other.id, caller)
            return other
        config = self._config
        call = Call(call_id, caller, callee, media, now + (config.ring_away if is_fetched else config.ring))
        call.is_kept_open = is_fetched
        self._calls[call_id] = call
        for name in {caller.name or "", callee}:
            self._of.setdefault(name, set()).add(call_id)
        self._alarms.set(call_id, call.due)
        for endpoint in endpoints:
            self._ring_at(call, endpoint, now)
        if call.rung:
            self._tell(caller.device, {"type": "progress", "call": call_id, "state": "ringing"})
        elif is_fetched:
            self._tell(caller.device, {"type": "progress", "call": call_id, "state": "waiting"})
        else:
            self._end(call, Reason.UNAVAILABLE)
        return call

    def _ring_at(self, call: Call, endpoint: str, now: Instant) -> None:
        call.rung.add(endpoint)
        event = {
            "type": "ringing",
            "call": call.id,
            "from": call.caller.document(),
            "media": call.media,
            "left": round(call.due - now, 3),
        }
        self._events.append(Tell(endpoint, event, call.due))

    def adopt(
        self,
        call_id: str,
        caller: Party,
        callee: str,
        media: list[str],
        due: Instant,
        now: Instant,
        *,
        callers: Iterable[Party],
        endpoints: Iterable[str],
    ) -> None:
        """Take over a call that rang when its process was killed. It goes on ringing; its caller may be back already.

        Args:
            call_id: its name.
            caller: who rings, as they were.
            callee: whom.
            media: what is offered.
            due: when nobody has answered.
            now: the time.
            callers: the pages of the caller that are there.
            endpoints: the devices of the callee.
        """
        if call_id in self._calls or caller.name is None:
            return
        call = Call(call_id, caller, callee, media, due)
        call.is_kept_open = call.is_orphan = True
        self._calls[call_id] = call
        for name in {caller.name, callee}:
            self._of.setdefault(name, set()).add(call_id)
        self._alarms.set(call_id, due)
        for party in callers:
            self._is_back(call, party)
        for endpoint in endpoints:
            self._ring_at(call, endpoint, now)

    def _is_back(self, call: Call, party: Party) -> None:
        """The caller of an orphan has a new session on the same device."""
        if call.is_orphan and _device(party) == _device(call.caller):
            call.is_orphan = False
            call.caller = party
            self._tell(party.device, {"type": "progress", "call": call.id, "state": "ringing"})

    def arrived(self, party: Party, now: Instant) -> None:
        """A device of a user is there: it rings for every call that waits for them."""
        for call in self._with(party.name):
            if call.state is State.RINGING and call.caller.name == party.name:
                self._is_back(call, party)
            if call.state is State.RINGING and call.callee == party.name and party.device not in call.rung:
                is_first = not call.rung
                self._ring_at(call, party.device, now)
                if is_first:
                    self._tell(call.caller.device, {"type": "progress", "call": call.id, "state": "ringing"})

    def gone(self, party: Party) -> None:
        """A session is over: what it was a side of ends, and it no longer rings."""
        for call in self._with(party.name):
            if call.state is State.RINGING and party.device == call.caller.device:
                self._end(call, Reason.CANCELLED)
            elif call.state is State.ANSWERED and party.device in call.ends():
                self._end(call, Reason.LOST)
            elif party.device in call.rung:
                call.rung.discard(party.device)
                call.busy.discard(party.device)
                self._end_when_all_busy(call)

    def answer(self, call_id: str, by: Party) -> Call:
        """Take a call. Of two devices that answer, the second is refused.

        Raises:
            Refused: it is over, was answered, or is not for this person.
        """
        call = self.find(call_id, by)
        if call.callee != by.name:
            raise Refused("not-yours", "A call is answered by whom it is for")
        if call.state is State.ANSWERED:
            raise Refused("answered-elsewhere", "The call was answered on another device")
        if call.is_orphan:
            raise Refused("try-again", "The caller's connection was lost and is on its way back", wait=2.0)
        call.state = State.ANSWERED
        call.answered_by = by
        self._alarms.cancel(call_id)
        self._tell(call.caller.device, {"type": "answered", "call": call_id, "by": by.document()})
        self._stop_ringing(call, Reason.ANSWERED_ELSEWHERE, but=by.device)
        self._events.append(CallAnswered(call_id))
        return call

    def decline(self, call_id: str, by: Party, *, busy: bool) -> None:
        """Refuse a call for all devices, or say that this device is busy with another.

        Raises:
            Refused: it is over, was answered, or is not for this person.
        """
        call = self.find(call_id, by)
        if call.callee != by.name:
            raise Refused("not-yours", "A call is declined by whom it is for")
        if call.state is State.ANSWERED:
            raise Refused("answered-elsewhere", "The call was answered on another device")
        if busy:
            call.busy.add(by.device)
            self._end_when_all_busy(call)
        else:
            self._end(call, Reason.DECLINED, by=by.device)

    def _end_when_all_busy(self, call: Call) -> None:
        if call.state is State.RINGING and call.busy and call.busy >= call.rung and not call.is_kept_open:
            self._end(call, Reason.BUSY)

    def cancel(self, call_id: str, by: Party) -> None:
        """Give up ringing; the caller's word, from any of their devices.

        Raises:
            Refused: it is over, was answered, or is not theirs.
        """
        call = self.find(call_id, by)
        if call.caller.name != by.name:
            raise Refused("not-yours", "A call is cancelled by whoever rings")
        if call.state is State.ANSWERED:
            raise Refused("answered", "The call was answered; hang up to end it")
        self._end(call, Reason.CANCELLED, by=by.device)

    def hang_up(self, call_id: str, by: Party) -> None:
        """End a call that was answered.

        Raises:
            Refused: it is over, still rings, or this device has no part in it.
        """
        call = self.find(call_id, by)
        if call.state is not State.ANSWERED or by.device not in call.ends():
            raise Refused("not-yours", "This device has no part in the call")
        self._end(call, Reason.HUNG_UP, by=by.device)

    def find(self, call_id: str, by: Party) -> Call:
        """Return an open call of this person.

        Raises:
            Refused: there is none. Others learn no more than that.
        """
        call = self._calls.get(call_id)
        if call is None or by.name is None or not call.is_of(by.name):
            raise Refused("no-such-call", "There is no such call any more")
        return call

    def no_longer_fetched(self, call_id: str) -> None:
        """No message will fetch the callee: it ends when no device rings, and otherwise as other calls do."""
        call = self._calls.get(call_id)
        if call is not None and call.state is State.RINGING:
            call.is_kept_open = False
            if not call.rung:
                self._end(call, Reason.UNAVAILABLE)
            else:
                self._end_when_all_busy(call)

    def is_open(self, call_id: str) -> bool:
        return call_id in self._calls

    def tell_caller(self, call_id: str, event: dict[str, Any]) -> None:
        """Say how it goes; nothing when the call no longer rings."""
        call = self._calls.get(call_id)
        if call is not None and call.state is State.RINGING:
            self._tell(call.caller.device, event)

    def __len__(self) -> int:
        return len(self._calls)

    def _with(self, name: str | None) -> list[Call]:
        return [self._calls[each] for each in sorted(self._of.get(name or "", ()))]

    def _tell(self, endpoint: str, event: dict[str, Any]) -> None:
        self._events.append(Tell(endpoint, event))

    def _stop_ringing(self, call: Call, reason: Reason, but: str | None = None) -> None:
        for endpoint in sorted(call.rung):
            if endpoint != but:
                self._tell(endpoint, {"type": "ended", "call": call.id, "reason": reason.value})
        call.rung.clear()

    def _end(self, call: Call, reason: Reason, by: str | None = None) -> None:
        """End a call; whoever did it has an answer and is told nothing else."""
        was_ringing = call.state is State.RINGING
        call.state = State.ENDED
        self._alarms.cancel(call.id)
        del self._calls[call.id]
        for name in {call.caller.name or "", call.callee}:
            mine = self._of[name]
            mine.discard(call.id)
            if not mine:
                del self._of[name]
        for endpoint in call.ends():
            if endpoint != by:
                self._tell(endpoint, {"type": "ended", "call": call.id, "reason": reason.value})
        self._stop_ringing(call, reason, but=by)
        is_missed = was_ringing and reason is not Reason.DECLINED
        self._events.append(CallEnded(call.id, reason, is_missed))

    def handle_timeout(self, now: Instant) -> None:
        """End what nobody answered."""
        while (call_id := self._alarms.pop(now)) is not None:
            self._end(self._calls[call_id], Reason.NO_ANSWER)

    def next_timeout(self) -> Instant | None:
        return self._alarms.next_timeout()

    def next_event(self) -> RingEvent | None:
        return self._events.popleft() if self._events else None


def _device(party: Party) -> str:
    """The device of an endpoint, which all its pages have in front of their names."""
    return party.device.partition(".")[0]
