"""One direction to one peer: a stream that is opened when there is something to say and closed when there was not.

The part of the shell that waits for a slow reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.message import PROTOCOLS
from zwerm.libp2p.host import Host
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.stream import FULL_FRAME, Stream

_IDLE: Final = 30.0  # seconds after which a stream without messages is closed
_PIECE: Final = 4 * FULL_FRAME  # bytes written at once; each must be taken before the peer counts as stalled
_JOINED: Final = 65_536  # bytes of a message up to which it is written as one
_OPENING: Final = 90.0  # seconds to open a stream: links are away for a minute


class Outgoing:
    """Messages for a peer, in order. `run` is its task; the queue is as long as its owner lets it become."""

    def __init__(
        self,
        host: Host,
        peer: PeerId,
        make: Callable[[Any, str], Awaitable[list[Buffer]]],
        sent: Callable[[Any, float], None],
        lost: Callable[[PeerId, Outgoing, ZwermError], None],
        stall: float,
    ) -> None:
        """Begin.

        Args:
            host: that has the peer.
            peer: who they are for.
            make: turns an item into pieces of bytes for a protocol.
            sent: hears that they are taken, and in how many seconds.
            lost: hears that none will be.
            stall: seconds that the peer may take no byte.
        """
        self.is_over = False
        self.is_busy = False  # something waits or is being sent
        self._host = host
        self._peer = peer
        self._make = make
        self._sent = sent
        self._lost = lost
        self._stall = stall
        self._queue: deque[Any] = deque()
        self._current: Any = None  # what is being sent
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, item: Any) -> None:
        self.is_busy = True
        self._queue.append(item)
        self._wake.set()

    @property
    def unsent(self) -> list[Any]:
        """What was put and is not known to be taken."""
        return [item for item in (self._current, *self._queue) if item is not None]

    def stop(self) -> None:
        """Send nothing more."""
        self.is_over = True
        self._queue.clear()
        self._wake.set()
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        self._task = asyncio.current_task()
        stream: Stream | None = None
        try:
            async with asyncio.timeout(_OPENING):
                stream = await self._host.open_stream(self._peer, PROTOCOLS, allow_limited=True)
            async with stream:
                await self._send_all(stream)
        except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
            self._fail(error)
        except TimeoutError:
            self._fail(TransportError("it takes nothing" if stream else "no stream in time"))
        finally:
            self.is_over = True

    def _fail(self, error: ZwermError) -> None:
        if not self.is_over:
            self.is_over = True
            self._lost(self._peer, self, error)

    async def _send_all(self, stream: Stream) -> None:
        clock = asyncio.get_running_loop().time
        while not self.is_over:
            if not self._queue:
                self._wake.clear()
                try:
                    async with asyncio.timeout(_IDLE):
                        await self._wake.wait()
                except TimeoutError:
                    if not self._queue:
                        self.is_over = True
                        return
                continue
            item = self._current = self._queue.popleft()
            pieces = await self._make(item, stream.protocol)
            began = clock()
            for part in _parts(pieces):
                async with asyncio.timeout(self._stall):
                    if len(part) == 1:
                        await stream.write(part[0])
                    else:
                        await stream.write_pieces(part)
            self._current = None
            self.is_busy = bool(self._queue)
            self._sent(item, clock() - began)


def _parts(pieces: Sequence[Buffer]) -> Iterator[list[Buffer]]:
    """Cut a message into parts of `_PIECE` bytes, the last of what is left. What is small is joined."""
    if sum(map(len, pieces)) <= _JOINED:
        if pieces:
            yield [b"".join(pieces)]
        return
    part: list[Buffer] = []
    room = _PIECE
    for piece in pieces:
        view = memoryview(piece)
        while len(view) >= room:
            yield [*part, view[:room]]
            view, part, room = view[room:], [], _PIECE
        if view:
            part.append(view)
            room -= len(view)
    if part:
        yield part
