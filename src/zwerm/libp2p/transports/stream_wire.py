"""A stream of one connection as the wire of another: what a circuit through a relay runs on."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.libp2p.stream import MuxedStream
from zwerm.libp2p.transports.wire import Buffer, WireReceiver
from zwerm.multiformats.multiaddr import Multiaddr

FULL: Final = 262_144  # bytes that wait to be sent
RECEIVE: Final = 65_536  # bytes that are received at once


class StreamWire:
    """One wire. It owns the stream and the two tasks that move its bytes."""

    def __init__(self, stream: MuxedStream, local_address: Multiaddr, remote_address: Multiaddr) -> None:
        self.local_address = local_address
        self.remote_address = remote_address
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._receiver: WireReceiver | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0  # bytes in `_waiting`
        self._may_read = asyncio.Event()
        self._may_write = asyncio.Event()
        self._is_closing = False
        self._reason: str | None = None  # why it is gone
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._reading: asyncio.Task[None] | None = None
        self._writing = self._loop.create_task(self._write_all(), name="circuit, writing")

    @property
    def is_full(self) -> bool:
        return self._size >= FULL

    def start(self, receiver: WireReceiver) -> None:
        if self._reading is None:
            self._may_read.set()
            self._reading = self._loop.create_task(self._read_all(), name="circuit, reading")
        self._receiver = receiver

    def write(self, data: Buffer) -> None:
        if not self._is_closing:
            self._waiting.append(bytes(data))
            self._size += len(data)
            self._may_write.set()

    def pause(self) -> None:
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._may_write.set()

    def abort(self) -> None:
        self._is_closing = True
        if self._reason is None:
            self._stream.reset()
            self._lose("the connection was closed")

    async def wait_gone(self) -> None:
        """Wait until `wire_lost` has been said and nothing of the wire runs."""
        await asyncio.shield(self._gone)
        tasks = [task for task in (self._reading, self._writing) if task is not None and not task.done()]
        if tasks:
            await asyncio.wait(tasks)

    async def _read_all(self) -> None:
        try:
            while True:
                data = await self._stream.read(RECEIVE)
                await self._may_read.wait()
                if self._reason is not None or self._receiver is None:
                    return
                if not data:
                    self._receiver.wire_ended()
                    return
                self._receiver.wire_received(memoryview(bytearray(data)))
        except TransportError as error:
            self._lose(str(error))

    async def _write_all(self) -> None:
        try:
            while True:
                await self._may_write.wait()
                self._may_write.clear()
                while self._waiting:
                    was_full = self.is_full
                    data = b"".join(self._waiting)
                    self._waiting.clear()
                    await self._stream.write(data)
                    self._size -= len(data)
                    if was_full and not self.is_full and self._receiver is not None:
                        self._receiver.wire_writable()
                if self._is_closing:
                    await self._stream.close()
                    self._lose("the connection was closed")
                    return
        except TransportError as error:
            self._lose(str(error))

    def _lose(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason
            self._is_closing = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        for task in (self._reading, self._writing):
            if task is not None:
                task.cancel()
        if self._receiver is not None:
            self._receiver.wire_lost(self._reason or "")
        if not self._gone.done():
            self._gone.set_result(None)
