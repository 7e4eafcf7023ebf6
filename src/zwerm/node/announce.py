"""What changed in a node, told to its event hub whoever changed it: the web page, the RPC, the command line, a program.

The parts of the node call their listeners once a change is durable; here alone those calls become events. Who listens
to the hub (`zwerm.node.events`) needs to know no part, and who changes something needs to tell nobody.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from zwerm.node.events import origin

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from zwerm.ipfs.blockstore.store import Removed
    from zwerm.ipfs.mfs.journal import Change
    from zwerm.ipfs.pins.pin import PinKind
    from zwerm.multiformats.cid import CID
    from zwerm.node.events import Events

MAX_PATHS: Final = 100  # paths in one event; more become the folders they have in common


class Announcer:
    """Publishes changes of files and pins, and collections. Its methods are listeners of the parts."""

    def __init__(self, events: Events, loop: asyncio.AbstractEventLoop) -> None:
        self._events = events
        self._loop = loop  # the node's

    def files_changed(self, change: Change) -> None:
        self._events.publish(
            "files",
            {
                "paths": few(change.paths),
                "version": str(change.version) if change.version else None,
                "root": str(change.root),
                "origin": origin.get(),
            },
        )

    def pin_changed(self, cid: CID, kind: PinKind | None) -> None:
        """Called in the thread that made the change."""
        self._events.publish_threadsafe(self._loop, "pins", {"cid": str(cid), "kind": kind.value if kind else None})

    def collected(self, removed: Removed) -> None:
        self._events.publish("collected", {"blocks": removed.blocks, "bytes": removed.size})


def few(paths: Sequence[str]) -> list[str]:
    """Replace paths by the folders they are in, ever higher, until there are at most `MAX_PATHS`."""
    found = list(dict.fromkeys(paths))
    while len(found) > MAX_PATHS:
        depth = max(path.count("/") for path in found)
        found = list(dict.fromkeys(posixpath.dirname(path) if path.count("/") == depth else path for path in found))
        if depth == 1:
            return ["/"]
    return found
