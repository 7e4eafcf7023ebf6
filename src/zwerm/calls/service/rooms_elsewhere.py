"""Where rooms are, and who of ours is in those of other processes: they come in again when such a process dies."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from zwerm.calls.limits import Refused
from zwerm.calls.service.client import ANSWERS, Visitor
from zwerm.calls.store import rooms
from zwerm.core.errors import StorageError

if TYPE_CHECKING:
    from zwerm.calls.service.aio import CallsService

log = logging.getLogger("zwerm.calls")

REMEMBERED: Final = 50_000  # rooms whose home is known
_CLOSED: Final = '{"type":"room-closed",'  # as `serialize` writes it


class RoomsElsewhere:
    """What one process knows of rooms and their homes."""

    def __init__(self, service: CallsService) -> None:
        self._service = service
        self._homes: OrderedDict[str, str] = OrderedDict()
        self._inside: dict[tuple[str, str], tuple[str, str]] = {}  # link and label, by room and endpoint of ours

    def home_of(self, room: str) -> str | None:
        """The process that has a room, as far as is known."""
        return self._homes.get(room)

    async def claim(self, room: str) -> str | None:
        """The other process that has a room, which from now on is this one when nobody has it; None: this one."""
        service = self._service
        if service.several.is_alone:
            return None
        home = await service.database.run(rooms.claim, room, service.process, service.several.processes)
        self._homes[room] = home
        self._homes.move_to_end(room)
        if len(self._homes) > REMEMBERED:
            self._homes.popitem(last=False)
        return None if home == service.process else home

    def entered(self, room: str, endpoint: str, link: str, label: str) -> None:
        """Somebody of ours is in a room of another process."""
        self._inside[(room, endpoint)] = (link, label)

    def left(self, room: str, endpoint: str) -> None:
        """Somebody of ours left it."""
        self._inside.pop((room, endpoint), None)

    def told(self, endpoint: str, text: str) -> None:
        """Another process tells somebody of ours this; who was put out of a room is not to come in again."""
        if text.startswith(_CLOSED):
            self.left(str(json.loads(text).get("room", "")), endpoint)

    def gone(self, endpoint: str) -> None:
        """A session of ours is over."""
        for key in [key for key in self._inside if key[1] == endpoint]:
            del self._inside[key]

    def died(self, process: str) -> None:
        """Whoever was in a room of this process comes in again."""
        lost = {room for room, home in self._homes.items() if home == process}
        for room in lost:
            del self._homes[room]
        for (room, endpoint), (link, label) in list(self._inside.items()):
            if room in lost:
                del self._inside[(room, endpoint)]
                self._service.spawn(self._enter_again(room, endpoint, link, label))

    async def _enter_again(self, room: str, endpoint: str, link: str, label: str) -> None:
        service = self._service
        session = service.board.sessions.find(endpoint)
        if session is None:
            return
        visitor = Visitor(service, session.party, session.user, "")
        try:
            message = {"type": "room-join", "link": link, "label": label}
            value = await ANSWERS["room-join"](visitor, message)  # type: ignore[arg-type]
        except (Refused, StorageError) as error:
            log.info("a room that was left behind: %s", error)
            service.board.tell(endpoint, {"type": "room-closed", "room": room, "reason": "left"})
        else:
            if "members" in value:
                event = {"type": "room-let-in", "room": room, "members": value["members"], "chat": value["chat"]}
                service.board.tell(endpoint, event)
        service.settle()
