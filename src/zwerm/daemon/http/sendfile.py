"""Sending a part of a file from the packs to the connection without copying it through Python (sendfile(2)).

The connection's own write buffer is emptied first, so that the bytes cannot overtake the head. A duplicate of the
descriptor is used: it stays valid when the connection closes meanwhile, and may be watched for room although the loop
owns the original. What is not in the page cache is read by a thread, so the loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.daemon.http.exchange import STALL, WRITE_BUFFER, Exchange, Writer
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.blockstore.store import BlockLocation
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.reader import File
from zwerm.ipfs.unixfs.spans import Span, spans

SMALL: Final = 65_536  # bytes below which a read and a write cost less

_FAIR: Final = 4 * 1024 * 1024  # bytes sent before others get their turn
_AHEAD: Final = 64  # leaves located at once
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", 0)


class _Run(NamedTuple):
    """Bytes of one leaf, and where they are."""

    span: Span
    location: BlockLocation | None  # None: not in a file; it has to be read


async def send_file(
    exchange: Exchange, writer: Writer, store: PackBlockstore, source: BlockSource, file: File, start: int, end: int
) -> None:
    """Send the bytes from `start` up to but without `end` as (a part of) the answer's body.

    Raises:
        WireError: the file contradicts itself; the answer is incomplete and must be cut.
        BlockNotFound, CorruptBlock: as for reading; the same.
        ConnectionError: the client has gone, or took nothing for `STALL` seconds.
    """
    descriptor = await _take_over(exchange, writer)
    if descriptor is None:
        async with aclosing(file.stream(start, end)) as chunks:
            async for chunk in chunks:
                await writer.write(chunk)
        return
    try:
        since_turn = 0
        async with aclosing(_located(store, spans(source, file, start, end))) as runs:
            async for span, location in runs:
                if location is None:
                    data = span.data if span.data is not None else (await source.get(span.cid))
                    if span.data is None:
                        _check(span, len(data))
                        data = data[span.offset : span.offset + span.size]
                    await _send_bytes(descriptor, data)
                else:
                    _check(span, location.size)
                    await _send_run(descriptor, location.descriptor, location.offset + span.offset, span.size)
                writer.count(span.size)
                since_turn += span.size
                if since_turn >= _FAIR:
                    since_turn = 0
                    await asyncio.sleep(0)
    finally:
        os.close(descriptor)


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


async def _located(store: PackBlockstore, found: AsyncGenerator[Span, None]) -> AsyncGenerator[_Run, None]:
    """Look up where the runs are, the first one alone and then many at once."""
    async with aclosing(found):
        wanted = 1
        while batch := [span async for span in _take(found, wanted)]:
            # The descriptors are valid under the hold; it is given back between batches, for the collector's sake.
            with store.hold():
                for run in await asyncio.to_thread(_locate, store, batch):
                    yield run
            wanted = _AHEAD


async def _take(found: AsyncGenerator[Span, None], count: int) -> AsyncGenerator[Span, None]:
    for _ in range(count):
        span = await anext(found, None)
        if span is None:
            return
        yield span


def _locate(store: PackBlockstore, batch: list[Span]) -> list[_Run]:
    return [_Run(span, store.locate(span.cid) if span.data is None else None) for span in batch]


def _check(span: Span, size: int) -> None:
    if size != span.leaf:
        raise WireError(f"{span.cid} holds {size} bytes of file, its parent says {span.leaf}")


async def _send_run(connection: int, file: int, offset: int, size: int) -> None:
    if not _is_cached(file, offset, size):
        await asyncio.to_thread(os.pread, file, size, offset)
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


def _is_cached(file: int, offset: int, size: int) -> bool:
    """Whether the first and the last byte are in memory; what lies between was read with them, most likely."""
    if not _NOWAIT:
        return True
    probe = bytearray(1)
    try:
        return all(os.preadv(file, [probe], at, _NOWAIT) for at in (offset, offset + size - 1))
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system that cannot say


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
