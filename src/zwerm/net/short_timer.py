"""A periodic timer for periods below the millisecond that event loops count in: timerfd of Linux (timerfd_create(2)).

It is a descriptor that becomes readable; elsewhere than on Linux, `start` says that there is none.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from typing import Any, Final

_CLOCK_MONOTONIC: Final = 1
_NONBLOCK_CLOEXEC: Final = 0o4000 | 0o2000000
_LAYOUT: Final = struct.Struct("@qqqq")  # struct itimerspec: interval and first expiry, each seconds and nanoseconds


class ShortTimer:
    """Fires again and again while it runs."""

    def __init__(self) -> None:
        """The descriptor is made by the first `start`."""
        self.fileno = -1

    def start(self, period: float) -> bool:
        """Fire every `period` seconds; False where the system cannot."""
        if self.fileno < 0 and sys.platform == "linux":
            self.fileno = _libc().timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        return self.fileno >= 0 and self._set(round(period * 1e9))

    def stop(self) -> None:
        """Fire no more. Twice is harmless."""
        if self.fileno >= 0:
            self._set(0)

    def read(self) -> int:
        """Return how many times it fired since it was last read."""
        try:
            return int.from_bytes(os.read(self.fileno, 8), sys.byteorder)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the descriptor. Twice is harmless."""
        if self.fileno >= 0:
            os.close(self.fileno)
            self.fileno = -1

    def _set(self, nanoseconds: int) -> bool:
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        value = _LAYOUT.pack(seconds, rest, seconds, rest)
        return int(_libc().timerfd_settime(self.fileno, 0, value, None)) == 0


@functools.cache
def _libc() -> Any:
    return ctypes.CDLL(None)
