"""A real daemon process on a repository of its own, on free loopback ports, driven over HTTP as anybody would."""

from __future__ import annotations

import dataclasses
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_START = Path(__file__).with_name("watched.py")
PATIENCE = 30  # seconds after which a daemon that does not answer is a failure


@dataclasses.dataclass
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


class Daemon:
    """One daemon process."""

    def __init__(self, path: Path, *, inside: Sequence[str] = (), **arguments: Any) -> None:
        """Start it; `inside` is a command that runs another one somewhere else, such as in a namespace."""
        self.path = path
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWERM_")}
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-P", str(_START), repr({"path": str(path), "profile": "test", **arguments})],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.output: list[str] = []
        self.errors = ""
        self._drain: threading.Thread | None = None
        self._token = ""

    def wait_ready(self) -> Daemon:
        """Return once the ready line was printed."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            if self.output[-1] == "Daemon is ready":
                self._drain = threading.Thread(target=self._read_errors, daemon=True)
                self._drain.start()
                return self
        self.process.wait(PATIENCE)
        self._read_errors()
        self._close_pipes()
        raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.errors}")

    def wait_failure(self) -> str:
        """Return what a daemon that does not start says."""
        output, self.errors = self.process.communicate(timeout=PATIENCE)
        self.output = output.splitlines()
        assert self.process.returncode == 1
        return self.errors

    @property
    def api(self) -> str:
        return self._address("RPC API server listening on ")

    @property
    def gateway(self) -> str:
        return self._address("Gateway server listening on ")

    @property
    def web(self) -> str:
        line = next(line for line in self.output if line.startswith("Web app: "))
        return f"127.0.0.1:{urlsplit(line.split()[2]).port}"

    def connection(self, where: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(where, timeout=PATIENCE)

    def request(
        self, method: str, where: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request to `host:port` and read the whole answer."""
        connection = self.connection(where)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
            return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, data)
        finally:
            connection.close()

    def get(self, where: str, path: str, **headers: str) -> Answer:
        return self.request("GET", where, path, headers={key.replace("_", "-"): text for key, text in headers.items()})

    def rpc(self, command: str, *arguments: str, files: dict[str, bytes] | None = None, **options: Any) -> Answer:
        """Run an RPC command; `files` are uploaded under their names."""
        query = [("arg", argument) for argument in arguments]
        query += [
            (name.replace("_", "-"), str(value).lower() if isinstance(value, bool) else str(value))
            for name, value in options.items()
        ]
        body, headers = multipart(files) if files is not None else (None, {})
        return self.request("POST", self.api, f"/api/v0/{command}?{urlencode(query)}", body, headers)

    def app(
        self, method: str, name: str, /, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """Use the app API with a session; `body` that is no bytes is sent as JSON."""
        sent = dict(headers or {}) | {"X-Zwerm-Token": self.token()}
        if body is not None and not isinstance(body, (bytes, io.IOBase)):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        text = f"?{urlencode(query)}" if query else ""
        return self.request(method, self.web, f"/api/app/{name}{text}", body, sent)

    def token(self) -> str:
        if not self._token:
            answer = self.request("POST", self.web, "/api/app/session", b"", {"X-Zwerm-Client": "web"})
            self._token = answer.json["token"]
        return self._token

    def add(self, data: bytes, **options: Any) -> str:
        """Add one file; return its CID."""
        return self.rpc("add", files={"file": data}, cid_version=1, **options).lines[-1]["Hash"]

    def send(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; return the exit status."""
        if self.process.poll() is None:
            self.send(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE)
        if self._drain is not None:
            self._drain.join(PATIENCE)
        self._close_pipes()
        return status

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _address(self, prefix: str) -> str:
        line = next(line for line in self.output if line.startswith(prefix))
        _, _, host, _, port = line.removeprefix(prefix).split("/")
        return f"{host}:{port}"


def multipart(
    files: dict[str, bytes], field: str = "file", boundary: str = "zwermtest"
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an upload."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{quote(name)}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}


def raw_request(where: str, data: bytes) -> bytes:
    """Send bytes as they are; return all that comes until the other side closes."""
    host, _, port = where.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(data)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer
