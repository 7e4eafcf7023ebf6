"""What the collector keeps besides pins: the files as they are, and the versions of them that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.ipfs.mfs.files import Files
    from zwerm.ipfs.versions.history import History


class Roots:
    """Callable from any thread, and often: what needs the database is asked again only after a new version."""

    def __init__(self, files: Files, history: History) -> None:
        self._files = files
        self._history = history
        self._head: CID | None = None
        self._commits: list[CID] = []

    def forget(self) -> None:
        """Ask the database again: versions were dropped."""
        self._head = None

    def __call__(self) -> list[CID]:
        head = self._history.head
        if head != self._head or head is None:
            # Read after `head`, so that a version that comes in between is only looked at twice.
            self._commits = alone(self._history.commits())
            self._head = head
        return [*self._files.roots(), *self._history.roots(), *self._commits]


def history_roots(history: History) -> list[CID]:
    """Return what keeps the versions."""
    return [*history.roots(), *alone(history.commits())]


def alone(cids: list[CID]) -> list[CID]:
    """Return names for the blocks that lead nowhere: bare bytes have no links, so only the blocks themselves stay."""
    return [CID(1, multicodec.RAW, cid.multihash) for cid in cids]
