"""When the things in a folder last changed, told by the history where the files do not say it themselves.

UnixFS holds a time only where somebody put one in, for it is part of the CID. Commits list the paths they touched: the
newest one that names an entry, or something below or above it, is when it changed.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import aclosing
from typing import Any, Final

from zwerm.ipfs.mfs.journal import ChangeKind
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.versions.history import History
from zwerm.ipfs.versions.log import Gap, Version

MAX_VERSIONS: Final = 200  # versions of the folder that are looked through; what changed before has no time


async def last_changed(history: History, folder: FilePath, names: Collection[str]) -> dict[str, float]:
    """Return the Unix time of the last change of each name in a folder, as far as the newest versions tell."""
    missing = set(names)
    found: dict[str, float] = {}
    log: Any = await history.log(str(folder), limit=MAX_VERSIONS)
    async with aclosing(log):
        async for version in log:
            if not missing:
                break
            if isinstance(version, Gap):
                continue
            touched = _touched(version, missing)
            found.update(dict.fromkeys(touched, version.commit.time / 1000))
            missing -= touched
    return found


def _touched(version: Version, names: set[str]) -> set[str]:
    """Return which names of a folder a version touched; the folder had the path `version.path` then."""
    inside = version.path.rstrip("/") + "/"
    touched: set[str] = set()
    for touch in version.commit.changes:
        if touch.path.startswith(inside):
            touched.add(touch.path[len(inside) :].partition("/")[0])
        elif touch.kind is ChangeKind.ADDED and inside.startswith(touch.path.rstrip("/") + "/"):
            return set(names)  # the folder came with all that is in it
    return touched & names
