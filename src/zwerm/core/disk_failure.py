"""What a person is told when the system refuses a call to the disk: what failed, why, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from zwerm.core.errors import DiskFull, StorageError

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_REASONS: Final[Mapping[int, str]] = {
    errno.ENOSPC: "the disk is full; make room and try again",
    errno.EDQUOT: "the disk quota is used up; make room and try again",
    errno.EFBIG: "the file has reached the size that is allowed here; raise the limit (`ulimit -f`)",
    errno.EROFS: "the file system is read-only; mount it for writing and try again",
    errno.EMFILE: "too many files are open in this process; raise the limit (`ulimit -n`) and try again",
    errno.ENFILE: "too many files are open on this machine; try again later",
    errno.EIO: "the disk failed (input/output error); the system's log says more",
}


def disk_error(action: str, error: OSError) -> StorageError:
    """Return the one line for a failed disk call; `action` is what could not be done."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    kind = DiskFull if error.errno in NO_SPACE else StorageError
    return kind(f"cannot {action}: {reason}")
