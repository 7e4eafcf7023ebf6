"""256 MiB by bitswap over TCP on the loopback, two processes: what one node has, the other pins.

Ours with ours against Kubo with Kubo, and ours with Kubo in both roles against the slower of the two with its own kind.
"""

from __future__ import annotations

import json
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Row, alternate
from benchmarks.processes import Kubo, daemon, random_file

_SIZE: Final = 256 * 1024 * 1024
_QUICK: Final = 32 * 1024 * 1024


class _Zwerm:
    """Our daemon on a new repository, driven by its RPC."""

    def __init__(self, api: str) -> None:
        self._api = api

    def call(self, path: str, *arguments: str) -> list[Any]:
        query = urllib.parse.urlencode([("arg", argument) for argument in arguments])
        request = urllib.request.Request(f"{self._api}/api/v0/{path}?{query}", method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def address(self) -> str:
        (answer,) = self.call("id")
        return next(text for text in answer["Addresses"] if "/tcp/" in text)

    def add(self, path: Path) -> str:
        boundary = "zwerm-benchmark"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
        body = f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + path.read_bytes()
        request = urllib.request.Request(
            f"{self._api}/api/v0/add?progress=false&cid-version=1",
            data=body + f"\r\n--{boundary}--\r\n".encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return str(json.loads(answer.read().splitlines()[-1])["Hash"])

    def connect(self, address: str) -> None:
        self.call("swarm/connect", address)

    def pin(self, cid: str) -> None:
        self.call("pin/add", cid)


class _Kubo:
    """Kubo on a new repository."""

    def __init__(self, kubo: Kubo) -> None:
        self._kubo = kubo

    def address(self) -> str:
        peer = self._kubo.call("id")
        text = next(text for text in json.loads(self._kubo.call("addresses")) if "/tcp/" in text)
        return text if "/p2p/" in text else f"{text}/p2p/{peer}"

    def add(self, path: Path) -> str:
        return str(self._kubo.call("add", str(path)))

    def connect(self, address: str) -> None:
        self._kubo.call("connect", address)

    def pin(self, cid: str) -> None:
        self._kubo.call("pin", cid)


@contextmanager
def _ours(folder: Path) -> Iterator[_Zwerm]:
    with daemon(folder) as (_, addresses, _seconds):
        yield _Zwerm(addresses["rpc"])


@contextmanager
def _theirs(folder: Path) -> Iterator[_Kubo]:
    kubo = Kubo(folder)
    try:
        yield _Kubo(kubo)
    finally:
        kubo.close()


def _transfer(here: Path, size: int, giver: Any, taker: Any) -> Callable[[], float]:
    """Return what times one transfer between new nodes: MB/s."""

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=here) as folder, ExitStack() as stack:
            place = Path(folder)
            one = stack.enter_context(giver(place / "giver"))
            other = stack.enter_context(taker(place / "taker"))
            cid = one.add(random_file(place / "file", size))
            other.connect(one.address())
            time.sleep(1.0)  # until both have said who they are
            began = time.perf_counter()
            other.pin(cid)
            return size / 1e6 / (time.perf_counter() - began)

    return run


def measure(*, quick: bool) -> list[Row]:
    """Measure."""
    size = _QUICK if quick else _SIZE
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        ours, medians = alternate(
            _transfer(here, size, _ours, _ours),
            {
                "Kubo to Kubo": _transfer(here, size, _theirs, _theirs),
                "zwerm to Kubo": _transfer(here, size, _ours, _theirs),
                "Kubo to zwerm": _transfer(here, size, _theirs, _ours),
            },
            rounds=1 if quick else 3,
        )
    slower = min(ours, medians["Kubo to Kubo"])
    what = f"bitswap {size >> 20} MiB, TCP"
    return [
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "Kubo to Kubo", medians["Kubo to Kubo"], 4.0),
        Row(f"{what}, zwerm to Kubo", "MB/s", medians["zwerm to Kubo"], "the slower with its kind", slower, 1.0),
        Row(f"{what}, Kubo to zwerm", "MB/s", medians["Kubo to zwerm"], "the slower with its kind", slower, 1.0),
    ]
