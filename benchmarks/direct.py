"""Files by bitswap over webrtc-direct on loopback, beside Helia: each process on its own, 16 MiB, turn by turn.

Helia fetches from us and from another Helia in Node; we fetch from Helia. Two Helias stall more often than not, and
more so with large files: they are given 4 MiB and several tries, and what stalls is not counted against them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import statistics
import sys
import threading
import time
from typing import Any, Final

from benchmarks.harness import Row
from benchmarks.processes import ROOT
from tests.peers.lines import LinePeer

SIZE: Final = 16 * 1_048_576  # bytes
PAIR_SIZE: Final = 4 * 1_048_576  # bytes
TRIES: Final = 8
PATIENCE: Final = 4.0  # seconds for two Helias; they need a fifth of one
START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from benchmarks.direct import main; main()"
ME: Final = (sys.executable, "-c", START, str(ROOT))


def measure(*, quick: bool) -> list[Row]:
    rounds, size = (1, SIZE // 4) if quick else (3, SIZE)
    to_helia, from_helia, between = [], [], []
    for _ in range(rounds):
        to_helia.append(size / 1e6 / fetch_from_us(size))
        between.append(PAIR_SIZE / 1e6 / fetch_between(PAIR_SIZE))
        from_helia.append(size / 1e6 / fetch_by_us(size))
    peer = statistics.median(between)
    return [
        Row("webrtc-direct, we to Helia", "MB/s", statistics.median(to_helia), "Helia to Helia", peer, 2.0),
        Row("webrtc-direct, Helia to us", "MB/s", statistics.median(from_helia), "Helia to Helia", peer, 1.0),
    ]


def fetch_from_us(size: int) -> float:
    with LinePeer(ME) as ours, LinePeer.node("helia_direct.mjs") as helia:
        address = ours.answer()["address"]
        helia.answer()
        cid, digest = ours.ask({"add": size}).values()
        helia.ask({"connect": address})
        return timed(helia.ask({"get": cid}), digest)


def fetch_between(size: int) -> float:
    for _ in range(TRIES):
        with contextlib.suppress(AssertionError):
            return try_between(size)
    raise AssertionError(f"two Helias stalled {TRIES} times in a row")


def try_between(size: int) -> float:
    with LinePeer.node("helia_direct.mjs") as giver, LinePeer.node("helia_direct.mjs") as taker:
        address = giver.answer()["address"]
        taker.answer()
        added = giver.ask({"add": size})
        taker.ask({"connect": address})
        watch = threading.Timer(PATIENCE, taker.kill)
        watch.start()
        try:
            return timed(taker.ask({"get": added["cid"]}), added["sha256"])
        finally:
            watch.cancel()


def fetch_by_us(size: int) -> float:
    with LinePeer(ME) as ours, LinePeer.node("helia_direct.mjs") as helia:
        ours.answer()
        address = helia.answer()["address"]
        added = helia.ask({"add": size})
        ours.ask({"connect": address})
        return timed(ours.ask({"get": added["cid"]}), added["sha256"])


def timed(got: Any, digest: str) -> float:
    assert got["sha256"] == digest
    seconds: float = got["seconds"]
    return seconds


async def serve() -> None:
    """Answer the same questions as helia_direct.mjs."""
    from tests.interop.direct_node import direct_node

    async with direct_node() as node:
        print(json.dumps({"address": node.address}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            ((name, argument),) = json.loads(line).items()
            answer: Any = {}
            if name == "add":
                data = hashlib.shake_128(b"direct").digest(argument)
                answer = {"cid": node.keep(data), "sha256": hashlib.sha256(data).hexdigest()}
            elif name == "connect":
                await node.connect(argument)
            elif name == "get":
                begun = time.perf_counter()
                data = await node.fetch(argument)
                digest = hashlib.sha256(data).hexdigest()
                answer = {"seconds": time.perf_counter() - begun, "sha256": digest}
            print(json.dumps(answer), flush=True)


def main() -> None:
    """Run a node of ours, as `ME` does."""
    import uvloop

    uvloop.run(serve())
