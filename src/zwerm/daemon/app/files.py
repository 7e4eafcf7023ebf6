"""`files/*`: list, stat, search, and everything that changes names; each change is one version."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from zwerm.core.escaped import from_portable
from zwerm.daemon.app.changed import last_changed
from zwerm.daemon.app.entries import entry_document, plain, stat_document
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Request, field, file_path, path_list, route, time_text
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.mfs.errors import FileExists, FileMissing
from zwerm.ipfs.mfs.journal import Change
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.status import FileStat, entries
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.reader import stat
from zwerm.multiformats.cid import CID

SEARCH_TIME: Final = 2.0  # seconds after which a search says what it has
COUNT_TIME: Final = 0.5  # seconds for counting the versions of a path
MAX_VERSIONS: Final = 200
_BREATH: Final = 500  # entries of a search after which others get their turn
SEARCH_LIMIT: Final = 500  # entries that a search finds at most


def change_document(change: Change) -> dict[str, Any]:
    """Describe what a call changed."""
    return {
        "version": str(change.version) if change.version else None,
        "root": str(change.root),
        "paths": list(change.paths),
    }


async def stat_at(request: Request, path: FilePath) -> FileStat:
    """Describe a path now, or as it was at the request's `version`."""
    version = request.optional("version")
    if version is None:
        return await request.node.files.stat(str(path))
    cid = await request.node.history.at(str(path), version)
    return FileStat.of(await stat(request.node.source, cid))


@route("GET", "files")
async def list_files(request: Request) -> dict[str, Any]:
    """List a directory."""
    path = request.path(default="/")
    sort = request.choice("sort", "name", "size", "modified", "type")
    order = request.choice("order", "asc", "desc")
    limit, after = request.limit(), request.optional("after")
    found = await stat_at(request, path)
    own = stat_document(path, found)
    if found.kind is not Kind.DIRECTORY:
        raise AppError("not-a-directory", f"{path} is a {found.kind.value}")
    listing = await request.api.listings.read(found.cid, sort=sort, order=order, after=after, limit=limit)
    start, following, total = _offset(after) if listing.sorted else 0, None, None
    if listing.sorted:
        total = len(listing.entries)
        following = str(start + limit) if start + limit < total else None
    elif listing.more:
        following = listing.entries[-1].name
    if listing.sorted and sort == "modified":
        documents = [entry_document(path, entry) for entry in listing.entries]
        await _fill_times(request, path, documents)
        documents.sort(key=lambda document: document["modified"] or "", reverse=order == "desc")
        documents.sort(key=lambda document: bool(document["kind"] != Kind.DIRECTORY.value))
        documents = documents[start : start + limit]
    else:
        documents = [entry_document(path, entry) for entry in listing.entries[start : start + limit]]
        await _fill_times(request, path, documents)
    return {
        "path": str(path),
        "entry": own,
        "entries": documents,
        "total": total,
        "sorted": listing.sorted,
        "next": following,
    }


async def _fill_times(request: Request, path: FilePath, documents: list[dict[str, Any]]) -> None:
    """Take the times that files do not hold from the history; of an old version they are not looked for."""
    if request.optional("version") is not None:
        return
    unknown = [document["name"] for document in documents if document["modified"] is None]
    times = await last_changed(request.node.history, path, unknown) if unknown else {}
    for document in documents:
        if document["modified"] is None:
            document["modified"] = time_text(times.get(document["name"]))


