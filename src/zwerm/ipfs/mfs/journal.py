"""What a change set did, and the interface of whoever writes it down (`zwerm.ipfs.versions`).

`Files` knows nothing of commits: before a new root becomes durable it asks its journal for blocks to store with it
and rows to write in the same transaction, so that a root and its version appear together or not at all.
"""

from __future__ import annotations

import dataclasses
import enum
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from zwerm.ipfs.block import Block
from zwerm.multiformats.cid import CID

MAX_TOUCHES: Final = 1_000  # paths remembered of one change set; the others are counted


class ChangeKind(enum.Enum):
    """What happened to a path."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    RENAMED = "renamed"
    MODE = "mode"  # permissions or time only


class Touch(NamedTuple):
    """One path that a change set touched."""

    kind: ChangeKind
    path: str
    source: str | None = None  # of a rename: the path before


class Graft(NamedTuple):
    """A path whose past lies in another chain."""

    path: str
    commit: CID


@dataclasses.dataclass(slots=True)
class Touches:
    """The paths of a change set, each once, with what happened to it in all."""

    by_path: dict[str, Touch] = dataclasses.field(default_factory=dict)
    omitted: int = 0  # touches beyond `MAX_TOUCHES`

    def add(self, touch: Touch) -> None:
        before = self.by_path.get(touch.path)
        if before is None:
            if len(self.by_path) >= MAX_TOUCHES:
                self.omitted += 1
            else:
                self.by_path[touch.path] = touch
            return
        kind = _MERGED.get((before.kind, touch.kind), touch.kind)
        del self.by_path[touch.path]
        if kind is not None:
            source = touch.source if touch.kind is ChangeKind.RENAMED else before.source
            self.by_path[touch.path] = Touch(kind, touch.path, source if kind is ChangeKind.RENAMED else None)

    def copy(self) -> Touches:
        return Touches(dict(self.by_path), self.omitted)

    def list(self) -> list[Touch]:
        return list(self.by_path.values())

    def __bool__(self) -> bool:
        return bool(self.by_path) or self.omitted > 0


# What two things in a row amount to; None: nothing. Every other pair is its second half.
_MERGED: Final[dict[tuple[ChangeKind, ChangeKind], ChangeKind | None]] = {
    (ChangeKind.ADDED, ChangeKind.CHANGED): ChangeKind.ADDED,
    (ChangeKind.ADDED, ChangeKind.MODE): ChangeKind.ADDED,
    (ChangeKind.ADDED, ChangeKind.REMOVED): None,
    (ChangeKind.CHANGED, ChangeKind.MODE): ChangeKind.CHANGED,
    (ChangeKind.RENAMED, ChangeKind.CHANGED): ChangeKind.RENAMED,
    (ChangeKind.RENAMED, ChangeKind.MODE): ChangeKind.RENAMED,
    (ChangeKind.REMOVED, ChangeKind.ADDED): ChangeKind.CHANGED,
}


class Outcome(NamedTuple):
    """What an operation made of a root."""

    root: CID
    touches: tuple[Touch, ...] = ()
    placed: CID | None = None  # content that the new root links to and the one before may not have had


class ChangeSet(NamedTuple):
    """One step from root to root."""

    before: CID
    after: CID
    touches: Sequence[Touch]
    omitted: int
    message: str | None  # what the caller said of it
    grafts: Sequence[Graft] = ()


class Prepared(NamedTuple):
    """What belongs to a change set and must be durable with it."""

    version: CID
    blocks: list[Block]
    record: Callable[[sqlite3.Connection], None]  # called inside the transaction that moves the root
    accept: Callable[[], None]  # called on the event loop once that is durable


class Journal(Protocol):
    """Takes note of change sets, one at a time."""

    def prepare(self, change: ChangeSet) -> Prepared:
        """Describe a change set that is about to become durable; nothing has happened yet, and may not."""
        ...


class Change(NamedTuple):
    """What a call did: the new root, the version it became (None: nothing changed, or not yet), the paths."""

    root: CID
    version: CID | None
    touches: tuple[Touch, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(touch.path for touch in self.touches)
