"""One run of the command line: who does the work, where output goes, how progress is shown."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zwerm.cli.client import Answer, Client, connect
from zwerm.cli.output import Output, complain
from zwerm.daemon.rpc.registry import find

if TYPE_CHECKING:
    from zwerm.cli.progress import Progress
    from zwerm.daemon.rpc.body import DiskBody, StreamBody


@dataclasses.dataclass(slots=True)
class Settings:
    """What the global options and the environment say."""

    program: str  # "zwerm", or "ipfs" when called by that name
    repository: Path
    api: str | None = None
    api_auth: str | None = None
    json: bool = False
    shared: dict[str, Any] = dataclasses.field(default_factory=dict)  # global options sent with every command
    purpose: str = "zwerm"  # what other processes read about this one


class Session:
    """Connects on first use; `close` it in the end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.output = Output()
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = connect(self.settings)
        return self._client

    def call(
        self,
        path: str,
        arguments: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        body: DiskBody | StreamBody | None = None,
    ) -> Answer:
        """Run the RPC command at `path`."""
        return self.client.call(find(path), arguments, {**self.settings.shared, **(options or {})}, body)

    def document(self, path: str, arguments: Sequence[str] = (), options: Mapping[str, Any] | None = None) -> Any:
        """Run a command that gives one document, and return that; None when it gives nothing."""
        answer = self.call(path, arguments, options)
        try:
            return next(iter(answer.items()), None)
        finally:
            answer.close()

    def progress(
        self, title: str, total: int | None = None, *, wanted: bool | None = None, unit: str | None = None
    ) -> Progress:
        """Return a bar on standard error; one that shows nothing when that is no terminal, unless `wanted`."""
        from zwerm.cli.progress import Progress

        shown = (os.isatty(2) and not self.settings.json) if wanted is None else wanted
        return Progress(title, total, shown=shown, unit=unit)

    def complain(self, text: str) -> None:
        """Write a line to standard error, below what was printed so far."""
        self.output.flush()
        complain(text)

    @staticmethod
    def reads_terminal() -> bool:
        """Whether standard input is a person at a keyboard."""
        return sys.stdin is not None and sys.stdin.isatty()

    def close(self) -> None:
        """Write what is left and let go of the repository or daemon. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
