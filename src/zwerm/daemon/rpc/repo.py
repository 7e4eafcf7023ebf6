"""`repo/*`: size, collection, verification and repair of the repository (Kubo, "RPC API", `/api/v0/repo/stat`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, OptionKind, command, flag, option
from zwerm.daemon.rpc.reports import Reports
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.ipfs.pins.collector import Progress
    from zwerm.ipfs.pins.pin import PinStatus
    from zwerm.node.maintenance import Verified
    from zwerm.node.node import Node


def _cid(context: Context, multihash: bytes) -> str:
    """A block by its hash alone, as a raw CID."""
    return context.text(CID(1, multicodec.RAW, multihash))


@command(
    "repo/stat",
    "Show how much is stored",
    options=[
        flag("size-only", "s", text="Only the sizes."),
        flag("detail", text="Also what is dead, damaged and limited; Kubo has no such fields."),
        flag("human", "H", text="Sizes as people write them.", display=True),
    ],
)
async def repo_stat(context: Context, size_only: bool = False, detail: bool = False) -> dict[str, Any]:
    """Tell sizes in bytes. Without a limit, `StorageMax` is what the disk would still take."""
    import shutil

    from zwerm.node.migrations import VERSION

    node = context.node
    found = await asyncio.to_thread(node.store.statistics)
    used = await asyncio.to_thread(node.store.used)
    path = node.repository.path
    limit = found.limit or used + (await asyncio.to_thread(shutil.disk_usage, path)).free
    answer: dict[str, Any] = {"RepoSize": used, "StorageMax": limit}
    if size_only:
        return answer | {"NumObjects": 0, "RepoPath": "", "Version": ""}
    answer |= {"NumObjects": found.blocks, "RepoPath": str(path), "Version": f"zwerm-repo@{VERSION}"}
    if not detail:
        return answer
    return answer | {
        "BlocksSize": found.size,
        "DeadSize": found.dead,
        "Damaged": found.damaged,
        "Limited": found.limit is not None,
    }


@command(
    "repo/version", "Show the version of the repository", options=[flag("quiet", "q", text="Only it.", display=True)]
)
async def repo_version(_context: Context) -> dict[str, Any]:
    from zwerm.node.migrations import VERSION

    return {"Version": str(VERSION)}


@command(
    "repo/migrate",
    "Bring the repository to the version of this zwerm",
    options=[
        option("to", kind=OptionKind.INT, text="The version to bring it to; there is no way back."),
        flag("allow-downgrade", text="Accepted as Kubo does; there is no way back.", display=True),
    ],
    local_only=True,
    repository_only=True,
)
async def repo_migrate(_context: Context, to: int | None = None) -> dict[str, Any]:
    """Say what the version is: whatever opens a repository has brought it there already."""
    from zwerm.node.migrations import VERSION

    if to not in (None, VERSION):
        raise CommandError(f"this zwerm writes repositories of version {VERSION}, and no other")
    return {"Version": str(VERSION)}


@command("repo/ls", "List every block that is here")
async def repo_ls(context: Context) -> AsyncIterator[dict[str, Any]]:
    for multihash in context.node.store.multihashes():
        yield {"Ref": _cid(context, multihash), "Err": ""}


@command(
    "repo/gc",
    "Remove what nothing keeps",
    options=[
        flag("stream-errors", text="Tell failures as items."),
        flag("quiet", "q", text="Print only addresses.", display=True),
        flag("silent", text="Print nothing."),
        flag("progress", text="Say how far it is, and in the end how much was removed."),
        flag("force", text="Also when the pins were lost with a damaged index."),
    ],
)
async def repo_gc(
    context: Context, stream_errors: bool = False, silent: bool = False, progress: bool = False, force: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """Yield what was removed, while the node serves on. Breaking off stops it; the next one goes on from there."""
    node = context.node

    async def collect(report: Callable[[Progress], None]) -> Any:
        if force:
            return await node.with_room(lambda: node.collector.collect(report, even_without_pins=True))
        return await node.collect(report)

    reports: Reports[Progress] = Reports()
    try:
        async for batch in reports.of(collect):
            for one in batch:
                if not silent:
                    for key in one.keys:
                        yield {"Key": {"/": _cid(context, key)}}
            if progress:
                last = batch[-1]
                yield {"Phase": last.phase.value, "Marked": last.marked, **_removed(last.removed)}
    except CommandError:
        raise
    except Exception as error:
        if not stream_errors:
            raise
        yield {"Error": str(error)}
        raise
    if progress:
        yield {"Phase": "done", **_removed(reports.result)}


def _removed(removed: Any) -> dict[str, int]:
    return {"Blocks": removed.blocks, "Bytes": removed.size}


@command(
    "repo/verify",
    "Read every block and check it against its address",
    options=[
        flag("drop", text="Remove the damaged ones."),
        flag("heal", text="Not offered yet: it needs a network to fetch them from."),
        option("heal-timeout", text="Accepted as Kubo does.", default="30s", display=True),
    ],
)
async def repo_verify(context: Context, drop: bool = False, heal: bool = False) -> AsyncIterator[dict[str, Any]]:
    """Yield progress, what is damaged, and the outcome; damage that stays ends the stream with a CommandError."""
    if heal:
        raise CommandError("--heal needs a network to fetch blocks from; --drop removes the damaged ones")
    async for item in _check(context, drop=drop):
        yield item


@command("repo/repair", "Check every block and remove the damaged ones")
async def repo_repair(context: Context) -> AsyncIterator[dict[str, Any]]:
    for text in _saved(context.node):
        yield {"Msg": text, "Progress": 0}
    async for item in _check(context, drop=True):
        yield item


def _saved(node: Node) -> list[str]:
    """What became of a damaged index when the repository was opened for this repair."""
    saved = node.saved
    if saved is None:
        return []
    lines = [f"the index was damaged and is made anew; the old one is kept as {saved.kept_as}"]
    lines += [f"lost from it, at least in part: {table}" for table in saved.damaged]
    if not saved.whole:
        lines.append("look at `pin ls`, `files ls` and `repo verify` before you collect garbage")
    return lines


async def _check(context: Context, *, drop: bool) -> AsyncIterator[dict[str, Any]]:
    node = context.node

    async def work(report: Callable[[tuple[int, int]], None]) -> tuple[Verified, list[bytes], list[PinStatus]]:
        def progress(done: int, total: int) -> None:
            report((done, total))

        if drop:
            repaired = await node.repair(progress)
            return repaired.verified, repaired.dropped, repaired.broken
        return await node.verify(progress), [], []

    reports: Reports[tuple[int, int]] = Reports()
    async for batch in reports.of(work):
        done, total = batch[-1]
        yield {"Msg": "", "Progress": done, "Total": total}
    found, dropped, broken = reports.result
    for multihash in found.corrupt:
        yield {"Msg": f"block {_cid(context, multihash)} was corrupt", "Progress": 0}
    for pin in broken:
        yield {
            "Msg": f"pin {context.text(pin.cid)} misses {len(pin.bad)} blocks; pin it again to fetch them",
            "Progress": 0,
        }
    for text in found.index_damage:
        yield {"Msg": f"the index is damaged: {text}; stop the daemon, then run `zwerm repo repair`", "Progress": 0}
    if found.unlabelled and not drop:
        yield {"Msg": f"{len(found.unlabelled)} blocks are whole and badly labelled; repair labels them", "Progress": 0}
    bad = len(found.corrupt)
    if bad and not drop:
        raise CommandError(f"verify complete, {bad} blocks corrupt; `zwerm repo repair` removes them")
    if found.index_damage and not drop:
        raise CommandError("verify complete, the index is damaged; `zwerm repo repair` makes what can be made again")
    summary = f"verify complete, {bad} blocks corrupt, {len(dropped)} removed"
    yield {"Msg": summary if bad or dropped else "verify complete, all blocks validated.", "Progress": found.blocks}
