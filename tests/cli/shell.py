"""One person's shell with `zwerm connect --paste` in it: lines are typed, documents come out."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.harness import Harness

PATIENCE = 60.0  # seconds, of a busy machine


class Side:
    """One person's shell: lines are typed, documents come out."""

    def __init__(self, harness: Harness, *options: str | Path, json_output: bool = True) -> None:
        first = ["--json"] if json_output else []
        self.process = subprocess.Popen(
            harness.command(*first, "connect", "--paste", *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=harness.folder,
            env=harness.environment(),
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self, wanted: Callable[[str], bool]) -> str:
        """Wait for a line."""
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.seen.append(line)
            if wanted(line):
                return line
        raise AssertionError(f"it ended before; it had said {self.seen}")

    def told(self, kind: str, **values: Any) -> dict[str, Any]:
        """Wait for a document of that type with these values."""

        def is_it(line: str) -> bool:
            found = json.loads(line)
            return found["Type"] == kind and all(found[key] == value for key, value in values.items())

        document: dict[str, Any] = json.loads(self.line(is_it))
        return document

    def code(self) -> str:
        code: str = self.told("code")["Code"]
        return code

    def end(self) -> int:
        """Wait until it has ended by itself; return its status."""
        status = self.process.wait(PATIENCE)
        self._close()
        return status

    def _close(self) -> str:
        self._reader.join()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what was typed last found nobody
        assert "Traceback" not in errors, errors
        assert "bug" not in errors, errors
        return errors

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._close()
