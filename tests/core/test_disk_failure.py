"""Failed disk calls as sentences: what failed, why, what to do."""

from __future__ import annotations

import errno
import os

import pytest

from zwerm.core.disk_failure import NO_SPACE, disk_error
from zwerm.core.errors import DiskFull


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.EIO])
def test_what_can_be_helped_says_how(number: int) -> None:
    error = disk_error("do it", OSError(number, os.strerror(number)))
    assert str(error).startswith("cannot do it: ")
    assert str(error).count("\n") == 0
    assert os.strerror(number) not in str(error)
    assert isinstance(error, DiskFull) == (number in NO_SPACE)


def test_anything_else_is_told_in_the_words_of_the_system() -> None:
    assert str(disk_error("do it", OSError(errno.EPERM, "Operation not permitted"))) == (
        "cannot do it: Operation not permitted"
    )
    assert str(disk_error("do it", OSError("odd"))) == "cannot do it: odd"
