"""How a command fails, and what its caller is told (go-ipfs-cmds, `cmds.Error`)."""

from __future__ import annotations

import enum
from typing import Any

from zwerm.core.errors import ZwermError


class ErrorCode(enum.IntEnum):
    """The `Code` of an error body."""

    NORMAL = 0  # the command failed, and that is not a bug
    CLIENT = 1  # the request makes no sense; HTTP 400
    IMPLEMENTATION = 2  # a bug of ours
    RATE_LIMITED = 3
    FORBIDDEN = 4


class CommandError(ZwermError):
    """A command failed; the message is one line for the person who asked."""

    def __init__(self, message: str, code: ErrorCode = ErrorCode.NORMAL) -> None:
        super().__init__(message)
        self.code = code


class UsageError(CommandError):
    """The arguments or options are wrong, and the command was not started.

    Over HTTP this is status 400 with the message as plain text, on the command line exit status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.CLIENT)


class CommandNotFound(CommandError):
    """No command has this path; HTTP 404."""

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no command {path!r}", ErrorCode.CLIENT)
        self.path = path


class CommandAbsent(CommandError):
    """Kubo has this command and zwerm has not; the message says why. HTTP 500 with it, as any failure."""


def error_body(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and JSON body that tell `error`.

    What is not a `ZwermError`, an OS error or a deadline is a bug: the caller logs it and the body names its kind only.
    """
    code = ErrorCode.NORMAL
    if isinstance(error, CommandError):
        code = error.code
        message = str(error)
    elif isinstance(error, TimeoutError):
        message = str(error) or "the time given with `timeout` ran out (context deadline exceeded)"
    elif isinstance(error, OSError):
        message = error.strerror or str(error)
        if error.filename is not None:
            message = f"{error.filename}: {message}"
    elif isinstance(error, ZwermError):
        message = str(error)
    else:
        code = ErrorCode.IMPLEMENTATION
        message = f"a bug in zwerm ({type(error).__name__}); the daemon's log says where"
    status = 400 if code is ErrorCode.CLIENT else 500
    return status, {"Message": message, "Code": int(code), "Type": "error"}
