"""From the packs to a pipe or file without copying through this process (splice(2), sendfile(2)).

For `cat` on the repository itself. Blocks the loop, on which nothing else runs then; threads hash what comes next.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from zwerm.core.errors import WireError

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.reader import File
    from zwerm.node.node import Node


async def copy(node: Node, file: File, start: int, end: int, descriptor: int, report: Callable[[int], None]) -> None:
    """Write the bytes from `start` up to but without `end` to a descriptor.

    Raises:
        WireError: the file contradicts itself.
        BlockNotFound, CorruptBlock: as for reading.
        BrokenPipeError: nobody reads any more.
    """
    from zwerm.ipfs.unixfs.placed import placed, read

    to_pipe = _is_pipe(descriptor)
    async with aclosing(
        placed(node.store, node.source, file, start, end, verify=node.config.boolean("storage.verify"))
    ) as runs:
        async for span, location in runs:
            if location is None:
                _write(descriptor, await read(node.source, span))
            else:
                _move(to_pipe, location.descriptor, location.offset + span.offset, span.size, descriptor)
            report(span.size)


def _is_pipe(descriptor: int) -> bool:
    import stat

    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _move(to_pipe: bool, source: int, offset: int, size: int, descriptor: int) -> None:
    while size:
        try:
            if to_pipe:
                moved = os.splice(source, descriptor, size, offset_src=offset)
            else:
                moved = os.sendfile(descriptor, source, offset, size)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a terminal, or a file that is appended to: these take plain writes only
                raise
            data = os.pread(source, size, offset)
            _write(descriptor, data)
            moved = len(data)
        if not moved:
            raise WireError("a pack is shorter than its index says; run `zwerm repo verify`")
        offset += moved
        size -= moved


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
