"""Captures of the node's WebRTC connections: files that Wireshark reads (docs/captures.md), kept in the repository.

One runs at a time, and all together never take more than `MAX_KEPT` files.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import LocalProtocolError, NotFoundError, StorageError, TransportError

if TYPE_CHECKING:
    from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
    from zwerm.webrtc.capture.file import CaptureFile

FOLDER: Final = "captures"
MAX_SIZE: Final = 67_108_864  # bytes of one capture: the newest of what passed
MAX_KEPT: Final = 8  # the oldest goes when there is one more

_NAME: Final = re.compile(r"\d{8}-\d{6}(-keys)?\.pcapng(\.1)?")


class Kept(NamedTuple):
    """A file of a capture."""

    name: str
    size: int  # bytes


class Captures:
    """What a node captures, and has captured."""

    def __init__(self, transport: WebRtcDirectTransport, repository: Path) -> None:
        self._transport = transport
        self._folder = repository / FOLDER
        self._running: CaptureFile | None = None
        self._turn = asyncio.Lock()

    @property
    def running(self) -> str | None:
        """The name of the file that is being written."""
        return None if self._running is None else self._running.path.name

    @property
    def failure(self) -> str:
        """Why the one that runs writes nothing any more."""
        return "" if self._running is None else self._running.failure

    async def start(self, *, has_keys: bool) -> str:
        """Begin one, and return its name. With keys, whoever has the file reads what the connections said.

        Raises:
            LocalProtocolError: one runs.
            StorageError: the file cannot be written.
        """
        async with self._turn:
            if self._running is not None:
                raise LocalProtocolError(f"the capture {self._running.path.name} runs")
            self._running = await asyncio.to_thread(self._open, has_keys)
            self._transport.capture(self._running)
            return self._running.path.name

    async def stop(self) -> None:
        """End the one that runs. Twice is harmless."""
        async with self._turn:
            await self._stop()

    async def kept(self) -> list[Kept]:
        """List the files, the newest first."""
        return await asyncio.to_thread(self._list)

    async def read(self, name: str) -> bytes:
        """Return a file.

        Raises:
            NotFoundError: there is none of that name.
        """
        return await asyncio.to_thread(lambda: self._path(name).read_bytes())

    async def remove(self, name: str) -> None:
        """Delete a file; the one that is being written is stopped first."""
        path = await asyncio.to_thread(self._path, name)
        async with self._turn:
            if self._running is not None and self._running.path == path:
                await self._stop()
        try:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError as error:
            raise disk_error(f"delete {path}", error) from error

    async def _stop(self) -> None:
        file, self._running = self._running, None
        if file is not None:
            self._transport.capture(None)
            await asyncio.to_thread(file.close)

    # In threads.

    def _open(self, has_keys: bool) -> CaptureFile:
        from zwerm.webrtc.capture.file import CaptureFile

        moment = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
        path = self._folder / f"{moment}{'-keys' if has_keys else ''}.pcapng"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            paths = self._paths()
            for old in paths[: max(0, len(paths) - MAX_KEPT + 1)]:
                old.unlink(missing_ok=True)
            return CaptureFile(path, now=time.monotonic(), wall=time.time(), max_size=MAX_SIZE, has_keys=has_keys)
        except OSError as error:
            raise disk_error(f"write below {self._folder}", error) from error
        except TransportError as error:
            raise StorageError(str(error)) from error

    def _list(self) -> list[Kept]:
        running = self._running
        if running is not None:
            running.flush()
        try:
            found = [Kept(path.name, path.stat().st_size) for path in self._paths()]
        except OSError as error:
            raise disk_error(f"read {self._folder}", error) from error
        return found[::-1]

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFoundError(f"there is no capture {name[:80]}")
        return path

    def _paths(self) -> list[Path]:
        """The oldest first."""
        return sorted(path for path in self._folder.glob("*.pcapng*") if _NAME.fullmatch(path.name))
