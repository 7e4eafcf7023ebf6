"""Who finds a name in a dag-pb block: UnixFS says so here, `resolve` asks, and neither imports the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from zwerm.ipfs.source import BlockSource
from zwerm.multiformats.cid import CID

Follow = Callable[[BlockSource, CID, str], Awaitable[CID | None]]

follow: Follow | None = None  # what was registered


def register(function: Follow) -> None:
    """Take the function that finds a name in a dag-pb block: the CID it leads to, or None when it has no such name.

    A dag-pb block that is no UnixFS is its to handle too, by the names of its links.
    """
    global follow  # noqa: PLW0603
    follow = function
