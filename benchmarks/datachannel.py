"""Data channels between two processes on loopback, beside libwebrtc, libdatachannel and aiortc.

UDP payloads of 1,200 bytes on both sides (aiortc's are its own), turn by turn. CPU is that of both processes, for each
GB; the round trip is the median of thousands; from `createOffer` to an open channel both ends are in one process.

`python -m benchmarks.datachannel idle COUNT` holds so many connections in one process and prints what one costs.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Row
from benchmarks.processes import ROOT, resident
from tests.peers.lines import LinePeer

LARGE: Final = 65_536  # bytes of a message
MIDDLE: Final = 16_384
SMALL: Final = 64
OPENSSL: Final = "ours with OpenSSL's records"
PYTHON: Final = ("ours", OPENSSL, "wrtc", "aiortc")  # engines whose two ends can be in one process
SETTLING: Final = 10.0  # seconds until connections that have just been made are idle
WATCHED: Final = 20.0  # seconds that idle connections are looked at

Figures = dict[tuple[str, str], list[float]]  # by engine and what was measured


def measure(*, quick: bool) -> list[Row]:
    rounds, scale = (1, 0.05) if quick else (3, 1.0)
    figures: Figures = {}
    engines = ["ours", OPENSSL, "wrtc", "libdatachannel", "aiortc"]
    for turn in range(rounds):
        for engine in engines if turn % 2 == 0 else reversed(engines):
            measure_pair(engine, scale / 20 if engine == "aiortc" else scale, figures)
    medians = {key: statistics.median(values) for key, values in figures.items()}
    rows = [
        row(medians, "64 KiB messages", "MB/s", ("wrtc", 1.5), ("libdatachannel", 1.5), ("aiortc", 5)),
        row(medians, "64 KiB messages, CPU", "s/GB", ("wrtc", 1 / 0.7), ("libdatachannel", 1 / 0.7), ("aiortc", 5)),
        *with_openssl(medians, "64 KiB messages"),
        row(medians, "16 KiB messages", "MB/s", ("wrtc", 1.5), ("libdatachannel", 1.5), ("aiortc", 5)),
        row(medians, "16 KiB messages, CPU", "s/GB", ("wrtc", 1 / 0.7), ("libdatachannel", 1 / 0.7), ("aiortc", 5)),
        *with_openssl(medians, "16 KiB messages"),
        row(medians, "64-byte messages", "k/s", ("wrtc", 2), ("libdatachannel", 1), ("aiortc", 5)),
        row(medians, "round trip", "us", ("wrtc", 1), ("libdatachannel", 1), ("aiortc", 1)),
        row(medians, "createOffer to open", "ms", ("wrtc", 1), ("aiortc", 1)),
    ]
    return [*(one for several in rows for one in several), *measure_idle(20 if quick else 1_000)]


def row(medians: dict[tuple[str, str], float], what: str, unit: str, *peers: tuple[str, float]) -> list[Row]:
    ours, is_rate = medians["ours", what], unit in ("MB/s", "k/s")
    return [
        Row(f"channels, {what}", unit, ours, peer, medians[peer, what], bar, higher_is_better=is_rate)
        for peer, bar in peers
    ]


def with_openssl(medians: dict[tuple[str, str], float], what: str) -> list[list[Row]]:
    """The same with OpenSSL's records: what other suites than AES-GCM get."""
    rate, used = medians[OPENSSL, what], medians[OPENSSL, f"{what}, CPU"]
    return [
        [Row(f"channels, OpenSSL's records, {what}", "MB/s", rate, "wrtc", medians["wrtc", what], 1.2)],
        [
            Row(
                f"channels, OpenSSL's records, {what}, CPU",
                "s/GB",
                used,
                "wrtc",
                medians["wrtc", f"{what}, CPU"],
                1 / 0.9,
                higher_is_better=False,
            )
        ],
    ]


