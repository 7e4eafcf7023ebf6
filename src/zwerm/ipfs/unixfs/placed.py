"""Where the bytes of a file lie on the disk, for `os.sendfile` and `os.splice`: nothing is given out unchecked.

A place is yielded once the block there is known to match its hash. What has not been checked yet is hashed by threads a
few blocks ahead of the reader, the first block alone, so that its bytes can leave early; what has been costs a look-up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, NamedTuple

from zwerm.core.errors import WireError, ZwermError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.blockstore.store import BlockLocation
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.reader import File
from zwerm.ipfs.unixfs.spans import Span, spans

_GROUP: Final = 4 * 1024 * 1024  # bytes checked by one thread at a time, after a beginning with less
_FIRST: Final = 512 * 1024  # bytes of the second group; the first is one block
_MOST: Final = 64  # blocks of a group
_AHEAD: Final = 4  # groups under way: enough for two threads while a run is being sent, and not all that there are


class Run(NamedTuple):
    """Bytes of one leaf, and where they are."""

    span: Span
    location: BlockLocation | None  # the whole leaf, right; None: it is in no file and has to be read


async def placed(
    store: PackBlockstore, source: BlockSource, file: File, start: int, end: int, *, verify: bool = False
) -> AsyncGenerator[Run, None]:
    """Yield the runs that make up the bytes from `start` up to but without `end`, in order.

    From the first block on that is not here, all of it comes through `source`. A descriptor is valid until the next run
    is asked for. With `verify` every block is hashed now, whatever is known.

    Raises:
        WireError: the file contradicts itself.
        BlockNotFound, CorruptBlock: a block cannot be had; what was yielded before is right.
    """
    groups: deque[_Group] = deque()
    wanted, size, position = 1, 1, start
    failure: Exception | None = None
    async with aclosing(spans(source, file, start, end)) as found:
        try:
            more = True
            while True:
                while more and len(groups) < wanted:
                    batch, failure = await _take(found, size)
                    more = failure is None and bool(batch)
                    size = min(max(2 * size, _FIRST), _GROUP)
                    if batch:
                        groups.append(_Group(store, batch, verify=verify))
                if not groups:
                    break
                runs, broken = await groups[0].result()
                for run in runs:
                    if run.location is not None:
                        check_size(run.span, run.location.size)
                    yield run
                    position += run.span.size
                if broken is not None:
                    failure = broken
                    break
                groups.popleft().close()
                wanted = min(2 * wanted, _AHEAD)
        finally:
            for group in groups:
                group.close()
    if isinstance(failure, BlockNotFound):  # here; the source may have it from others, and reads ahead
        async with aclosing(file.stream(position, end)) as chunks:
            async for data in chunks:
                yield Run(Span(file.cid, data, 0, len(data), len(data)), None)
    elif failure is not None:
        raise failure


async def _take(found: AsyncGenerator[Span, None], size: int) -> tuple[list[Span], ZwermError | None]:
    """Take spans of together about `size` bytes; an error comes after those before it."""
    batch: list[Span] = []
    try:
        while size > 0 and len(batch) < _MOST:
            span = await anext(found, None)
            if span is None:
                break
            batch.append(span)
            size -= span.size
    except ZwermError as error:
        return batch, error
    return batch, None


class _Group:
    """Spans that are placed together, under a hold of their own: the descriptors are valid while it is open."""

    def __init__(self, store: PackBlockstore, batch: list[Span], *, verify: bool) -> None:
        self._hold = contextlib.ExitStack()
        self._hold.enter_context(store.hold())
        self._ready: list[Run] = []
        self._pending: asyncio.Future[tuple[list[Run], Exception | None]] | None = None
        if not verify:
            for span in batch:
                location = store.locate_nowait(span.cid) if span.data is None else None
                if location is None and span.data is None:
                    break
                self._ready.append(Run(span, location))
        rest = batch[len(self._ready) :]
        if rest:
            loop = asyncio.get_running_loop()
            self._pending = loop.run_in_executor(None, _place, store, rest, verify)

    async def result(self) -> tuple[list[Run], Exception | None]:
        """Wait for the threads; return the runs, and what was wrong with the block after the last of them."""
        if self._pending is None:
            return self._ready, None
        runs, failure = await self._pending
        return self._ready + runs, failure

    def close(self) -> None:
        """End the hold; a thread that still hashes for us is not waited for."""
        if self._pending is not None:
            self._pending.cancel()
        self._hold.close()


def _place(store: PackBlockstore, batch: list[Span], verify: bool) -> tuple[list[Run], Exception | None]:
    runs: list[Run] = []
    try:
        for span in batch:
            runs.append(Run(span, store.locate(span.cid, verify=verify) if span.data is None else None))  # noqa: PERF401
    except Exception as error:  # noqa: BLE001 -- raised again where the block is due
        return runs, error
    return runs, None


def check_size(span: Span, size: int) -> None:
    """Raise WireError unless a leaf of `size` bytes is what its parent promised."""
    if size != span.leaf:
        raise WireError(f"{span.cid} holds {size} bytes of file, its parent says {span.leaf}")


async def read(source: BlockSource, span: Span) -> bytes:
    """Return the bytes of a run that lies in no file."""
    if span.data is not None:
        return span.data
    data = await source.get(span.cid)
    check_size(span, len(data))
    return data[span.offset : span.offset + span.size]
