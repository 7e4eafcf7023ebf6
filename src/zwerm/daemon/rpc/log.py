"""`log/*`: what the running node writes to its log, and how much (Kubo, "RPC API", `/api/v0/log/level`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, RawStream, argument, command

_ROOT: Final = "zwerm"
_ALL: Final = ("*", "all")
_DEFAULT: Final = "(default)"  # Kubo's name of the level that the others follow
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_BEHIND: Final = 1_000  # lines kept for a reader that is slow; then the oldest are left out
_SPELLINGS: Final = {"warning": "warn", "dpanic": "fatal", "panic": "fatal", "critical": "fatal"}


@command("log/ls", "List the parts of the node that write to its log")
async def log_ls(context: Context) -> dict[str, Any]:
    _check_running(context)
    return {"Strings": _parts()}


@command(
    "log/level",
    "Show or change how much the running node writes to its log",
    arguments=[
        argument("subsystem", "A part, as `log ls` lists them, or all.", required=False),
        argument("level", "debug, info, warn, error or fatal; or default, to follow the others.", required=False),
    ],
)
async def log_level(context: Context, subsystem: str = "", level: str = "") -> dict[str, Any]:
    """Tell the level of one part or of all, or change it until the node stops."""
    _check_running(context)
    if subsystem and subsystem not in (*_ALL, *_parts()):
        raise CommandError(f"no part of the node is called {subsystem!r}; see `zwerm log ls`")
    if level:
        _change(subsystem, level.lower())
        return {"Message": f"Changed log level of '{'*' if subsystem in _ALL else subsystem}' to '{level}'\n"}
    if not subsystem:
        return {"Levels": {"": _text(_ROOT)}}
    if subsystem in _ALL:
        return {"Levels": {_DEFAULT: _text(_ROOT)} | {part: _text(f"{_ROOT}.{part}") for part in _parts()}}
    return {"Levels": {subsystem: _text(f"{_ROOT}.{subsystem}")}}


@command("log/tail", "Show what the running node writes to its log, as it comes")
async def log_tail(context: Context) -> RawStream:
    """Give one JSON object a line, from now until the reader goes or the node stops."""
    _check_running(context)
    return RawStream(_lines(context.stopping or asyncio.Event()))


async def _lines(stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
    tail = _Tail()
    logger = logging.getLogger(_ROOT)
    logger.addHandler(tail)
    ending = asyncio.ensure_future(stopping.wait())
    try:
        yield b""  # the answer begins before there is a line
        while not ending.done():
            waiting = asyncio.ensure_future(tail.queue.get())
            try:
                await asyncio.wait([waiting, ending], return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    yield waiting.result()
            finally:
                waiting.cancel()
    finally:
        ending.cancel()
        logger.removeHandler(tail)


class _Tail(logging.Handler):
    """Puts lines into a queue of the loop in which it is made, from any thread."""

    def __init__(self) -> None:
        from zwerm.daemon.logs import JsonLines

        super().__init__()
        self.setFormatter(JsonLines())
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(_BEHIND)
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        line = (self.format(record) + "\n").encode("utf-8", "surrogateescape")
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._put, line)

    def _put(self, line: bytes) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(line)


def _check_running(context: Context) -> None:
    if context.stop is None:
        raise CommandError("no daemon is running; the setting log.level says what the next one begins with")


def _parts() -> list[str]:
    prefix = _ROOT + "."
    return sorted(name.removeprefix(prefix) for name in logging.root.manager.loggerDict if name.startswith(prefix))


def _change(subsystem: str, level: str) -> None:
    level = _SPELLINGS.get(level, level)
    if level == "default":
        number = logging.NOTSET
    elif level in _LEVELS:
        number = _LEVELS[level]
    else:
        raise CommandError(f"log level {level!r}, expected {', '.join(_LEVELS)} or default")
    if subsystem not in _ALL:
        logging.getLogger(f"{_ROOT}.{subsystem}").setLevel(number)
        return
    for part in _parts():
        logging.getLogger(f"{_ROOT}.{part}").setLevel(logging.NOTSET)
    if number:
        logging.getLogger(_ROOT).setLevel(number)


def _text(logger: str) -> str:
    number = logging.getLogger(logger).getEffectiveLevel()
    return next((name for name, level in _LEVELS.items() if number <= level), "fatal")
