"""The lines that differ between two versions of a text file, as `diff -u` shows them."""

from __future__ import annotations

import asyncio
import difflib
from typing import Final

from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.errors import NotAFile, NotUnixFS
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.multiformats.cid import CID

MAX_SIZE: Final = 262_144  # bytes of each side
MAX_LINES: Final = 4_000  # of each side; the comparison takes the product of both at worst
_CONTEXT: Final = 3  # lines around a change


async def text_diff(
    source: BlockSource, before: CID | None, after: CID | None, *, names: tuple[str, str] = ("before", "after")
) -> str | None:
    """Return the unified difference of two files; None when one is no text or too large to show. None is an empty file.

    Raises:
        BlockNotFound: a part of one cannot be had.
        WireError: one is malformed.
    """
    sides = await _lines(source, before), await _lines(source, after)
    if sides[0] is None or sides[1] is None:
        return None
    return await asyncio.to_thread(_unified, sides[0], sides[1], names)


async def _lines(source: BlockSource, cid: CID | None) -> list[str] | None:
    if cid is None:
        return []
    try:
        file = await open_file(source, cid)
    except (NotAFile, NotUnixFS):
        return None
    if file.size > MAX_SIZE:
        return None
    data = await file.read()
    if b"\0" in data:
        return None
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        return None
    if len(lines) > MAX_LINES:
        return None
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _unified(before: list[str], after: list[str], names: tuple[str, str]) -> str:
    parts: list[str] = []
    for line in difflib.unified_diff(before, after, *names, n=_CONTEXT):
        parts.append(line)
        if not line.endswith("\n"):
            parts.append("\n\\ No newline at end of file\n")
    return "".join(parts)
