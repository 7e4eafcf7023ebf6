"""What the switchboard decided and the store has to hear: written in order, and tried again until it is.

How a call ended, a line of chat, a door that was locked: all of it has happened when it comes here. A store that is
locked or away delays it, and whoever has to tell somebody that it lasts waits with `written`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from zwerm.calls.limits import Refused
from zwerm.calls.store.database import Database
from zwerm.core.errors import StorageError

log = logging.getLogger("zwerm.calls")

TOGETHER: Final = 256  # entries of one commit
WAITING: Final = 20_000  # entries; past that the oldest is given up
PAUSE: Final = 0.5  # seconds until the first try after a failure, doubled after each
LONGEST_PAUSE: Final = 10.0
PATIENCE: Final = 10.0  # seconds that somebody waits to hear that theirs is written

P = ParamSpec("P")


class _Entry(NamedTuple):
    function: Callable[..., object]
    arguments: tuple[Any, ...]
    named: dict[str, Any]


class Ledger:
    """The entries of one process that are not written yet."""

    def __init__(self, database: Database, *, waiting: int = WAITING) -> None:
        self._database = database
        self._entries: deque[_Entry] = deque()
        self._limit = waiting
        self._task: asyncio.Task[None] | None = None
        self.count = 0  # entries there ever were
        self._over = 0  # of those, how many are written or given up
        self._moved = asyncio.Event()

    def put(self, function: Callable[Concatenate[Connection, P], object], *given: P.args, **named: P.kwargs) -> None:
        """Write this after what was put before."""
        if len(self._entries) >= self._limit:
            self._entries.popleft()
            self._over += 1
            log.error("the store of calls has not taken %d entries; the oldest is given up", self._limit)
        self._entries.append(_Entry(function, given, named))
        self.count += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def written(self) -> None:
        """Wait until what was put so far is on the disk.

        Raises:
            Refused: the store does not take it now. It has happened, and is written when the store does.
        """
        last = self.count
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._over < last:
                    await self._moved.wait()
        if self._over < last:
            raise Refused("try-again", "It is done, but the service could not write it down yet", wait=5.0)

    async def close(self) -> None:
        """Write what is left, in one try."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])
        while self._entries:
            batch = self._batch()
            try:
                await self._database.run(_write_all, batch)
            except StorageError as error:
                log.error("%d entries are lost: %s", len(self._entries), error)
                return
            self._done(len(batch))

    async def _write(self) -> None:
        pause = PAUSE
        while self._entries:
            batch, before = self._batch(), self._over
            try:
                await self._database.run_later(_write_all, batch)
            except StorageError as error:
                log.warning("%s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = PAUSE
            self._done(len(batch) - (self._over - before))  # less what was given up meanwhile
        self._task = None

    def _batch(self) -> list[_Entry]:
        return [self._entries[number] for number in range(min(TOGETHER, len(self._entries)))]

    def _done(self, count: int) -> None:
        for _ in range(max(0, count)):
            self._entries.popleft()
            self._over += 1
        self._moved.set()
        self._moved = asyncio.Event()

    def __len__(self) -> int:
        """How many entries wait."""
        return len(self._entries)


def _write_all(connection: Connection, batch: list[_Entry]) -> None:
    if len(batch) == 1 or not _is_written(connection, batch):
        for entry in batch:
            if not _is_written(connection, [entry]):
                log.info("nothing to write down any more: of a room or an account that was deleted meanwhile")


def _is_written(connection: Connection, batch: list[_Entry]) -> bool:
    point = connection.begin_nested()
    try:
        for entry in batch:
            entry.function(connection, *entry.arguments, **entry.named)
    except IntegrityError:
        point.rollback()
        return False
    point.commit()
    return True
