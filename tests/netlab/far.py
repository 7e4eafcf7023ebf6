"""A file over a bad link, from one node to another, each a process: what it took, and how much of the link it used.

`python -m tests.netlab.far [PICTURE]` prints the figures of docs/verified.md, and draws them; it takes eight minutes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.netlab.link import HOSTS, SATELLITE, Cuts, Impairment, Link, carried_alone
from tests.netlab.nodes import Home

PLAIN: Final = Impairment(rate=1e6, delay=0.025)
MINUTE_IN_FIVE: Final = Cuts(period=300.0, length=60.0, first=15.0)
SIZE: Final = 4_000_000  # bytes
PATIENCE: Final = 400  # seconds
LEAF: Final = 262_144  # bytes
RUNS: Final = 4  # of what chance decides much of


class Fetched(NamedTuple):
    """One file that came."""

    is_whole: bool
    seconds: float
    seconds_up: float  # of those, while the link was there
    share: float  # of what the link could carry while it was there, in bytes on the wire
    blocks: int  # received
    duplicates: int
    sent: int  # blocks that the other sent
    by_second: Mapping[int, int]  # bytes on the wire

    @property
    def line(self) -> str:
        return f"{self.share:.1%} of the link, {self.seconds_up:.1f} s of it up, {self.duplicates} blocks twice"


@contextlib.contextmanager
def connected(folder: Path, link: Link, settings: Mapping[str, Any] | None = None) -> Iterator[tuple[Home, Home]]:
    """Run a node on each side, the second connected with the first, by TCP; they have told each other what they are."""
    for side, host in zip(link.sides, HOSTS, strict=True):
        side.wait_for(host)
    nodes = [
        Home(
            folder / str(number),
            side,
            profile="test",
            overrides={"addresses.swarm": [f"/ip4/{host}/tcp/4001"], **(settings or {})},
        )
        for number, (side, host) in enumerate(zip(link.sides, HOSTS, strict=True))
    ]
    try:
        for node in nodes:
            node.daemon.wait_ready()
        meet(nodes[1], nodes[0])
        for node in nodes:
            while b"agent: zwerm/" not in node.zwerm("swarm", "peers", "--identify"):
                time.sleep(0.05)  # there is nothing to wait for but the list
        yield nodes[0], nodes[1]
    finally:
        for node in nodes:
            node.daemon.stop()


def meet(node: Home, other: Home) -> None:
    node.zwerm("swarm", "connect", f"/ip4/{HOSTS[0]}/tcp/4001/p2p/{other.peer_id}")


def fetch(folder: Path, path: Impairment, size: int, cuts: Cuts | None = None, **settings: str) -> Fetched:
    """Let the second node get a file that the first one has."""
    data = os.urandom(size)
    with Link(path) as link, connected(folder, link, settings) as (giver, taker):
        cid = giver.zwerm("add", "-Q", data=data).decode().strip()
        link.cuts = cuts
        link.restart()
        came = taker.network.call(lambda: read(taker.daemon.api, cid))
        seconds = link.elapsed
        link.cuts = None
        up = cuts.seconds_up(0.0, seconds) if cuts else seconds
        got, gave = (json.loads(node.zwerm("bitswap", "stat", "--json")) for node in (taker, giver))
        way = link.ways[0]
        return Fetched(
            came == data,
            seconds,
            up,
            way.carried * 8 / path.rate / up,
            got["BlocksReceived"],
            got["DupBlksReceived"],
            gave["BlocksSent"],
            dict(way.by_second),
        )


def read(api: str, cid: str) -> bytes:
    """Get a file by the RPC: starting a process takes part of a second in which nobody asks for anything."""
    connection = http.client.HTTPConnection(api, timeout=PATIENCE)
    try:
        connection.request("POST", f"/api/v0/cat?arg={cid}&timeout={PATIENCE}s")
        return connection.getresponse().read()
    finally:
        connection.close()


def blocks_of(size: int) -> int:
    """How many blocks a file has: its leaves and the node above them."""
    leaves = -(-size // LEAF)
    return leaves + (leaves > 1)


def iperf3(path: Impairment, size: int, control: str) -> float:
    """Return the seconds that iperf3 takes for as many bytes, its set-up left out.

    It ends when the last byte is in the sender's buffer, so what counts is at which rate bytes were received.
    """
    with Link(path) as link:
        for side, host in zip(link.sides, HOSTS, strict=True):
            side.wait_for(host)
        command = ["iperf3", "--server", "--one-off", "--bind", HOSTS[1]]
        server = link.sides[1].call(lambda: subprocess.Popen(command, stdout=subprocess.DEVNULL))
        try:
            arguments = ["--client", HOSTS[1], "--bytes", str(size), "--congestion", control, "--json"]
            while True:  # until the server listens
                done = link.sides[0].call(
                    lambda: subprocess.run(["iperf3", *arguments], capture_output=True, text=True, check=False)
                )
                if done.returncode == 0:
                    received = json.loads(done.stdout)["end"]["sum_received"]
                    return size * float(received["seconds"]) / float(received["bytes"])
                time.sleep(0.1)
        finally:
            server.kill()
            server.wait()


def cubic_alone() -> tuple[float, float]:
    """Return the mean seconds that a file takes with CUBIC alone, and those of iperf3; each loses others by chance."""

    def ours(path: Impairment) -> float:
        with tempfile.TemporaryDirectory(prefix="zwerm-far-") as folder:
            return fetch(Path(folder), path, SIZE, None, **{"network.congestion": "cubic"}).seconds

    paths = [dataclasses.replace(SATELLITE, seed=seed) for seed in range(1, RUNS + 1)]
    with concurrent.futures.ThreadPoolExecutor(RUNS) as pool:
        means = [statistics.fmean(pool.map(way, paths)) for way in (ours, lambda path: iperf3(path, SIZE, "cubic"))]
    return means[0], means[1]


def draw(shown: Mapping[str, Fetched], rate: float, path: Path) -> None:
    """Write what went over the wire, second by second."""
    longest = max(max(one.by_second) for one in shown.values()) + 1
    width, height, left = 760, 90, 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height * len(shown) + 30}">',
        '<g font-family="sans-serif" font-size="11" fill="#667788">',
    ]
    step = (width - left - 10) / longest
    for number, (name, one) in enumerate(shown.items()):
        base = height * (number + 1) - 8
        parts.append(f'<text x="{left}" y="{base - 68}">{name}: {one.line}</text>')
        parts.append(f'<line x1="{left}" x2="{width - 10}" y1="{base}" y2="{base}" stroke="#8893a166"/>')
        parts.append(f'<text x="{left - 6}" y="{base - 48}" text-anchor="end">1 Mbit/s</text>')
        for second, size in sorted(one.by_second.items()):
            tall = size * 8 / rate * 52
            x = left + second * step
            parts.append(
                f'<rect x="{x:.1f}" y="{base - tall:.1f}" width="{step:.1f}" height="{tall:.1f}" fill="#2563eb"/>'
            )
    for second in range(0, longest, 10):
        x = left + second * step
        parts.append(f'<text x="{x:.1f}" y="{height * len(shown) + 16}" text-anchor="middle">{second} s</text>')
    path.write_text("\n".join([*parts, "</g></svg>", ""]))


def main(picture: str | None) -> None:
    alone = carried_alone(SATELLITE, 2 * SATELLITE.rate, 3.0)
    print(f"the impairer alone: {alone / 1e6:.2f} Mbit/s of {2 * SATELLITE.rate / 1e6:g} offered", flush=True)
    shown: dict[str, Fetched] = {}
    links: tuple[tuple[str, Impairment, Cuts | None], ...] = (
        ("satellite", SATELLITE, None),
        ("away for a minute", PLAIN, MINUTE_IN_FIVE),
        ("satellite, away for a minute", SATELLITE, MINUTE_IN_FIVE),
    )
    for name, path, cuts in links:
        with tempfile.TemporaryDirectory(prefix="zwerm-far-") as folder:
            shown[name] = fetch(Path(folder), path, SIZE, cuts)
        print(f"{name}: {shown[name].line}", flush=True)
    ours, theirs = cubic_alone()
    print(f"satellite with CUBIC: {ours:.1f} s, iperf3 {theirs:.1f} s (means of {RUNS}): {theirs / ours:.0%} of it")
    if picture:
        draw(shown, SATELLITE.rate, Path(picture))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
