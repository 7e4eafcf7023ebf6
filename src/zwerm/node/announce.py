"""What changed in a node, told to its event hub whoever changed it: the web page, the RPC, the command line, a program.

The parts of the node call their listeners once a change is durable; here alone those calls become events. Who listens
to the hub (`zwerm.node.events`) needs to know no part, and who changes something needs to tell nobody.
"""

from __future__ import annotations

import asyncio
import posixpath
from typing import TYPE_CHECKING, Final

from zwerm.node.events import origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zwerm.ipfs.blockstore.store import Removed
    from zwerm.ipfs.mfs.journal import Change
    from zwerm.ipfs.pins.pin import PinKind
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

MAX_PATHS: Final = 100  # paths in one event; more become the folders they have in common


def announce(node: Node) -> None:
    """Publish every change of files and pins, and every collection, from now on. Call it on the node's loop."""
    loop = asyncio.get_running_loop()
    events = node.events

    def files_changed(change: Change) -> None:
        events.publish(
            "files",
            {
                "paths": few(change.paths),
                "version": str(change.version) if change.version else None,
                "root": str(change.root),
                "origin": origin.get(),
            },
        )

    def pin_changed(cid: CID, kind: PinKind | None) -> None:  # comes from a thread
        events.publish_threadsafe(loop, "pins", {"cid": str(cid), "kind": kind.value if kind else None})

    def collected(removed: Removed) -> None:
        events.publish("collected", {"blocks": removed.blocks, "bytes": removed.size})

    node.files.listeners.append(files_changed)
    node.pins.listeners.append(pin_changed)
    node.collector.listeners.append(collected)


def few(paths: Sequence[str]) -> list[str]:
    """Replace paths by the folders they are in, ever higher, until there are at most `MAX_PATHS`."""
    found = list(dict.fromkeys(paths))
    while len(found) > MAX_PATHS:
        depth = max(path.count("/") for path in found)
        found = list(dict.fromkeys(posixpath.dirname(path) if path.count("/") == depth else path for path in found))
        if depth == 1:
            return ["/"]
    return found