def start(engine: str) -> LinePeer:
    """One side in a process of its own; ours on uvloop, as the daemon runs."""
    if engine in PYTHON:
        arguments = {"ours": ("zwerm", "uvloop"), OPENSSL: ("zwerm-openssl", "uvloop")}.get(engine, (engine,))
        return LinePeer.python("data_channel.py", *arguments)
    return LinePeer.node("data_channel.mjs", engine)


def connect(left: LinePeer, right: LinePeer) -> None:
    left.ask(["channel", "x", {}])
    left.ask(["accept", right.ask(["answer", left.ask(["offer"])])])
    left.ask(["opened"])
    right.ask(["opened"])


def measure_pair(engine: str, scale: float, figures: Figures) -> None:
    """Run every measurement once on a new pair of processes."""
    with start(engine) as left, start(engine) as right:
        connect(left, right)
        for size, what, total in (
            (LARGE, "64 KiB messages", 400e6),
            (MIDDLE, "16 KiB messages", 200e6),
            (SMALL, "64-byte messages", 10e6),
        ):
            count = max(int(total * scale) // size, 20)
            before = cpu(left, right)
            right.ask(["swallow", count])
            seconds = left.ask(["flood", size, count])
            after = cpu(left, right)
            if size == SMALL:
                note(figures, engine, what, count / seconds / 1e3)
            else:
                note(figures, engine, what, count * size / seconds / 1e6)
                note(figures, engine, f"{what}, CPU", (after - before) / (count * size / 1e9))
        note(figures, engine, "round trip", left.ask(["ping", max(int(3_000 * scale), 100)]) * 1e6)
        if engine in PYTHON:
            note(figures, engine, "createOffer to open", left.ask(["open_time", 5 if scale < 1 else 20]) * 1e3)


def note(figures: Figures, engine: str, what: str, value: float) -> None:
    figures.setdefault((engine, what), []).append(value)


def cpu(*peers: LinePeer) -> float:
    return sum(peer.ask(["usage"])["cpu"] for peer in peers)


def measure_idle(count: int) -> list[Row]:
    """Memory and CPU of idle connections; the bars are figures of our own."""
    command = [sys.executable, "-m", "benchmarks.datachannel", "idle", str(count)]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    memory, load = map(float, output.split())
    limit = 3.0 * count / 1_000
    return [
        Row(f"memory of each of {count} idle ends", "kB", memory, "the bar", 110.0, 1, higher_is_better=False),
        Row(f"CPU of {count} idle ends", "%", load, "the bar", limit, 1, higher_is_better=False),
    ]


async def hold(count: int) -> None:
    """Connect `count` ends with each other, two by two, and print what one of them costs while nothing happens."""
    from zwerm.webrtc import RTCConfiguration, RTCPeerConnection

    here = RTCConfiguration(includeLoopback=True, interfaces=["127.0.0.1"])

    async def pair() -> list[Any]:
        left, right = RTCPeerConnection(here), RTCPeerConnection(here)
        opened = asyncio.Event()
        left.createDataChannel("x").on("open", opened.set)
        await left.setLocalDescription(await left.createOffer())
        await right.setRemoteDescription(left.localDescription)  # type: ignore[arg-type]
        await right.setLocalDescription(await right.createAnswer())
        await left.setRemoteDescription(right.localDescription)  # type: ignore[arg-type]
        await opened.wait()
        return [left, right]

    held = await pair()  # what is imported and cached for the first of them is not counted
    gc.collect()
    before = resident(os.getpid())
    for _ in range(count // 2):
        held += await pair()
    await asyncio.sleep(SETTLING)
    gc.collect()
    memory = (resident(os.getpid()) - before) / (count // 2 * 2) / 1e3
    began, used = time.perf_counter(), time.process_time()
    await asyncio.sleep(WATCHED)
    load = (time.process_time() - used) / (time.perf_counter() - began) * 100
    print(f"{memory:.1f} {load:.2f}")
    for one in held:
        await one.close()


def main() -> None:
    import uvloop

    uvloop.run(hold(int(sys.argv[2])))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(ROOT)))
    main()
