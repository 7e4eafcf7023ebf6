"""Which connections are captured, and where to: as their configuration says, or one file for all of a process.

The latter is asked for by `capture_process`, or from outside: `ZWERM_CAPTURE=FILE`, with `ZWERM_CAPTURE_KEYS=1` for the
keys too. It takes every connection that asks for no capture itself.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import Final

from zwerm.core.machine import Instant
from zwerm.webrtc.capture.capture import Tap
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.w3c.configuration import RTCConfiguration

FILE_VARIABLE: Final = "ZWERM_CAPTURE"
KEYS_VARIABLE: Final = "ZWERM_CAPTURE_KEYS"

_shared: dict[tuple[str, bool], CaptureFile] = {}  # of this process, until it ends


class Capturing:
    """The capture of one connection."""

    def __init__(self, configuration: RTCConfiguration, now: Instant) -> None:
        """Open what is asked for; mostly nothing is.

        Raises:
            TransportError: the file cannot be opened.
        """
        wanted = configuration.capture
        self._owned: CaptureFile | None = None
        self._file: CaptureFile | None
        if isinstance(wanted, CaptureFile):
            self._file = wanted
        elif wanted is not None:
            has_keys = configuration.captureKeys
            self._file = self._owned = CaptureFile(wanted, now=now, wall=time.time(), has_keys=has_keys)
        else:
            self._file = _of_process(now)
        self.tap: Tap | None = None if self._file is None else self._file.tap()

    def close(self) -> None:
        """The connection is closed: have everything in the file. Twice is harmless."""
        if self._owned is not None:
            self._owned.close()
        elif self._file is not None:
            self._file.flush()


def capture_process(path: str | os.PathLike[str], *, has_keys: bool = False) -> None:
    """Capture every connection that this process begins from now on, as the environment does from outside."""
    os.environ[FILE_VARIABLE] = os.fspath(path)
    os.environ[KEYS_VARIABLE] = "1" if has_keys else "0"


def _of_process(now: Instant) -> CaptureFile | None:
    path, has_keys = os.environ.get(FILE_VARIABLE, ""), os.environ.get(KEYS_VARIABLE) == "1"
    if not path:
        return None
    shared = _shared.get((path, has_keys))
    if shared is None:
        shared = _shared[path, has_keys] = CaptureFile(path, now=now, wall=time.time(), has_keys=has_keys)
        atexit.register(shared.close)
    return shared


def close_shared() -> None:
    """Close what was asked for the process: the next connection begins anew."""
    while _shared:
        file = _shared.popitem()[1]
        file.close()
        atexit.unregister(file.close)
