"""What a caller is told when a command fails."""

from __future__ import annotations

import pytest

from zwerm.core.errors import NotFoundError, ResourceLimitError
from zwerm.daemon.rpc.errors import CommandError, CommandNotFound, ErrorCode, UsageError, error_body


@pytest.mark.parametrize(
    ("error", "status", "message", "code"),
    [
        (CommandError("it is pinned"), 500, "it is pinned", 0),
        (UsageError("no such option"), 400, "no such option", 1),
        (CommandNotFound("x/y"), 400, "there is no command 'x/y'", 1),
        (CommandError("slower", ErrorCode.RATE_LIMITED), 500, "slower", 3),
        (NotFoundError("block is not here"), 500, "block is not here", 0),
        (ResourceLimitError("full"), 500, "full", 0),
        (FileNotFoundError(2, "No such file or directory", "/x"), 500, "/x: No such file or directory", 0),
        (OSError("odd"), 500, "odd", 0),
        (TimeoutError(), 500, "the time given with `timeout` ran out (context deadline exceeded)", 0),
    ],
)
def test_errors_have_kubos_body(error: Exception, status: int, message: str, code: int) -> None:
    assert error_body(error) == (status, {"Message": message, "Code": code, "Type": "error"})


def test_a_bug_is_named_by_its_kind_only() -> None:
    status, body = error_body(KeyError("secret"))
    assert (status, body["Code"]) == (500, 2)
    assert "KeyError" in body["Message"]
    assert "secret" not in body["Message"]
