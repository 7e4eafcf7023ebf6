"""A capture on disk: `NAME`, and what came before it as `NAME.1`, `NAME.2`, ..., never more than its limit in all.

Writing goes to the page cache, a buffer at a time. A disk that is full ends the capture and nothing else.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.core.machine import Instant
from zwerm.webrtc.capture.capture import MIN_SIZE, Capture, Tap, Write

DEFAULT_SIZE: Final = 268_435_456  # bytes of all files
DEFAULT_FILES: Final = 2
MAX_FILES: Final = 100

_BUFFER: Final = 65_536  # bytes; what a crash may lose


class CaptureFile:
    """Files that taps write into, until `close`. They are readable for their owner alone."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        now: Instant,
        wall: float,
        max_size: int = DEFAULT_SIZE,
        files: int = DEFAULT_FILES,
        has_keys: bool = False,
    ) -> None:
        """Open the file, which is emptied if it is there.

        Args:
            path: of the newest file.
            now: the time as connections have it.
            wall: seconds since 1970, at that moment.
            max_size: bytes of all files.
            files: how many there may be; the oldest goes when one more is needed.
            has_keys: see `Capture`.

        Raises:
            LocalProtocolError: too small for so many files, or too many files.
            TransportError: the file cannot be opened.
        """
        if not 1 <= files <= MAX_FILES or max_size // files < MIN_SIZE:
            raise LocalProtocolError(f"{files} files of {max_size} bytes in all, expected {MIN_SIZE} for each")
        self.path = Path(path)
        self.failure = ""  # why nothing is written any more
        self._files = files
        self._file: BinaryIO | None = None
        self._capture = Capture(self._write, clock_offset=wall - now, max_size=max_size // files, has_keys=has_keys)
        if self.failure:
            raise TransportError(f"cannot write the capture {self.path}: {self.failure}")

    def tap(self) -> Tap:
        """Begin to capture one more connection."""
        return self._capture.tap()

    def flush(self) -> None:
        """Have everything in the file, for others to read."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Write what is left. Twice is harmless."""
        self.flush()
        self._let_go()
        self.failure = self.failure or "it is closed"

    def _write(self, write: Write) -> None:
        """Write what taps were told. What cannot be written is let go, and `failure` says why."""
        if self.failure:
            return
        try:
            if write.begins_file:
                self._begin()
            if self._file is not None:
                self._file.write(write.data)
        except OSError as error:
            self._fail(error)

    def _begin(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            for number in range(self._files - 1, 0, -1):
                older = self._numbered(number - 1)
                if older.exists():
                    older.replace(self._numbered(number))
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", _BUFFER)
        if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            os.fchmod(self._file.fileno(), 0o600)

    def _numbered(self, number: int) -> Path:
        return self.path if number == 0 else self.path.with_name(f"{self.path.name}.{number}")

    def _fail(self, error: OSError) -> None:
        self.failure = error.strerror or str(error)
        self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as error:  # what its buffer held found no room; the descriptor is closed all the same
            self.failure = self.failure or error.strerror or str(error)
