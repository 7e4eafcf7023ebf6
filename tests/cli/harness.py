"""The command line as real processes, each test's repository in a folder of its own, on the loopback only."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.daemon.harness import PATIENCE, Daemon

ZWERM = Path(sys.executable).with_name("zwerm")


@dataclasses.dataclass
class Result:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str
    raw: bytes

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


class Harness:
    """One repository, and the commands that people type at it."""

    def __init__(self, folder: Path, *, program: str = "zwerm") -> None:
        self.folder = folder  # where commands are run
        self.repository = folder / "repository"
        self.program = program
        self.daemon: Daemon | None = None
        folder.mkdir(exist_ok=True)

    def start(self, **arguments: Any) -> Daemon:
        """Let a daemon do the work from now on."""
        self.daemon = Daemon(self.repository, **arguments).wait_ready()
        return self.daemon

    def stop(self) -> None:
        if self.daemon is not None:
            assert self.daemon.stop() == 0, self.daemon.errors
            assert "Traceback" not in self.daemon.errors, self.daemon.errors
            self.daemon = None

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZWERM_", "IPFS_"))}
        return kept | {"ZWERM_PATH": str(self.repository), "ZWERM_PROFILE": "test", "COLUMNS": "100"} | more

    def command(self, *arguments: str | Path) -> list[str]:
        if self.program != "zwerm":
            link = self.folder / self.program
            if not link.is_symlink():
                link.symlink_to(ZWERM)
            return [str(link), *map(str, arguments)]
        return [str(ZWERM), *map(str, arguments)]

    def run(
        self,
        *arguments: str | Path,
        data: bytes | str | None = None,
        environment: dict[str, str] | None = None,
        status: int | None = 0,
    ) -> Result:
        """Run one command to its end; unless `status` is None it must end with it."""
        given = data.encode() if isinstance(data, str) else data
        done = subprocess.run(
            self.command(*arguments),
            input=given if given is not None else b"",
            capture_output=True,
            cwd=self.folder,
            env=self.environment(**(environment or {})),
            timeout=PATIENCE * 4,
            check=False,
        )
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        assert "Traceback" not in err, err
        if status is not None:
            assert done.returncode == status, f"status {done.returncode}: {out}{err}"
        return Result(done.returncode, out, err, done.stdout)

    def fails(self, *arguments: str | Path, data: bytes | str | None = None, status: int = 1) -> str:
        """Run a command that must fail; return the one line it says."""
        result = self.run(*arguments, data=data, status=status)
        line = result.err.rstrip("\n")
        assert line.startswith("Error: "), result.err
        assert "\n" not in line, result.err
        return line.removeprefix("Error: ")

    def file(self, name: str, data: bytes | str) -> Path:
        """Write a file of the disk below the working folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def add(self, data: bytes | str, *arguments: str) -> str:
        """Add bytes, return their address."""
        return self.run("add", "-Q", *arguments, data=data).out.strip()
