"""From dialling to the first byte beside go-libp2p's daemon, and what connections cost that do nothing.

Both dial over TCP, secure and multiplex, open a ping stream and wait for its echo, again and again to the same node in
another process. The daemon is driven over its control socket, which costs it two more round trips on this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
import time
from typing import Final

import psutil
import uvloop

from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.ping.aio import ping
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.multiformats.multiaddr import Multiaddr

DIALS: Final = 100
IDLE: Final = 500  # connections
WATCHED: Final = 70.0  # seconds that the idle ones are watched: their keep-alives are among them
CLOCK_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")  # seconds of processor time, the least that can be told from nothing

_MANY: Final = Limits(connections=2_000, high_water=2_000, connections_per_peer=2_000)
_NOISE: Final = "/noise"


def node(security: str = "", limits: Limits | None = None) -> Swarm:
    key = PrivateKey.generate()
    channels = [channel for channel in securities(key) if security in ("", channel.protocol)]
    return Swarm(key, [TcpTransport(Upgrade(channels))], limits=limits)


def measure(*, quick: bool):
    from benchmarks.harness import Row, alternate
    from tests.peers.lines import LinePeer

    dials, idle, watched = (10, 50, 1.0) if quick else (DIALS, IDLE, WATCHED)
    with LinePeer([sys.executable, __file__]) as peer:
        address, pid = peer.answer()["result"]
        remote = Multiaddr.from_text(address)
        ours, theirs = alternate(
            lambda: uvloop.run(_our_dials(remote, dials)), {"p2pd": lambda: uvloop.run(_their_dials(dials))}
        )
        memory, share, traffic = uvloop.run(_idle(remote, psutil.Process(pid), idle, watched))
    return [
        Row(
            "dial to first byte, noise and yamux",
            "ms",
            ours * 1e3,
            "p2pd",
            theirs["p2pd"] * 1e3,
            1.0,
            higher_is_better=False,
        ),
        Row(
            f"memory of each of {idle} idle connections",
            "kB",
            memory / 1e3,
            "the bar",
            40.0,
            1.0,
            higher_is_better=False,
        ),
        Row(
            f"share of a core of {idle} idle connections", "%", share * 100, "the bar", 1.0, 1.0, higher_is_better=False
        ),
        Row(f"traffic of {idle} idle connections", "kB/s", traffic / 1e3, "the bar", 5.0, 1.0, higher_is_better=False),
    ]


async def _our_dials(remote: Multiaddr, count: int) -> float:
    peer, address = PeerId.from_text(remote.value("p2p") or ""), Multiaddr(remote.components[:2])
    async with node(_NOISE) as swarm:
        spent = 0.0
        for _ in range(count):
            begun = time.perf_counter()
            await swarm.connect(peer, [address])
            await ping(swarm, peer)
            spent += time.perf_counter() - begun
            await swarm.disconnect(peer)
    return spent / count


async def _their_dials(count: int) -> float:
    from tests.peers.p2pd import p2pd
    from tests.peers.p2pd_streams import streams_of

    async with p2pd("-noise") as near, p2pd("-noise") as far, streams_of(near) as streams:
        spent = 0.0
        for _ in range(count):
            begun = time.perf_counter()
            await near.connect(far.peer, far.addresses)
            reader, writer = await streams.open(far.peer, "/ipfs/ping/1.0.0")
            writer.write(bytes(32))
            await reader.readexactly(32)
            spent += time.perf_counter() - begun
            writer.close()
            await streams.disconnect(far.peer)
    return spent / count


async def _idle(remote: Multiaddr, process: psutil.Process, count: int, watched: float) -> tuple[float, float, float]:
    """Return bytes a connection, the share of a core and bytes a second that the listening node uses."""
    peer, address = PeerId.from_text(remote.value("p2p") or ""), Multiaddr(remote.components[:2])
    async with node(_NOISE, _MANY) as swarm:
        transport = swarm._transports[0]
        await swarm.connect(peer, [address])  # what is loaded on first use is no connection's
        before = process.memory_info().rss
        for _ in range(count):
            swarm.adopt(await transport.dial(address, peer))
        await asyncio.sleep(2.0)  # until all have identified each other
        memory = (process.memory_info().rss - before) / count
        times, moved = process.cpu_times(), _bytes_moved(swarm)
        await asyncio.sleep(watched)
        later, moved_later = process.cpu_times(), _bytes_moved(swarm)
        share = max(later.user + later.system - times.user - times.system, CLOCK_TICK) / watched
    return memory, share, max(moved_later - moved, 1) / watched


def _bytes_moved(swarm: Swarm) -> int:
    """What the kernel has sent and received on all connections (tcpi_bytes_acked and tcpi_bytes_received)."""
    total = 0
    for connection in swarm.connections:
        wire = connection.muxed._wire._transport.get_extra_info("socket")
        total += sum(struct.unpack_from("=QQ", wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 120))
    return total


async def _serve() -> None:
    async with node(limits=_MANY) as swarm:
        await swarm.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0")])
        result = [f"{swarm.addresses[0]}/p2p/{swarm.peer_id}", psutil.Process().pid]
        print(json.dumps({"result": result}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_serve())
