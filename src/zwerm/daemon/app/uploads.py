"""`files/upload`: one file as a stream, or many as `multipart/form-data`; all or nothing, one version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from zwerm.core.escaped import from_portable
from zwerm.daemon.app.entries import stat_document
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.files import change_document
from zwerm.daemon.app.request import Reply, Request, parse_time, route
from zwerm.daemon.http.transfer import Transfer
from zwerm.daemon.http.upload import Upload as Multipart
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.node.upload import Upload, relative_path

if TYPE_CHECKING:
    from zwerm.ipfs.mfs.journal import Change

_CONFLICTS: Final = ("replace", "rename", "fail")
_MAX_DIRECTORY: Final = 32_768  # bytes of a directory's name


@route("PUT", "files/upload")
async def upload_one(request: Request) -> Reply:
    """Take one file."""
    text = from_portable(request.text("path"))
    path = FilePath.from_text(text)
    if path.directory or not path.segments:
        raise AppError("bad-path", f"{path} is a folder, expected the path of the file")
    relative_path(text.removeprefix("/"))  # `..` is refused here, and not followed
    conflict = request.choice("conflict", *_CONFLICTS)
    modified = request.exchange.headers.get("X-Zwerm-Modified")
    mtime = Mtime(int(parse_time(modified)), 0) if modified else None
    with request.node.store.hold(), Transfer(request.node, path.name, request.exchange) as transfer:
        upload = Upload(request.node)
        chunks = transfer.counted(request.exchange.chunks())
        await upload.add_file(relative_path(path.name), chunks, mtime=mtime)
        change = await upload.place(path.parent, conflict=conflict)
    return await _created(request, path.parent, change, upload)


@route("POST", "files/upload")
async def upload_many(request: Request) -> Reply:
    """Take a folder, or several files."""
    path = request.path(default="/")
    conflict = request.choice("conflict", *_CONFLICTS)
    multipart = Multipart.of(request.exchange)
    if multipart is None:
        raise AppError("bad-request", "An upload with POST is multipart/form-data; PUT takes one file as it is")
    with request.node.store.hold(), Transfer(request.node, path.name or "/", request.exchange) as transfer:
        upload = Upload(request.node)
        async for part in multipart.parts():
            kind, _, encoded = part.field.partition(":")
            if kind == "directory":
                name = (await part.read(_MAX_DIRECTORY)).decode("utf-8", "surrogateescape")
                upload.add_directory(relative_path(name))
            elif kind == "file":
                name = unquote(encoded) if encoded else part.name
                mtime = Mtime(*part.mtime) if part.mtime else None
                await upload.add_file(relative_path(name), transfer.counted(part.chunks), mtime=mtime)
            else:
                raise AppError("bad-request", f"The form's field {part.field[:40]!r} is neither file nor directory")
        change = await upload.place(path, conflict=conflict)
    return await _created(request, path, change, upload)


async def _created(request: Request, path: FilePath, change: Change, upload: Upload) -> Reply:
    shown: list[dict[str, Any]] = []
    for name in upload.placed[:200]:
        where = path.child(name)
        shown.append(stat_document(where, await request.node.files.stat(str(where))))
    document = change_document(change) | {
        "paths": [str(path.child(name)) for name in upload.placed],
        "entries": shown,
        "files": upload.files,
        "size": upload.size,
    }
    return Reply(document, 201)
