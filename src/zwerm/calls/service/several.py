"""One process among the others of its service (docs/calls-several.md).

A call lives where its caller was when it rang, its *home*, and its id begins with the home's; a room lives where the
store says. What somebody asks of a call or room of another process is carried there (`do`), done there, and the
answer comes back (`done`). What a home says to somebody elsewhere goes as a `tell` to the process that has their
session.

When a process dies, one of the others takes its unanswered calls and its unsent messages out of the store.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from zwerm.calls.bus.aio import Bus
from zwerm.calls.bus.elsewhere import Away, away, described
from zwerm.calls.bus.neighbours import BusConfig, Died, Heard, Joined, Neighbours
from zwerm.calls.bus.packet import Note, is_process
from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.service.client import ANSWERS, Visitor
from zwerm.calls.service.heritage import Heritage
from zwerm.calls.service.rooms_elsewhere import RoomsElsewhere
from zwerm.calls.sessions import Party
from zwerm.calls.store import heirs
from zwerm.calls.switchboard import Changed, Close, Send
from zwerm.core.errors import StorageError, WireError

if TYPE_CHECKING:
    from zwerm.calls.service.aio import CallsService

log = logging.getLogger("zwerm.calls")

ANSWERED_WITHIN: Final = 15.0  # seconds that a request may take at another process, and at its heir
HOPS: Final = 3  # that an event may take after a session which moves

OF_CALLS: Final = frozenset({"answer", "decline", "cancel", "hang-up", "signal"})
OF_ROOMS: Final = frozenset(
    {
        "room-leave",
        "room-admit",
        "room-remove",
        "room-ask",
        "room-lock",
        "room-end",
        "room-say",
        "room-rename",
        "signal",
    }
)


class Several:
    """The way of one service to the others. Without a bus there is none of them, and everything is here."""

    def __init__(self, service: CallsService, bus: Bus | None, config: BusConfig | None = None) -> None:
        self._service = service
        self._bus = bus
        self._config = config
        self._neighbours: Neighbours | None = None
        self._numbered = 0
        self._asked: dict[int, tuple[str, asyncio.Future[Note]]] = {}  # where, by number
        self._heritage = Heritage(service, self._spread)
        self.rooms = RoomsElsewhere(service)
        self._timer: asyncio.TimerHandle | None = None
        self._is_settling = False

    @property
    def is_alone(self) -> bool:
        """Whether there can be no other process."""
        return self._bus is None

    @property
    def processes(self) -> frozenset[str]:
        """All that live, this one too."""
        others = self._neighbours.processes if self._neighbours is not None else frozenset()
        return others | {self._service.process}

    async def start(self) -> None:
        """Meet the others, and take up what dead processes left."""
        service, bus = self._service, self._bus
        if bus is None:
            if service.database.is_alone:
                await service.database.run(heirs.close_all, service.wall())
            await service.fetching.take_up(None)
            return
        service.board.is_several = True
        neighbours = self._neighbours = Neighbours(service.process, service.now(), self._config)

        def receive(data: bytes) -> None:
            neighbours.receive(data, service.now())
            self.settle()

        def linked(*, is_linked: bool) -> None:
            neighbours.linked(service.now(), is_linked=is_linked)
            self.settle()

        service.spawn(bus.run(service.process, receive, linked, lambda: neighbours.next_transmit(service.now())))
        service.spawn(self._heritage.take_what_nobody_has())

    async def close(self) -> None:
        """Say goodbye, so that the others take over at once."""
        self._is_settling = True  # nothing that the others say moves us any more
        if self._timer is not None:
            self._timer.cancel()
        if self._neighbours is not None and self._bus is not None:
            self._neighbours.leave()
            self._bus.wake()
            await asyncio.sleep(0.05)
        for _, done in self._asked.values():
            done.cancel()

    def settle(self) -> None:
        """Carry out what the others said, and wake up for the next sign of life."""
        neighbours, service = self._neighbours, self._service
        if neighbours is None or self._bus is None or self._is_settling:
            return
        self._is_settling = True
        try:
            while (event := neighbours.next_event()) is not None:
                match event:
                    case Joined(process):
                        sessions = [described(each) for each in service.board.sessions.all()]
                        neighbours.send(process, {"kind": "there", "sessions": sessions, "all": True})
                    case Heard(process, note):
                        self._take(process, note)
                    case Died(process):
                        self._died(process)
            service.settle()
        finally:
            self._is_settling = False
        self._bus.wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (due := neighbours.next_timeout()) is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        if self._neighbours is not None:
            self._neighbours.handle_timeout(self._service.now())
            self.settle()

    def carry_out(self, effect: Send | Close | Changed) -> None:
        """Tell the others what the switchboard has for them."""
        if self._neighbours is None:
            return
        match effect:
            case Send(process, endpoint, text, left, hops):
                note: Note = {"kind": "tell", "endpoint": endpoint, "text": text, "left": left, "hops": hops}
                self._neighbours.send(process, note)
            case Close(process, endpoint, code, what):
                self._neighbours.send(process, {"kind": "close", "endpoint": endpoint, "code": code, "what": what})
            case Changed(endpoint):
                session = self._service.board.sessions.find(endpoint)
                if session is None:
                    self._neighbours.spread({"kind": "gone", "endpoint": endpoint})
                    self.rooms.gone(endpoint)
                else:
                    self._neighbours.spread({"kind": "there", "sessions": [described(session)], "all": False})
        if self._bus is not None:
            self._bus.wake()

    def _take(self, process: str, note: Note) -> None:
        board, now = self._service.board, self._service.now()
        match note["kind"]:
            case "there":
                self._are_there(process, [away(process, each) for each in note["sessions"]], is_all=note["all"])
            case "gone":
                board.gone_elsewhere(process, note["endpoint"])
            case "tell":
                self.rooms.told(note["endpoint"], note["text"])
                expires = None if note["left"] is None else now + note["left"]
                if note["hops"] < HOPS:
                    board.deliver(note["endpoint"], note["text"], expires, now, hops=note["hops"] + 1)
            case "close":
                board.sessions.close(note["endpoint"], note["code"], note["what"])
            case "do":
                self._service.spawn(self._do(process, note))
            case "done":
                self._done(note)
            case "took":
                self._heritage.note(note["process"], process)

    def _done(self, note: Note) -> None:
        asked = self._asked.pop(note["number"], None)
        if asked is not None and not asked[1].done():
            asked[1].set_result(note)

    def _are_there(self, process: str, given: list[Away], *, is_all: bool) -> None:
        board, now = self._service.board, self._service.now()
        if is_all:
            named = {each.party.device for each in given}
            for old in board.elsewhere.at(process):
                if old.party.device not in named:
                    board.gone_elsewhere(process, old.party.device)
        for each in given:
            board.there_elsewhere(each, now)

    def _spread(self, note: Note) -> None:
        if self._neighbours is not None:
            self._neighbours.spread(note)

    # Requests that are done elsewhere.

    def home_of(self, message: Message) -> str | None:
        """The other process that a request is for; None: it is for this one."""
        if self._neighbours is None:
            return None
        kind, me = message["type"], self._service.process
        home = None
        if kind in OF_CALLS and "call" in message:
            home = self._heritage.of(message["call"].partition(".")[0])
        elif kind in OF_ROOMS and "room" in message:
            home = self.rooms.home_of(message["room"])
        return home if home not in (None, me) and is_process(home or "") else None

    async def ask(self, home: str, party: Party, user: str | None, peer: str, message: Message) -> dict[str, Any]:
        """Let another process answer a request; when it dies, its heir.

        Raises:
            Refused: as that process did, or it is not reached.
        """
        neighbours, loop = self._neighbours, asyncio.get_running_loop()
        given_up = loop.time() + ANSWERED_WITHIN
        while neighbours is not None and self._bus is not None:
            self._numbered += 1
            number, done = self._numbered, loop.create_future()
            note: Note = {"kind": "do", "number": number, "party": party.document(), "user": user, "peer": peer}
            self._asked[number] = (home, done)
            inherited = self._heritage.changed
            try:
                async with asyncio.timeout_at(given_up):
                    if neighbours.send(home, note | {"message": message}):
                        self._bus.wake()
                        value = _value(await done)
                        if message["type"] == "room-leave":
                            self.rooms.left(message["room"], party.device)
                        return value
                    await inherited.wait()  # it is dead: who has the call now
            except TimeoutError:
                break
            except _DiedMeanwhile:
                pass
            finally:
                self._asked.pop(number, None)
            home = self.home_of(message) or self._service.process
            if home == self._service.process:
                return await ANSWERS[message["type"]](Visitor(self._service, party, user, peer), message)  # type: ignore[arg-type]
        raise Refused("try-again", "The part of the service that has this does not answer; try again", wait=2.0)

    async def _do(self, process: str, note: Note) -> None:
        """Answer a request of somebody whose session is at another process."""
        message, service = note["message"], self._service
        value: dict[str, Any] | None = None
        error: list[Any] | None = None
        try:
            if message["type"] == "hand-over":
                value = service.board.hand_over(
                    message["session"], message["device"], message["seq"], process, service.now()
                )
            elif message["type"] in (OF_CALLS | OF_ROOMS | {"room-join"}):
                visitor = Visitor(service, Party(**note["party"]), note["user"], note["peer"])
                value = await ANSWERS[message["type"]](visitor, message)  # type: ignore[arg-type]
            else:
                error = ["not-there", "Another process asks for what only its own can do", None]
        except Refused as refused:
            error = [refused.code, str(refused), refused.wait]
        except (WireError, KeyError, TypeError) as wrong:
            error = ["bad-message", str(wrong)[:300], None]
        except StorageError as failed:
            log.warning("%s", failed)
            error = ["try-again", "The service cannot write at the moment; try again", 5.0]
        service.settle()
        if self._neighbours is not None and self._bus is not None:
            self._neighbours.send(process, {"kind": "done", "number": note["number"], "value": value, "error": error})
            self._bus.wake()

    # Sessions that come back at another process than they left.

    async def fetch(self, session: str, device: str, seq: int) -> dict[str, Any] | None:
        """Take a session over from the process that has it; None when it is over."""
        home = session[:8]
        if self._neighbours is None or home not in self._neighbours.processes:
            return None
        message = {"type": "hand-over", "session": session, "device": device, "seq": seq}
        try:
            found = await self.ask(home, Party(None, device, "", ""), None, "", message)
        except Refused:
            return None
        return found or None

    def _died(self, process: str) -> None:
        service = self._service
        log.info("a process of the service is gone", extra={"process_id": process})
        for old in service.board.elsewhere.at(process):
            service.board.gone_elsewhere(process, old.party.device)
        for number, (where, done) in list(self._asked.items()):
            if where == process and not done.done():
                del self._asked[number]
                done.set_exception(_DiedMeanwhile())
        self.rooms.died(process)
        self._heritage.died(process)


class _DiedMeanwhile(Exception):
    """Whoever was asked is dead."""


def _value(answer: Note) -> dict[str, Any]:
    if answer["error"] is not None:
        code, what, wait = answer["error"]
        raise Refused(code, what, wait=wait)
    return dict(answer["value"] or {})
