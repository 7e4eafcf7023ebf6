"""Those who wait for blocks: one future for each block and caller, in the session that asks for it.

Part of the shell, on the loop. Who reads a block gets its bytes; who only needs it in the store gets nothing to hold.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

from zwerm.core.errors import ZwermError
from zwerm.libp2p.secure import Buffer
from zwerm.multiformats.cid import CID


class _Waiter(NamedTuple):
    session: int
    is_read: bool  # or only has to be in the store


class Waiters:
    """All futures that are not done."""

    def __init__(self, cancelled: Callable[[int, CID], None]) -> None:
        """`cancelled` is called with session and block when a caller does not wait any more."""
        self._cancelled = cancelled
        self._waiters: dict[bytes, dict[asyncio.Future[bytes], _Waiter]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._waiters

    def add(self, session: int, cid: CID, *, is_read: bool) -> asyncio.Future[bytes]:
        """Return what `give` or `fail` will end."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(cid.multihash, {})[future] = _Waiter(session, is_read)
        future.add_done_callback(functools.partial(self._ended, session, cid))
        return future

    def has(self, session: int, cid: CID) -> bool:
        """Whether somebody waits for a block in this session."""
        return any(waiter.session == session for waiter in self._waiters.get(cid.multihash, {}).values())

    def give(self, key: bytes, data: Buffer) -> None:
        """A block came, and is stored."""
        whole = b""
        for future, waiter in self._waiters.pop(key, {}).items():
            if waiter.is_read and not whole:
                whole = bytes(data)  # a view would keep the message that it came with
            if not future.done():
                future.set_result(whole if waiter.is_read else b"")

    def fail(self, keys: Iterable[bytes], error: ZwermError, session: int | None = None) -> None:
        """These blocks cannot be had, with `session` in that one."""
        for key in keys:
            for future, waiter in list(self._waiters.get(key, {}).items()):
                if not future.done() and session in (None, waiter.session):
                    future.set_exception(error)

    def fail_all(self, error: ZwermError) -> None:
        self.fail(list(self._waiters), error)

    def _ended(self, session: int, cid: CID, future: asyncio.Future[bytes]) -> None:
        waiting = self._waiters.get(cid.multihash)
        if waiting is not None:
            waiting.pop(future, None)
            if not waiting:
                del self._waiters[cid.multihash]
        if future.cancelled():
            self._cancelled(session, cid)
