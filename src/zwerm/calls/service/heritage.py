"""What a dead process leaves, and who has it: its calls that ring, and the messages it had not sent.

Of several that see it dead, one writes itself down in the store as its heir, and tells the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from zwerm.calls.bus.packet import Note, is_process
from zwerm.calls.sessions import Party
from zwerm.calls.store import heirs
from zwerm.core.errors import StorageError

if TYPE_CHECKING:
    from zwerm.calls.service.aio import CallsService

log = logging.getLogger("zwerm.calls")

GATHERING: Final = 2.5  # seconds after a start until everybody else was heard, and what nobody has is taken
AGAIN: Final = 1.0  # seconds until a store that does not answer is asked again
REMEMBERED: Final = 4_096  # dead processes
GENERATIONS: Final = 8  # heirs of heirs that are followed


class Heritage:
    """The heirs that one process knows of, itself among them."""

    def __init__(self, service: CallsService, spread: Callable[[Note], None]) -> None:
        """`spread` says something to all other processes."""
        self._service = service
        self._spread = spread
        self._heirs: dict[str, str] = {}  # by dead process
        self.changed = asyncio.Event()  # set, and made anew, whenever an heir is known

    def of(self, process: str) -> str:
        """Who has what this process had; itself while it lives."""
        for _ in range(GENERATIONS):
            if process not in self._heirs:
                break
            process = self._heirs[process]
        return process

    def note(self, dead: str, heir: str) -> None:
        """Somebody says that they have it."""
        if is_process(dead) and len(self._heirs) < REMEMBERED:
            self._heirs[dead] = heir
            self.changed.set()
            self.changed = asyncio.Event()

    def died(self, process: str) -> None:
        """Take what it had, and what it had inherited, unless another one does."""
        for dead in [process, *(old for old, heir in self._heirs.items() if heir == process)]:
            self._service.spawn(self._inherit(dead))

    async def take_what_nobody_has(self) -> None:
        """Look for what was left while no process lived."""
        await asyncio.sleep(GATHERING)
        service = self._service
        for dead in await service.database.run(heirs.left_behind, service.several.processes):
            await self._inherit(dead)

    async def _inherit(self, dead: str) -> None:
        """Take what a dead process had, unless another one does; tried again while the store cannot be reached."""
        service, run = self._service, self._service.database.run
        while True:
            try:
                if not await run(heirs.claim, dead, service.process, service.several.processes):
                    return
                left = await run(heirs.calls_of, dead, service.wall())
                break
            except StorageError as error:
                log.warning("%s", error)
                await asyncio.sleep(AGAIN)
        config, now, wall = service.config, service.now(), service.wall()
        for each in left:
            since = min(max(0.0, wall - each.began), config.ring)
            due = now + max(config.ring - since, config.ring_again)
            service.board.adopt(each.call, Party(*each.caller), each.callee, each.media, due, now)
        self.note(dead, service.process)
        self._spread({"kind": "took", "process": dead})
        service.settle()
        await service.fetching.take_up(dead)
