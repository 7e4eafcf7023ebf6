"""The RPC's answers as the command line prints them, for who asks a daemon for `encoding=text`.

The same function that prints a command's answer here runs in a thread of its own, reads the documents from the daemon's
loop, and what it prints goes back there. Under Kubo's name, since its clients ask.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from zwerm.cli.command import CliCommand, Parsed
from zwerm.cli.commands import TABLE, load
from zwerm.cli.output import Output
from zwerm.cli.progress import Progress
from zwerm.cli.session import Session, Settings
from zwerm.daemon.rpc.invoke import option_value
from zwerm.daemon.rpc.registry import Command

_AHEAD: Final = 16  # pieces of text that wait for the reader
_END: Final = object()


async def text_form(
    command: Command, arguments: Sequence[str], options: Mapping[str, Any], documents: AsyncGenerator[Any, None]
) -> AsyncGenerator[bytes, None]:
    """Yield the text of an answer; what the documents raise goes through. A command without a text gives its JSON."""
    shown = _command(command.path)
    bridge = _Bridge(documents)
    session = _TextSession(bridge)
    own = CliCommand(" ".join(command.words), (), rpc=command.path) if shown is None else shown
    given = {
        option.name: option_value(option, options[name])
        for option in own.all_options()
        for name in option.names
        if name in options
    }
    parsed = Parsed(own, tuple(arguments), given)
    thread = ThreadPoolExecutor(1, "zwerm-text")  # not one of the node's: it waits for them
    writing = asyncio.get_running_loop().run_in_executor(thread, _write, session, parsed, bridge)
    try:
        while (text := await bridge.next_text()) is not None:
            yield text
        await writing
    finally:
        bridge.cancel()
        await asyncio.wait([writing])
        thread.shutdown(wait=False)
        await documents.aclose()


def _command(path: str) -> CliCommand | None:
    """Return the command of the line that prints the answer of an RPC command."""
    first = path.partition("/")[0]
    found = [entry for entry in (load(first) if first in TABLE else ()) if entry.rpc == path and entry.text is not None]
    return found[0] if found else None


def _write(session: _TextSession, parsed: Parsed, bridge: _Bridge) -> None:
    """Print, in the thread."""
    with suppress(CancelledError):  # nobody reads on
        _print(session, parsed, bridge)


def _print(session: _TextSession, parsed: Parsed, bridge: _Bridge) -> None:
    try:
        if parsed.command.text is not None:
            parsed.command.text(session, parsed, bridge)
        else:
            for document in bridge.items():
                session.output.line(json.dumps(document, indent=2, ensure_ascii=False))
        session.output.flush()
    finally:
        bridge.end()


class _Bridge:
    """The answer as the thread reads it, and what it prints as the loop does. Neither runs far ahead of the other."""

    raw = False
    length: int | None = None

    def __init__(self, documents: AsyncGenerator[Any, None]) -> None:
        self._documents = documents
        self._loop = asyncio.get_running_loop()
        self._texts: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        self._waiting: Future[Any] | None = None  # what the thread waits for
        self._cancelled = False

    def items(self) -> Iterator[Any]:
        while (document := self._on_loop(anext(self._documents, _END))) is not _END:
            yield document

    def chunks(self) -> Iterator[bytes]:
        yield from ()

    def close(self) -> None:
        """The loop closes the documents."""

    def print(self, text: bytes) -> None:
        self._on_loop(self._texts.put(text))

    def end(self) -> None:
        """Nothing more is printed."""
        if not self._cancelled:
            self._on_loop(self._texts.put(None))

    async def next_text(self) -> bytes | None:
        return await self._texts.get()

    def cancel(self) -> None:
        """Let the thread go; on the loop."""
        self._cancelled = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _on_loop(self, work: Any) -> Any:
        self._waiting = asyncio.run_coroutine_threadsafe(_awaited(work), self._loop)
        if self._cancelled:
            self._waiting.cancel()
        return self._waiting.result()


async def _awaited(work: Any) -> Any:
    return await work


class _TextOutput(Output):
    """Text that goes to the reader of the answer."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(-1)
        self._bridge = bridge

    def data(self, data: bytes | memoryview) -> None:
        self._bridge.print(bytes(data))


class _TextSession(Session):
    """A session that nobody types at: it prints, and shows no bar."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(Settings("ipfs", Path()))
        self.output = _TextOutput(bridge)

    def complain(self, text: str) -> None:
        self.output.line(text.rstrip("\n"))

    def progress(
        self, title: str, total: int | None = None, *, wanted: bool | None = None, unit: str | None = None
    ) -> Progress:
        del wanted
        return Progress(title, total, shown=False, unit=unit)
