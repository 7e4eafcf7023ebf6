"""`history`, `history/*`, `diff`, `restore`: the versions of the node's files. Kubo has nothing like them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, OptionKind, RawStream, argument, command, flag, option

if TYPE_CHECKING:
    from zwerm.ipfs.versions.diff import Difference, Side
    from zwerm.ipfs.versions.log import Version
    from zwerm.multiformats.cid import CID


@command(
    "history",
    "Show who changed what, and when",
    arguments=[argument("path", "Path in the tree, also one that is gone; or /ipfs/COMMIT.", required=False)],
    options=[option("limit", "n", kind=OptionKind.UINT, text="At most so many versions.")],
)
async def history(context: Context, path: str = "/", limit: int | None = None) -> AsyncIterator[dict[str, Any]]:
    """Yield versions, newest first; where the chain goes on elsewhere, a last item with its `Gap`."""
    from zwerm.ipfs.versions.log import Gap

    versions = await context.node.history.log(path, limit=limit)
    empty = path != "/"
    async with aclosing(versions):
        async for version in versions:
            empty = False
            yield {"Gap": str(version.cid)} if isinstance(version, Gap) else _version(context, version)
    if empty and limit != 0:
        raise CommandError(f"{path} has no history: nothing was ever there")


def _version(context: Context, version: Version) -> dict[str, Any]:
    from zwerm.ipfs.versions.address import short

    commit = version.commit
    author = commit.peer_id()
    return {
        "Number": version.number,
        "Commit": str(version.cid),
        "Short": short(version.cid),
        "Time": datetime.fromtimestamp(commit.time / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "Author": str(author) if author is not None else "",
        "Message": commit.message,
        "Kind": version.kind.value,
        "Path": version.path,
        "Cid": context.text(version.node) if version.node is not None else "",
        "Kept": version.kept,
    }


@command(
    "history/verify",
    "Check that a history is whole and signed",
    arguments=[argument("commit", "Its newest commit; the node's own history otherwise.", required=False)],
)
async def history_verify(context: Context, commit: str | None = None) -> dict[str, Any]:
    cid = await context.resolve(commit) if commit else None
    found = await context.node.history.verify(cid)
    return {
        "Valid": found.valid,
        "Commits": found.commits,
        "Kept": found.kept,
        "Authors": found.authors,
        "Gap": str(found.gap) if found.gap is not None else "",
        "Problems": [
            {"Commit": str(one.commit or ""), "Severity": one.severity.value, "Text": one.text}
            for one in found.problems
        ],
        "Omitted": found.omitted,
    }


@command(
    "history/export",
    "Write a path's history as a CAR archive",
    arguments=[argument("path", "Path in the tree.")],
)
async def history_export(context: Context, path: str) -> RawStream:
    """Give the commits and the content of every version that is kept, of this path alone."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        from zwerm.ipfs.car import writer
        from zwerm.ipfs.ipld.traverse import walk

        node = context.node
        with node.store.hold():
            head = await node.history.extract(path)
            async with aclosing(writer.write([head], walk(node.source, [head]), repeats=True)) as pieces:
                async for piece in pieces:
                    yield piece

    return RawStream(chunks(), None, "application/vnd.ipld.car")


@command(
    "history/adopt",
    "Go on from a history of somebody else",
    arguments=[argument("commit", "Its newest commit."), argument("path", "A path in the tree that is free.")],
    options=[option("message", "m", text="Words that go with the version this makes.")],
)
async def history_adopt(context: Context, commit: str, path: str, message: str | None = None) -> dict[str, Any]:
    change = await context.node.history.adopt(await context.resolve(commit), path, message=message)
    return {"Path": path, "Version": str(change.version or ""), "Root": context.text(change.root)}


@command(
    "diff",
    "Compare two versions",
    arguments=[
        argument("before", "PATH@VERSION, or any path or address; a bare path in the tree means its version before."),
        argument("after", "The same; as BEFORE's path is now otherwise.", required=False),
    ],
    options=[flag("lines", "p", text="Show the lines of text files that differ.")],
)
async def diff(
    context: Context, before: str, after: str | None = None, lines: bool = False
) -> AsyncIterator[dict[str, Any]]:
    from zwerm.ipfs.versions.address import split
    from zwerm.ipfs.versions.diff import diff as compare
    from zwerm.node.paths import is_file_path

    if after is None:
        if not is_file_path(before):
            raise CommandError("name two addresses to compare, or one path in the tree with @VERSION")
        path, version = split(before)
        before, after = (before, path) if version else (f"{before}@~1", before)
    one, other = await _side(context, before), await _side(context, after)
    for side, path in ((one, before), (other, after)):
        if side is None and split(path)[1] is None and split(before)[0] != split(after)[0]:
            raise CommandError(f"there is no {path}; an older version of a path is PATH@VERSION, like /photos@~1")
    if one is None and other is None:
        raise CommandError(f"there is neither {before} nor {after}")
    differences = compare(context.node.source, one, other)
    async with aclosing(differences):
        async for found in differences:
            item = _difference(context, found)
            if lines and found.kind.value in ("added", "changed", "removed"):
                text = await _lines(context, found)
                if text is not None:
                    item["Lines"] = text
            yield item


async def _lines(context: Context, found: Difference) -> str | None:
    """The lines that differ, None when it is no text."""
    from zwerm.ipfs.versions.text import text_diff

    before, after = (side.cid if side is not None else None for side in (found.before, found.after))
    name = found.path.lstrip("/") or "file"
    return await text_diff(context.node.source, before, after, names=(f"{name} (before)", f"{name} (after)"))


async def _side(context: Context, path: str) -> CID | None:
    """What a side is; None when it did not exist then, which is a difference and no error."""
    from zwerm.ipfs.mfs.errors import FileMissing

    try:
        return await context.resolve(path)
    except FileMissing:
        return None


def _difference(context: Context, found: Difference) -> dict[str, Any]:
    return {
        "Kind": found.kind.value,
        "Path": found.path,
        "Source": found.source or "",
        "Before": _side_row(context, found.before),
        "After": _side_row(context, found.after),
    }


def _side_row(context: Context, side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {"Cid": context.text(side.cid), "Size": side.size, "Type": side.kind.value if side.kind else ""}


@command(
    "restore",
    "Bring a version back",
    arguments=[
        argument("path", "Path in the tree, also one that is gone."),
        argument("version", "Which version: ~N, a date, or a commit as `history` shows it."),
    ],
    options=[option("message", "m", text="Words that go with the version this makes.")],
)
async def restore(context: Context, path: str, version: str, message: str | None = None) -> dict[str, Any]:
    """Make the path what it was, as a new version: nothing is lost by it."""
    change = await context.node.history.restore(path, version, message=message)
    node = await context.node.files.stat(path)
    return {"Path": path, "Version": str(change.version or ""), "Cid": context.text(node.cid)}
