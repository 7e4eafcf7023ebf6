"""Writing CAR files of version 1, as a stream (ipld.io/specs/transport/car/carv1).

Which blocks, and in which order, is for the caller: `traverse.walk` for a whole DAG, `scope.select` for a path.
Blocks of identity CIDs are left out, as every reader has them in the CID.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Final

from zwerm.ipfs.car import header
from zwerm.ipfs.ipld.traverse import close, is_identity
from zwerm.multiformats import varint
from zwerm.multiformats.cid import CID

PART: Final = 256 * 1024  # bytes that are gathered before they are given out
REMEMBERED: Final = 524_288  # CIDs that are known to be written already; some 100 MB at most


def section(cid: CID, data: bytes) -> tuple[bytes, bytes]:
    """Return one section of an archive as two pieces: length with CID, and `data` itself."""
    binary = bytes(cid)
    return varint.serialize(len(binary) + len(data)) + binary, data


async def write(
    roots: Iterable[CID],
    blocks: AsyncIterable[tuple[CID, bytes]],
    *,
    repeats: bool = False,
    remembered: int = REMEMBERED,
) -> AsyncGenerator[bytes, None]:
    """Yield the archive of `blocks`, in parts of about `PART` bytes.

    A block that comes again is left out as long as its CID is among the last `remembered` different ones (and among at
    most twice as many), so memory stays bounded; with `repeats` every block is written as often as it comes.

    What was yielded before an error of `blocks` is passed on is a whole archive of the blocks up to there. `blocks` is
    closed in the end.
    """
    pieces = [header.serialize(roots)]
    size = len(pieces[0])
    written: set[bytes] = set()
    before: set[bytes] = set()  # what `written` was when it was full
    try:
        async for cid, data in blocks:
            if is_identity(cid):
                continue
            if not repeats:
                key = bytes(cid)
                if key in written or key in before:
                    continue
                written.add(key)
                if len(written) >= remembered:
                    before, written = written, set()
            pieces += section(cid, data)
            size += len(data)
            if size >= PART:
                yield b"".join(pieces)
                pieces.clear()
                size = 0
    except Exception:
        if pieces:
            yield b"".join(pieces)
        raise
    finally:
        await close(blocks)
    if pieces:
        yield b"".join(pieces)