def _offset(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isdecimal() or len(after) > 9:
        raise AppError("bad-request", "The parameter after is not the `next` of another page", after[:40])
    return int(after)


@route("GET", "files/stat")
async def stat_file(request: Request) -> dict[str, Any]:
    """Describe one path."""
    path = request.path()
    found = await stat_at(request, path)
    return stat_document(path, found) | {
        "blocks": found.blocks,
        "total_size": found.cumulative_size,
        "history": await _versions(request, path),
    }


async def _versions(request: Request, path: FilePath) -> int | None:
    """Count the versions of a path, up to `MAX_VERSIONS`; None when that takes too long."""
    count = 0
    try:
        async with asyncio.timeout(COUNT_TIME):
            async for _ in await request.node.history.log(str(path), limit=MAX_VERSIONS):
                count += 1
    except TimeoutError:
        return None
    return count


@route("GET", "files/search")
async def search(request: Request) -> dict[str, Any]:
    """Find names that hold every word."""
    words = [plain(word) for word in request.text("q").split()]
    limit = request.number("limit", 100, 1, SEARCH_LIMIT)
    start = request.path(default="/")
    found: list[dict[str, Any]] = []
    complete, passed = True, 0
    try:
        async with asyncio.timeout(SEARCH_TIME):
            source = request.node.source
            waiting = deque([(start, (await request.node.files.stat(str(start))).cid)])
            while waiting and len(found) < limit:
                path, cid = waiting.popleft()
                try:
                    async for entry in entries(source, cid, long=True):
                        text = plain(entry.name)
                        if all(word in text for word in words) and len(found) < limit:
                            found.append(entry_document(path, entry))
                        passed += 1
                        if not passed % _BREATH:
                            await asyncio.sleep(0)
                        if entry.kind is Kind.DIRECTORY:
                            waiting.append((path.child(entry.name), entry.cid))
                except BlockNotFound:
                    complete = False
            complete = complete and not waiting
    except TimeoutError:
        complete = False
    return {"entries": found, "complete": complete}


@route("POST", "files/mkdir")
async def mkdir(request: Request) -> dict[str, Any]:
    """Make a directory."""
    path = file_path(field(await request.json(), "path", str))
    if await _kind(request, path) is not None:
        raise FileExists(f"{path} exists already")
    return change_document(await request.node.files.mkdir(str(path), parents=True))


@route("POST", "files/move")
async def move(request: Request) -> dict[str, Any]:
    """Rename, or move into a directory."""
    return await _transfer(request, copy=False)


@route("POST", "files/copy")
async def copy(request: Request) -> dict[str, Any]:
    """Copy; it costs no space."""
    return await _transfer(request, copy=True)


async def _transfer(request: Request, *, copy: bool) -> dict[str, Any]:
    document = await request.json()
    sources = path_list(document, "from")
    target = file_path(field(document, "to", str))
    replace = field(document, "replace", bool, default=False)
    files = request.node.files
    into = await _kind(request, target)
    if into is Kind.DIRECTORY and not (len(sources) == 1 and sources[0] == target):
        pairs = [(source, target.child(source.name)) for source in sources]
    elif len(sources) == 1:
        pairs = [(sources[0], target)]
    else:
        raise AppError("not-a-directory", f"{target} is not a folder, and several files cannot become one")
    for source, place in pairs:
        if not copy and source.contains(place) and source != place:
            raise AppError("bad-path", f"{source} cannot be moved into itself", str(place))
    async with files.batch() as batch:
        for source, place in pairs:
            cid = (await files.stat(str(source))).cid
            if source == place:
                continue
            if await _kind(request, place) is not None and not replace:
                raise FileExists(f"{place} exists already")
            if copy or replace:
                await files.place(str(place), cid)
                if not copy:
                    await files.rm(str(source), recursive=True)
            else:
                await files.mv(str(source), str(place))
    return change_document(batch.change) | {"paths": [str(path) for pair in pairs for path in pair]}


@route("POST", "files/delete")
async def delete(request: Request) -> dict[str, Any]:
    """Remove; the answer says what brings it back."""
    paths = path_list(await request.json(), "paths")
    if any(not path.segments for path in paths):
        raise AppError("bad-path", "The folder of all files cannot be deleted")
    files = request.node.files

    async def remove() -> tuple[CID | None, Change]:
        async with files.batch() as batch:
            before = request.node.history.head  # nobody else makes a version now
            for path in paths:
                await files.rm(str(path), recursive=True)
        return before, batch.change

    before, change = await request.node.with_room(remove)
    answer = change_document(change) | {"paths": [str(path) for path in paths]}
    return answer | {"undo": str(before) if before else None}


@route("POST", "files/undo")
async def undo(request: Request) -> dict[str, Any]:
    """Bring paths back as they were at a version."""
    document = await request.json()
    version = field(document, "version", str)
    paths = [str(path) for path in path_list(document, "paths")]
    change = await request.node.history.undo(version, paths)
    return change_document(change) | {"paths": paths}


@route("POST", "files/keep")
async def keep(request: Request) -> dict[str, Any]:
    """Put content that has a CID among the files."""
    document = await request.json()
    content = from_portable(field(document, "path", str))
    to = field(document, "to", str)
    cid = await request.node.resolve(content)
    change = await request.node.put_file(to, cid, name=content.rstrip("/").rpartition("/")[2])
    return change_document(change)


async def _kind(request: Request, path: FilePath) -> Kind | None:
    """What is at the path now; None: nothing."""
    try:
        return (await request.node.files.stat(str(path))).kind
    except FileMissing:
        return None
