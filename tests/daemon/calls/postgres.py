"""A PostgreSQL server of a test's own: in a temporary folder, as an ordinary user, on a socket in the file system."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

USER = "nobody"  # PostgreSQL refuses to run as root


def binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [Path(shutil.which(name) or name)]
    return str(found[-1])


def as_user() -> dict[str, Any]:
    return {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


class Postgres:
    """One server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"postgresql://zwerm@/postgres?unix_sock={folder}/.s.PGSQL.5432"
        self._process: subprocess.Popen[bytes] | None = None
        made = [binary("initdb"), "-D", str(folder / "data"), "-U", "zwerm", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, env=self._environment(), **as_user())

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.folder)}

    def start(self) -> None:
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        self._process = subprocess.Popen(
            [binary("postgres"), "-D", str(self.folder / "data"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self._environment(),
            **as_user(),
        )
        assert self._process.stderr is not None
        said = b""
        for line in self._process.stderr:
            said += line
            if b"ready to accept connections" in line:
                return
        raise AssertionError(said.decode())

    def stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGQUIT)
            process.communicate(timeout=30)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="zwerm-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
