"""The gateway beside nginx serving the same file, checked before and on the way; the first byte of a very large one."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.cat import forget
from benchmarks.harness import Row, alternate
from benchmarks.processes import daemon, random_file, zwerm

MIB = 1 << 20

_CONFIG = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


def measure(*, quick: bool) -> list[Row]:
    """Throughput of 100 MiB, requests a second of 1 KiB, first byte of 10 GiB."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        www = here / "www"
        www.mkdir()
        here.chmod(0o755)
        large = random_file(www / "large", (20 if quick else 100) * MIB)
        small = random_file(www / "small", 1024)
        repository = here / "repository"

        def add(path: Path) -> str:
            return subprocess.check_output(zwerm(repository, "add", "-Q", str(path)), text=True).strip()

        large_cid, small_cid = add(large), add(small)
        huge = here / "huge"
        with huge.open("wb") as file:
            file.truncate((1 if quick else 10) * 1024 * MIB)
        huge_cid = add(huge)  # a sparse file of zeros: one block, ten thousand links
        huge.unlink()
        port = _free_port()
        config = here / "nginx.conf"
        config.write_text(_CONFIG.format(folder=here, port=port))
        nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(config)])
        try:
            with daemon(repository) as (_, addresses, _ready):
                ours, theirs = addresses["gateway"].rstrip("/"), f"http://127.0.0.1:{port}"
                _wait(f"{theirs}/small")
                size = large.stat().st_size

                def checked() -> float:
                    return _throughput(f"{ours}/ipfs/{large_cid}", size)

                def unchecked() -> float:
                    forget(repository)
                    return checked()

                def sha256() -> float:
                    data = large.read_bytes()
                    began = time.perf_counter()
                    hashlib.sha256(data).digest()
                    return size / (time.perf_counter() - began) / 1e6

                unchecked()
                rounds = 1 if quick else 5
                peers = {"nginx": lambda: _throughput(f"{theirs}/large", size)}
                wide = alternate(checked, peers, rounds=rounds)
                once = alternate(unchecked, {"sha256": sha256}, rounds=rounds)
                quickly = alternate(
                    lambda: _requests(f"{ours}/ipfs/{small_cid}", 1 if quick else 5),
                    {"nginx": lambda: _requests(f"{theirs}/small", 1 if quick else 5)},
                    rounds=1 if quick else 3,
                )
                forget(repository)
                first = _first_byte(f"{ours}/ipfs/{huge_cid}")
        finally:
            nginx.terminate()
            nginx.wait(10)
        return [
            Row("gateway, 100 MiB", "MB/s", wide[0], "nginx", wide[1]["nginx"], 0.5),
            Row("  first read, every block checked", "MB/s", once[0], "hashlib sha256", once[1]["sha256"], 0.5),
            Row("gateway, 1 KiB", "/s", quickly[0], "nginx", quickly[1]["nginx"], 0.2),
            Row("gateway, first byte of 10 GiB", "ms", first * 1000, "the bar", 20, 1, higher_is_better=False),
        ]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


def _throughput(url: str, size: int) -> float:
    """Megabytes a second of one body, read by a client that does nothing else."""
    parts = urlsplit(url)
    buffer = bytearray(1 << 20)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        began = time.perf_counter()
        connection.sendall(request.encode())
        received = 0
        while count := connection.recv_into(buffer):
            received += count
        took = time.perf_counter() - began
    if received < size:
        raise EOFError(f"{received} of {size} bytes")
    return size / took / 1e6


def _requests(url: str, duration: int) -> float:
    """Requests a second over 16 kept connections, counted by wrk."""
    output = subprocess.check_output(["wrk", "-t1", "-c16", f"-d{duration}s", url], text=True)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None or "Non-2xx" in output:
        raise RuntimeError(output)
    return float(found[1])


def _first_byte(url: str) -> float:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        began = time.perf_counter()
        connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head or head.endswith(b"\r\n\r\n"):
            head += connection.recv(4096)
        return time.perf_counter() - began
