"""Files and folders as `multipart/form-data`, sent in chunks while they are read (Kubo, "RPC API", "Arguments").

The upload has a thread of its own: the daemon answers while it reads, and neither may wait for the other.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zwerm.core.errors import StorageError, ZwermError
from zwerm.daemon.rpc.body import DiskBody, PartKind, StreamBody
from zwerm.daemon.rpc.disk import Entry, failed, walk

MEDIA_TYPE: Final = "multipart/form-data"
_FRAME: Final = 1 << 20  # bytes of a file sent as one HTTP chunk


class Upload:
    """One request body on its way."""

    def __init__(self, body: DiskBody | StreamBody) -> None:
        self.boundary = secrets.token_hex(20)
        self._body = body
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._abandoned = False

    def start(self, connection: socket.socket) -> None:
        """Send everything from a thread; `check` tells later whether our side failed."""
        self._thread = threading.Thread(target=self._run, args=(connection,), name="upload", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when the files are closed; close the connection first. A pipe that gives nothing is not waited for."""
        self._abandoned = True
        if self._thread is not None and isinstance(self._body, DiskBody):
            self._thread.join()

    def abandon(self) -> None:
        """The daemon has answered without reading all: what could not be sent is no failure of ours."""
        self._abandoned = True

    def check(self) -> None:
        """Raise what kept us from reading the files, if something did."""
        if self._error is not None:
            raise self._error

    def _run(self, connection: socket.socket) -> None:
        buffer = memoryview(bytearray(_FRAME))
        try:
            for piece in self._pieces(buffer):
                if self._abandoned:
                    return
                connection.sendall(b"%x\r\n" % len(piece), socket.MSG_MORE)
                connection.sendall(piece, socket.MSG_MORE)
                connection.sendall(b"\r\n", socket.MSG_MORE)
            connection.sendall(b"0\r\n\r\n")
        except (ZwermError, _ReadFailed) as error:
            self._error = error.error if isinstance(error, _ReadFailed) else error
            self._shut(connection)
        except (OSError, ValueError):
            return  # the daemon hung up; its answer, or the lack of one, says why

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        """Break off in the middle, so that the daemon does not take what it has for the whole."""
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _pieces(self, buffer: memoryview) -> Iterator[bytes | memoryview]:
        if isinstance(self._body, StreamBody):
            yield self._head(self._body.name, PartKind.FILE, "")
            yield from _descriptor_pieces(self._body.descriptor, buffer)
            yield b"\r\n"
        else:
            for entry in _walk(self._body):
                yield self._head(entry.name, entry.kind, _metadata(entry, self._body), entry.path)
                if entry.kind is PartKind.SYMLINK:
                    yield os.fsencode(entry.target)
                elif entry.kind is PartKind.FILE:
                    yield from _file_pieces(entry, buffer)
                yield b"\r\n"
        yield f"--{self.boundary}--\r\n".encode()

    def _head(self, name: str, kind: PartKind, metadata: str, path: Path | None = None) -> bytes:
        filename = quote(os.fsencode(name), safe="")
        lines = [
            f"--{self.boundary}",
            f'Content-Disposition: form-data; name="file{metadata}"; filename="{filename}"',
            f"Content-Type: {kind.value}",
        ]
        if path is not None:
            lines.append(f"Abspath: {quote(os.fsencode(path.absolute()), safe='/')}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _walk(body: DiskBody) -> Iterator[Entry]:
    try:
        yield from walk(body)
    except OSError as error:
        raise _ReadFailed(error) from None


class _ReadFailed(Exception):
    """Carries an error of ours past the handler for errors of the connection."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _metadata(entry: Entry, body: DiskBody) -> str:
    pairs = []
    if body.keep_mode:
        pairs.append(f"mode={stat.S_IMODE(entry.status.st_mode):04o}")
    if body.keep_mtime:
        seconds, nanoseconds = divmod(entry.status.st_mtime_ns, 1_000_000_000)
        pairs.append(f"mtime={seconds}&mtime-nsecs={nanoseconds}")
    return "?" + "&".join(pairs) if pairs else ""


def _file_pieces(entry: Entry, buffer: memoryview) -> Iterator[memoryview]:
    try:
        descriptor = os.open(entry.path, os.O_RDONLY)
    except OSError as error:
        raise _ReadFailed(failed(entry.path, error)) from None
    try:
        sent = 0
        for piece in _descriptor_pieces(descriptor, buffer, entry.path):
            sent += len(piece)
            yield piece
        after = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    before = entry.status.st_size  # 0 too where only the reader learns it, as below /proc
    if stat.S_ISREG(entry.status.st_mode) and (after != before or (before and sent != before)):
        raise _ReadFailed(
            StorageError(f"cannot add {entry.path}: it changed while it was read; add it when nobody writes to it")
        )


def _descriptor_pieces(descriptor: int, buffer: memoryview, path: Path | None = None) -> Iterator[memoryview]:
    while True:
        try:
            size = os.readv(descriptor, [buffer])
        except OSError as error:
            raise _ReadFailed(error if path is None else failed(path, error)) from None
        if not size:
            return
        yield buffer[:size]
