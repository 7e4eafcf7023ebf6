"""Making the history of one path a chain of its own, so that it can travel.

The chain of the whole tree cannot: its commits name other paths, and its directories list them. So for every version
of the path that is kept a commit is signed anew over what the path led to, with the time and the message it had, and
the changes that concern it. Nothing random goes in and Ed25519 signatures have no choice, so the same history always
gives the same chain: a second export adds to the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterable
from typing import NamedTuple

from zwerm.identity.keys import PrivateKey
from zwerm.ipfs.block import Block
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.journal import ChangeKind, Graft, Touch
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.log import Gap, Version
from zwerm.multiformats.cid import CID


class Extract(NamedTuple):
    """A chain that can travel."""

    head: CID
    commits: list[Block]  # the new ones, oldest first; the chain may go on from commits of others


@dataclasses.dataclass(slots=True)
class _Step:
    """A version that goes into the chain."""

    root: CID
    time: int
    message: str
    changes: tuple[Touch, ...]
    omitted: int
    grafts: tuple[Graft, ...]
    begin: CID | None = None  # the commit of another author that it goes on from


async def extract(key: PrivateKey, versions: AsyncIterable[Version | Gap]) -> Extract | None:
    """Make the chain out of the versions of a path, newest first; None when none of them is kept.

    Where the path was grafted from a chain of another author, that chain is gone on from, signatures and all. What is
    older than a graft of a directory above it stays behind: nobody here can sign for it.
    """
    steps: list[_Step] = []  # newest first
    grafted = False
    foreign: CID | None = None
    async for version in versions:
        if isinstance(version, Gap) or version.node is None or not version.kept:
            continue
        if not version.grafted:
            grafted = False
            steps.append(_step(version, version.node))
        elif not grafted and version.grafted == 1 and version.path == "/":
            grafted = True
            if steps:
                steps[-1].begin = version.cid
            else:
                foreign = foreign or version.cid
    blocks: list[Block] = []
    head, root = foreign if not steps else None, None
    for step in reversed(steps):
        if step.root == root and step.begin is None:
            continue  # the path was renamed, which is not seen from inside
        parents = [cid for cid in (step.begin, head) if cid is not None]
        commit = Commit.sign(
            key,
            root=step.root,
            parents=parents,
            time=step.time,
            message=step.message,
            changes=step.changes,
            omitted=step.omitted,
            grafts=step.grafts,
        )
        blocks.append(commit.to_block())
        head, root = blocks[-1].cid, step.root
    return None if head is None else Extract(head, blocks)


def _step(version: Version, root: CID) -> _Step:
    path = FilePath.from_text(version.path)
    changes = [touch for change in version.commit.changes if (touch := _below(change, path)) is not None]
    grafts = [
        Graft(below, graft.commit)
        for graft in version.commit.grafts
        if (below := _relative(graft.path, path)) is not None and below != "/"
    ]
    omitted = version.commit.omitted if not path.segments else 0
    return _Step(root, version.commit.time, version.commit.message, tuple(changes), omitted, tuple(grafts))


def _below(change: Touch, path: FilePath) -> Touch | None:
    """Return a change as it looks from inside the path, or None when nothing of it is seen there."""
    after = _relative(change.path, path)
    before = _relative(change.source, path) if change.source is not None else None
    if change.kind is ChangeKind.RENAMED:
        if after is not None and before is not None:
            return Touch(ChangeKind.RENAMED, after, before)
        if after is not None:
            return Touch(ChangeKind.ADDED, after)
        return Touch(ChangeKind.REMOVED, before) if before is not None else None
    if after is not None:
        return Touch(change.kind, after)
    try:
        above = FilePath.from_text(change.path).contains(path)
    except BadPath:
        return None
    return Touch(ChangeKind.CHANGED, "/") if above else None


def _relative(text: str, path: FilePath) -> str | None:
    """Return a path as seen from inside another, or None when it lies outside."""
    try:
        other = FilePath.from_text(text)
    except BadPath:
        return None
    return str(FilePath(other.segments[len(path.segments) :])) if path.contains(other) else None
