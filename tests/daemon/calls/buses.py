"""Redis and NATS servers of a test's own: on a free loopback port, in a temporary folder; they can be killed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 20.0


def binary(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"


class BusServer:
    """One server."""

    def __init__(self, kind: str, folder: str, tls: tuple[Path, Path] | None = None) -> None:
        self.kind = kind
        self.folder = folder
        self.tls = tls  # certificate and key
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        if self.kind == "redis":
            return f"{'redis' if self.tls is None else 'rediss'}://:secret@127.0.0.1:{self.port}"
        return f"{'nats' if self.tls is None else 'tls'}://{self._name}"

    @property
    def _name(self) -> str:
        return f"zwerm:secret@127.0.0.1:{self.port}"

    def start(self) -> None:
        port = str(self.port)
        commands = {
            "redis": ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret"],
            "nats": ["nats-server", "-a", "127.0.0.1", "-p", port, "--user", "zwerm", "--pass", "secret"],
        }
        if self.tls is not None:
            certificate, key = map(str, self.tls)
            commands["redis"] += ["--port", "0", "--tls-port", port, "--tls-cert-file", certificate]
            commands["redis"] += ["--tls-key-file", key, "--tls-auth-clients", "no"]
            commands["nats"] += ["--tls", "--tlscert", certificate, "--tlskey", key]
        name, *words = commands[self.kind]
        self._process = subprocess.Popen(
            [binary(name), *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        given_up = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                assert self._process.poll() is None, f"{name} ended"
                assert time.monotonic() < given_up, f"{name} does not listen"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def bus_server(kind: str, tls: tuple[Path, Path] | None = None) -> Iterator[BusServer]:
    """A server that listens, with a certificate and its key by TLS only."""
    with tempfile.TemporaryDirectory(prefix=f"zwerm-{kind}-") as folder:
        server = BusServer(kind, folder, tls)
        server.start()
        try:
            yield server
        finally:
            server.stop()
