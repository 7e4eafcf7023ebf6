"""Sending a part of a file from the packs to the connection without copying it through Python (sendfile(2)).

The connection's own write buffer is emptied first, so that the bytes cannot overtake the head. A duplicate of the
descriptor is used: it stays valid when the connection closes meanwhile, and may be watched for room although the loop
owns the original. No byte leaves before its block is known to match its hash, and what is not in the page cache is read
by a thread for that, so the loop never waits for a disk (`zwerm.ipfs.unixfs.placed`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from typing import Final

from zwerm.core.errors import WireError
from zwerm.daemon.http.exchange import STALL, WRITE_BUFFER, Exchange, Writer
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.placed import Run, read

SMALL: Final = 65_536  # bytes below which a read and a write cost less

_FAIR: Final = 4 * 1024 * 1024  # bytes sent before others get their turn


async def send_runs(exchange: Exchange, writer: Writer, source: BlockSource, runs: AsyncGenerator[Run, None]) -> None:
    """Send the runs of a file (`placed`) as (a part of) the answer's body.

    Raises:
        WireError: the file contradicts itself; the answer is incomplete and must be cut.
        BlockNotFound, CorruptBlock: as for reading; the same.
        ConnectionError: the client has gone, or took nothing for `STALL` seconds.
    """
    descriptor = await _take_over(exchange, writer)
    if descriptor is None:
        async for run in runs:
            await writer.write(await _bytes(source, run))
        return
    try:
        since_turn = 0
        async for run in runs:
            span, location = run
            if location is None:
                await _send_bytes(descriptor, await read(source, span))
            else:
                await _send_run(descriptor, location.descriptor, location.offset + span.offset, span.size)
            writer.count(span.size)
            since_turn += span.size
            if since_turn >= _FAIR:
                since_turn = 0
                await asyncio.sleep(0)
    finally:
        os.close(descriptor)


async def _bytes(source: BlockSource, run: Run) -> bytes:
    """Read a run, where it cannot be sent from its file."""
    span, location = run
    if location is None:
        return await read(source, span)
    return await asyncio.to_thread(os.pread, location.descriptor, span.size, location.offset + span.offset)


async def _take_over(exchange: Exchange, writer: Writer) -> int | None:
    """Empty the write buffer; return a descriptor of the connection, or None where there is no plain socket."""
    transport = exchange.transport
    connection = transport.get_extra_info("socket")
    if connection is None or transport.get_extra_info("sslcontext") is not None:
        return None
    transport.set_write_buffer_limits(0)
    try:
        await writer.drain()
    finally:
        transport.set_write_buffer_limits(WRITE_BUFFER)
    if exchange.transport.get_write_buffer_size():
        return None
    return os.dup(connection.fileno())


async def _send_run(connection: int, file: int, offset: int, size: int) -> None:
    while size:
        try:
            sent = os.sendfile(connection, file, offset, size)
        except BlockingIOError:
            await _wait_for_room(connection)
            continue
        if not sent:
            raise WireError("a pack is shorter than its index says")
        offset += sent
        size -= sent


async def _send_bytes(connection: int, data: bytes) -> None:
    view = memoryview(data)
    with socket.socket(fileno=os.dup(connection)) as duplicate:
        while view:
            try:
                view = view[duplicate.send(view) :]
            except BlockingIOError:
                await _wait_for_room(connection)


async def _wait_for_room(connection: int) -> None:
    loop = asyncio.get_running_loop()
    room = loop.create_future()
    loop.add_writer(connection, _resolve, room)
    try:
        async with asyncio.timeout(STALL):
            await room
    except TimeoutError:
        raise ConnectionAbortedError(f"the client took nothing for {STALL:.0f} seconds") from None
    finally:
        loop.remove_writer(connection)


def _resolve(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
