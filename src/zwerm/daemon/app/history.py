"""`history/*`: the versions of a path, what differs between two, and bringing one back."""

from __future__ import annotations

import posixpath
from contextlib import aclosing
from typing import Any, Final

from zwerm.daemon.app.files import change_document
from zwerm.daemon.app.request import Request, field, file_path, route, time_text
from zwerm.identity.keys import PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.mfs.journal import ChangeKind
from zwerm.ipfs.versions.address import short
from zwerm.ipfs.versions.diff import Difference, Side, diff
from zwerm.ipfs.versions.log import Gap, Version

SHOWN_TOUCHES: Final = 3  # paths of one version that go out with it, for naming it


@route("GET", "history")
async def versions(request: Request) -> dict[str, Any]:
    """List the versions of a path, newest first."""
    path = request.path(default="/")
    limit, start = request.limit(), request.number("after", 0, 0, 100_000_000)
    shown: list[dict[str, Any]] = []
    more, gap = False, None
    log: Any = await request.node.history.log(str(path), limit=start + limit + 1)
    async with aclosing(log):
        async for version in log:
            if isinstance(version, Gap):
                gap = str(version.cid)
            elif len(shown) == limit:
                more = True
            elif version.number >= start:
                shown.append(version_document(request, version))
    return {"versions": shown, "next": str(start + limit) if more else None, "gap": gap}


@route("GET", "history/compare")
async def compare(request: Request) -> dict[str, Any]:
    """Say what differs between two versions of a path, or between one and now."""
    path = str(request.path(default="/"))
    before, after = request.optional("from"), request.optional("to")
    limit, start = request.limit(), request.number("after", 0, 0, 100_000_000)
    history = request.node.history
    one = await history.version(path, before) if before else None
    other = await history.version(path, after) if after else None
    shown: list[dict[str, Any]] = []
    position = 0
    differences: Any
    if before is not None:
        differences = await history.diff(before, after, path)
    else:
        now = await history.at(path, after) if after else (await request.node.files.stat(path)).cid
        differences = diff(request.node.source, None, now, file_path(path))
    async with aclosing(differences):
        async for difference in differences:
            if position >= start + limit:
                position += 1
                break
            if position >= start:
                shown.append(_difference(difference))
            position += 1
    return {
        "from": version_document(request, one) if one else None,
        "to": version_document(request, other) if other else None,
        "changes": shown,
        "next": str(start + limit) if position > start + limit else None,
    }


@route("GET", "history/text")
async def text_difference(request: Request) -> dict[str, Any]:
    """Give the lines that differ in a text file."""
    path = request.path()
    before, after = request.text("from"), request.optional("to")
    history = request.node.history
    one = await history.at(str(path), before)
    other = await history.at(str(path), after) if after else (await request.node.files.stat(str(path))).cid
    return {"path": str(path), "diff": await history.text_diff(one, other, path.name)}


@route("POST", "history/restore")
async def restore(request: Request) -> dict[str, Any]:
    """Bring a path back as it was."""
    document = await request.json()
    path = file_path(field(document, "path", str))
    change = await request.node.history.restore(str(path), field(document, "version", str))
    return change_document(change)


@route("GET", "history/verify")
async def verify(request: Request) -> dict[str, Any]:
    """Check the signatures and the order of the whole chain."""
    found = await request.node.history.verify()
    problem = next((problem.text for problem in found.problems), None)
    return {"valid": found.valid, "versions": found.commits, "error": problem}


def version_document(request: Request, version: Version) -> dict[str, Any]:
    """Describe one version."""
    commit = version.commit
    author = PeerId.of(PublicKey.parse(commit.author))
    return {
        "version": str(version.cid),
        "short": short(version.cid),
        "number": version.number,
        "time": time_text(commit.time / 1000),
        "message": commit.message,
        "author": str(author),
        "mine": author == request.node.identity,
        "root": str(commit.root),
        "cid": str(version.node) if version.node else None,
        "kept": version.kept,
        "kind": version.kind.value,
        "parents": [str(parent) for parent in commit.parents],
        "change": _counts(version),
        "touched": [
            {"kind": touch.kind.value, "path": touch.path, "source": touch.source}
            for touch in version.commit.changes[:SHOWN_TOUCHES]
        ],
        "folder": _folder(version),
    }


def _folder(version: Version) -> str:
    """Return the nearest folder that holds all that a version touched."""
    if version.commit.omitted:
        return "/"
    paths = [path for touch in version.commit.changes for path in (touch.path, touch.source) if path is not None]
    return posixpath.commonpath([posixpath.dirname(path) for path in paths]) if paths else "/"


def _counts(version: Version) -> dict[str, int]:
    counts = {"added": 0, "changed": 0, "removed": 0, "renamed": 0}
    for touch in version.commit.changes:
        kind = ChangeKind.CHANGED if touch.kind is ChangeKind.MODE else touch.kind
        counts[kind.value] += 1
    return counts | {"more": version.commit.omitted}


def _difference(difference: Difference) -> dict[str, Any]:
    kind = ChangeKind.CHANGED if difference.kind is ChangeKind.MODE else difference.kind
    return {
        "kind": kind.value,
        "path": difference.path,
        "source": difference.source,
        "before": _side(difference.before),
        "after": _side(difference.after),
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {"cid": str(side.cid), "size": side.size, "kind": side.kind.value if side.kind else None}
