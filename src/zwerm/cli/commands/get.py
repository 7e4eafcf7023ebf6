"""`zwerm get`: content to the disk."""

from __future__ import annotations

import itertools
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final, cast

from zwerm.cli import remote
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.local_client import LocalClient
from zwerm.cli.output import human_size, safe
from zwerm.cli.progress import Progress
from zwerm.cli.session import Session
from zwerm.cli.watch import source_lines, sources, watched
from zwerm.core.errors import StorageError
from zwerm.daemon.rpc.content import entry_name
from zwerm.daemon.rpc.registry import Context
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.disk import DiskWriter
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.export import checked_name
from zwerm.ipfs.unixfs.reader import Stat
from zwerm.multiformats.cid import CID

_NO_CID: Final = CID.of(b"")  # an archive does not tell addresses
_ARCHIVE: Final = Stat(_NO_CID, Kind.FILE, 0, 0, 0, None, None, None, sharded=False)


def _run(session: Session, parsed: Parsed) -> None:
    texts, _ = remote.bind(parsed.command.all_arguments(), parsed.arguments, session)
    archive, compress = parsed.flag("archive"), parsed.flag("compress")
    target = Path(parsed.options.get("output") or entry_name(texts[0]))
    with session.progress("writing", wanted=parsed.options.get("progress")) as bar, watched(session, bar) as watch:
        if archive or compress:
            target = _archive_name(target, archive=archive, compress=compress)
            with closing(session.call("get", texts, parsed.command.sent(parsed.options))) as answer:
                bar.update(0, answer.length)
                chunks = _begun(answer.chunks())
                _say(session, f"Saving archive to {safe(str(target))}")
                _save(target, chunks, bar)
        else:
            saving = f"Saving file(s) to {safe(str(target))}"
            if isinstance(session.client, LocalClient):
                _write_local(session.client, texts[0], target, bar, begin=lambda: _say(session, saving))
            else:
                with closing(session.call("get", texts)) as answer:
                    bar.update(0, answer.length)
                    chunks = _begun(answer.chunks())
                    _say(session, saving)
                    _extract(target, entry_name(texts[0]), chunks, bar)
        size = bar.done
    if session.settings.json:
        session.output.json({"Path": str(target), "Bytes": size, "From": sources(watch.fetches)})
    elif session.output.is_terminal:
        session.output.line(f"{human_size(size)} written")
        for line in source_lines(watch.fetches):
            session.output.line(line)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Wait for the first piece, so that nothing is said or made before it is known that there is something."""
    first = next(chunks, b"")
    return itertools.chain([first], chunks)


def _say(session: Session, text: str) -> None:
    if not session.settings.json:
        session.output.line(text)
        session.output.flush()


def _archive_name(target: Path, *, archive: bool, compress: bool) -> Path:
    name = str(target)
    if archive and not name.endswith((".tar", ".tar.gz")):
        name += ".tar"
    if compress and not name.endswith(".gz"):
        name += ".gz"
    return Path(name)


def _save(target: Path, chunks: Iterator[bytes], bar: Progress) -> None:
    """Write an archive that is there under its name once it is whole; into a pipe or device as it comes."""
    if target.exists() and not target.is_file():
        with target.open("wb", buffering=0) as file:
            for chunk in chunks:
                file.write(chunk)
                bar.advance(len(chunk))
        return
    with DiskWriter(target, overwrite=True) as disk, disk.partial((), _ARCHIVE) as write:
        for chunk in chunks:
            write([chunk])
            bar.advance(len(chunk))


class _ChunkFile:
    """The answer as the file object that `tarfile` reads."""

    def __init__(self, chunks: Iterator[bytes], bar: Progress) -> None:
        self._chunks = chunks
        self._bar = bar
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._bar.advance(len(chunk))
                self._rest = memoryview(chunk)
            piece, self._rest = self._rest[:size], self._rest[size:]
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def _target(target: Path, *, is_file: bool, name: str) -> Path:
    """A file goes into a folder that is there; anything else is written at exactly the place."""
    return target / name if is_file and target.is_dir() and not target.is_symlink() else target


def _write_local(client: LocalClient, path: str, target: Path, bar: Progress, *, begin: Callable[[], None]) -> None:
    """Write content of the repository that is open in this process."""
    from zwerm.ipfs.unixfs import export, reader
    from zwerm.ipfs.unixfs.entry import Kind

    node = client.node()

    async def write() -> None:
        cid = await Context(node).resolve(path)
        found = await reader.stat(node.source, cid)
        bar.update(0, found.size if found.kind is Kind.FILE else found.total_size)
        begin()
        place = _target(target, is_file=found.kind is not Kind.DIRECTORY, name=entry_name(path))
        await export.get(node.source, cid, place, overwrite=True, progress=lambda size, _: bar.update(size))

    client.run(write())


def _extract(target: Path, name: str, chunks: Iterator[bytes], bar: Progress) -> None:
    """Unpack the daemon's archive so that its one root becomes `target`; nothing is written outside of it.

    A folder that is there already is added to; files in it are replaced, as Kubo does.
    """
    stream = cast("IO[bytes]", _ChunkFile(chunks, bar))
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 20) as archive:
            first = archive.next()
            if first is None:
                raise StorageError("the daemon sent an empty archive; nothing was written")
            place = _target(target, is_file=not first.isdir(), name=name)
            with DiskWriter(place, overwrite=True) as disk:
                _unpack(archive, first, disk)
        for _ in chunks:  # what follows the end mark; a failure of the stream shows here
            pass
    except tarfile.TarError as error:
        raise StorageError(f"cannot write {target}: {error}") from error


def _unpack(archive: tarfile.TarFile, first: tarfile.TarInfo, disk: DiskWriter) -> None:
    folders: list[tuple[tuple[str, ...], Stat]] = []
    member: tarfile.TarInfo | None = first
    while member is not None:
        path = tuple(checked_name(part) for part in member.name.split("/")[1:])
        while folders and path[: len(folders[-1][0])] != folders[-1][0]:
            disk.leave(*folders.pop())
        found = _stat(member)
        if member.isdir():
            disk.enter(path, found)
            folders.append((path, found))
        elif member.issym():
            disk.symlink(path, found)
        elif (file := archive.extractfile(member)) is not None:
            with disk.partial(path, found) as write:
                while data := file.read(1 << 20):
                    write([data])
        member = archive.next()
    while folders:
        disk.leave(*folders.pop())


def _stat(member: tarfile.TarInfo) -> Stat:
    """What the archive says of an entry; times at 1970 stand for none."""
    kind = Kind.DIRECTORY if member.isdir() else Kind.SYMLINK if member.issym() else Kind.FILE
    mtime = Mtime(int(member.mtime)) if member.mtime else None
    return Stat(_NO_CID, kind, member.size, member.size, 0, member.mode, mtime, member.linkname or None, sharded=False)


COMMANDS = (
    CliCommand(
        "get",
        rpc="get",
        run=_run,
        examples=(
            Example("get ADDRESS", "Write a file or folder to the current folder."),
            Example("get -o holiday /ipfs/ADDRESS/photos", "Write it under another name."),
            Example("get -a -C ADDRESS", "Write one compressed archive."),
        ),
    ),
)
