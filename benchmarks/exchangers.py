"""Nodes that give files and take them, each in a process of its own: ours, Kubo, Helia, libtorrent.

All have the same four verbs, so that one function times any pair of them. What is taken is on the medium when `take`
returns, with those that have a store on disk; Helia, whose store would not say so, has the quicker one in memory.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from benchmarks.processes import Kubo, daemon
from tests.peers.lines import LinePeer


class Exchanger(Protocol):
    """One node."""

    def address(self) -> str: ...

    def add(self, path: Path) -> str:
        """Have a file; return what it is called."""
        ...

    def connect(self, address: str) -> None: ...

    def take(self, name: str) -> float:
        """Get a file from whom it is connected with; return the seconds that took."""
        ...


Kind: TypeAlias = Callable[[Path], AbstractContextManager[Exchanger]]  # makes one in a folder that is not there yet


class Zwerm:
    """Our daemon on a new repository, driven by its RPC."""

    def __init__(self, api: str, over: str = "/tcp/") -> None:
        """`over` is in the address that it gives."""
        self._api = api
        self._over = over

    def call(self, path: str, *arguments: str) -> list[Any]:
        query = urllib.parse.urlencode([("arg", argument) for argument in arguments])
        request = urllib.request.Request(f"{self._api}/api/v0/{path}?{query}", method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def address(self) -> str:
        (answer,) = self.call("id")
        return next(text for text in answer["Addresses"] if self._over in text)

    def add(self, path: Path) -> str:
        return self.add_bytes(path.read_bytes())

    def add_bytes(self, data: bytes) -> str:
        boundary = "zwerm-benchmark"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
        body = f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + data
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

    def take(self, name: str) -> float:
        return timed(lambda: self.call("pin/add", name))

    def block_times(self, names: list[str]) -> list[float]:
        """Read small blocks one after the other over one connection; return the seconds of each."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self._api).netloc, timeout=120)
        times = []
        for name in names:
            began = time.perf_counter()
            connection.request("POST", f"/api/v0/block/get?arg={name}")
            assert connection.getresponse().read()
            times.append(time.perf_counter() - began)
        connection.close()
        return times


class _Kubo:
    def __init__(self, kubo: Kubo, over: str = "/tcp/") -> None:
        self._kubo = kubo
        self._over = over

    def address(self) -> str:
        peer = self._kubo.call("id")
        text = next(text for text in json.loads(self._kubo.call("addresses")) if self._over in text)
        return text if "/p2p/" in text else f"{text}/p2p/{peer}"

    def add(self, path: Path) -> str:
        return str(self._kubo.call("add", str(path)))

    def connect(self, address: str) -> None:
        self._kubo.call("connect", address)

    def take(self, name: str) -> float:
        return timed(lambda: self._kubo.call("pin", name))


class _Helia:
    def __init__(self, peer: LinePeer) -> None:
        self._peer = peer
        self._address: str = peer.answer()["address"]

    def address(self) -> str:
        return self._address

    def add(self, path: Path) -> str:
        return str(self._peer.ask({"add": str(path)})["result"])

    def connect(self, address: str) -> None:
        self._peer.ask({"connect": address})

    def take(self, name: str) -> float:
        return float(self._peer.ask({"get": name})["result"]["seconds"])


class _Torrent:
    """A session of libtorrent; its address is a port, and the name of a file that of its torrent."""

    def __init__(self, peer: LinePeer, folder: Path) -> None:
        self._peer = peer
        self._folder = folder
        self._port: int = peer.answer()["result"]
        self._other = 0

    def address(self) -> str:
        return str(self._port)

    def add(self, path: Path) -> str:
        return str(self._peer.ask(["seed", str(path)])["result"])

    def connect(self, address: str) -> None:
        self._other = int(address)

    def take(self, name: str) -> float:
        return float(self._peer.ask(["fetch", name, str(self._folder), self._other])["result"])


@contextmanager
def zwerm(folder: Path) -> Iterator[Zwerm]:
    with daemon(folder) as (_, addresses, _seconds):
        yield Zwerm(addresses["rpc"])


@contextmanager
def zwerm_quic(folder: Path) -> Iterator[Zwerm]:
    with daemon(folder) as (_, addresses, _seconds):
        yield Zwerm(addresses["rpc"], "/quic-v1")


@contextmanager
def kubo(folder: Path, over: str = "/tcp/") -> Iterator[_Kubo]:
    node = Kubo(folder)
    try:
        yield _Kubo(node, over)
    finally:
        node.close()


@contextmanager
def kubo_quic(folder: Path) -> Iterator[_Kubo]:
    with kubo(folder, "/quic-v1") as made:
        yield made


@contextmanager
def helia(folder: Path) -> Iterator[_Helia]:
    del folder
    with LinePeer.node("helia_tcp.mjs") as peer:
        yield _Helia(peer)


@contextmanager
def torrent(folder: Path) -> Iterator[_Torrent]:
    with LinePeer.python("torrent.py") as peer:
        yield _Torrent(peer, folder)


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
