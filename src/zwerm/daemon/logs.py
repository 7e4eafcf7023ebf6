"""Log lines, for people (text) or for programs (one JSON object a line), on standard error.

Everything logs through the standard `logging` below the name `zwerm`. What goes with a message as `extra` becomes
fields.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import Any, Final, TextIO

_STANDARD: Final = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send the log lines from `level` on to `stream` (standard error), as `text` or `json`. The last call counts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else _Text())
    root = logging.getLogger("zwerm")
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    root.propagate = False
    others = logging.getLogger("asyncio")
    others.handlers = [handler]
    others.setLevel(logging.WARNING)
    others.propagate = False


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _time(record: logging.LogRecord) -> str:
    when = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Text(logging.Formatter):
    """`2026-01-31T12:00:00.000Z warning http: what happened key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        name = record.name.removeprefix("zwerm.")
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        message = record.getMessage().replace("\n", " ")
        line = f"{_time(record)} {record.levelname.lower()} {name}: {message}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)
