"""What was asked to be kept and could not be had: remembered over restarts, and fetched when somebody gives it.

A pin that fails because nobody gave the content stays wanted until it is pinned or given up. Whenever a peer connects,
and now and then besides, what is wanted is tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import ResourceLimitError, ZwermError
from zwerm.ipfs.database import Database
from zwerm.libp2p.host import Host, HostEvent, PeerConnected
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.node.node import Node

log: Final = logging.getLogger("zwerm.network")

MOST: Final = 10_000  # pins that are remembered
_TABLE: Final = (
    "CREATE TABLE wanted (cid BLOB PRIMARY KEY, recursive INTEGER NOT NULL, name TEXT NOT NULL, since REAL NOT NULL)"
    " WITHOUT ROWID"
)
_SETTLE: Final = 1.0  # seconds after a peer connected: it may not have said yet what it speaks, and more may come
_AGAIN: Final = 600.0  # seconds after which it is tried again without anybody new


class WantedPin(NamedTuple):
    """A pin that was asked for."""

    cid: CID
    recursive: bool
    name: str
    since: float  # seconds since 1970


class Wanted:
    """The list on the disk. Calls block, but making one does not; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_defined = False

    def _define(self) -> None:
        if not self._is_defined:
            self._database.define("wanted", [_TABLE])
            self._is_defined = True

    def add(self, cid: CID, *, recursive: bool, name: str = "") -> None:
        """Remember a pin; what was remembered of the same content is replaced.

        Raises:
            ResourceLimitError: `MOST` are remembered.
        """
        self._define()
        with self._database.transaction() as connection:
            count = connection.execute("SELECT count(*) FROM wanted WHERE cid != ?", (bytes(cid),)).fetchone()[0]
            if count >= MOST:
                raise ResourceLimitError(f"{count + 1} wanted pins, the limit is {MOST}")
            connection.execute(
                "INSERT OR REPLACE INTO wanted VALUES (?, ?, ?, ?)", (bytes(cid), recursive, name, time.time())
            )

    def remove(self, cid: CID) -> bool:
        """Forget a pin; return whether it was wanted."""
        self._define()
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM wanted WHERE cid = ?", (bytes(cid),)).rowcount > 0

    def list(self) -> list[WantedPin]:
        """Return them, the oldest first."""
        self._define()
        rows = self._database.query("SELECT cid, recursive, name, since FROM wanted ORDER BY since")
        return [WantedPin(CID.parse(cid), bool(recursive), name, since) for cid, recursive, name, since in rows]


class Fulfiller:
    """Tries again what is wanted. Its task is `run`."""

    def __init__(self, node: Node, host: Host) -> None:
        self._node = node
        self._wanted = Wanted(node.database)
        self._wake = asyncio.Event()
        self.unsubscribe: Callable[[], None] = host.subscribe(self._see)

    def _see(self, event: HostEvent) -> None:
        if isinstance(event, PeerConnected):
            self._wake.set()

    async def run(self) -> None:
        """Work until it is cancelled."""
        while True:
            try:
                async with asyncio.timeout(_AGAIN):
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(_SETTLE)
            self._wake.clear()
            for pin in await asyncio.to_thread(self._wanted.list):
                await self._try(pin)

    async def _try(self, pin: WantedPin) -> None:
        node = self._node
        try:
            await asyncio.create_task(
                node.pins.add(node.source, pin.cid, recursive=pin.recursive, name=pin.name), name=f"wanted {pin.cid}"
            )
        except ZwermError as error:
            log.debug("%s stays wanted: %s", pin.cid, error)
        else:
            await asyncio.to_thread(self._wanted.remove, pin.cid)
            log.info("%s is kept now, as was asked", pin.cid)
