"""One node, besieged over TCP by a peer that does all it should not: memory stays bounded, others are served meanwhile.

The node is a process of its own, so that its memory is that of a node and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon.harness import Daemon
from tests.libp2p.hosts import seeded_key
from tests.libp2p.swarm.tcp_hosts import tcp_host
from zwerm.core.errors import ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.bitswap.message import BITSWAP_1_2, Entry, Message, Payload, prefix_of
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.exchange.source import NetworkSource
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.libp2p.framing import write_message
from zwerm.libp2p.stream import StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.transports.tcp import endpoint_of
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("far-links")]

ROUNDS = 3
SIZE = 4_000_000  # bytes of the file that others get meanwhile
GROWTH = 128 * 1_048_576  # bytes; half of what all connections may hold unread
BOMB = bytes(900_000)


class Target:
    """The node, as others see it."""

    def __init__(self, daemon: Daemon) -> None:
        identity = daemon.rpc("id").json
        whole = Multiaddr.from_text(next(text for text in identity["Addresses"] if "/tcp/" in text))
        self.address = whole.decapsulate("p2p") or whole
        self.peer = PeerId.from_text(identity["ID"])
        self.process = daemon.process.pid

    def memory(self) -> int:
        """Return the bytes that the node holds in memory."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmRSS"))


async def streams_without_a_name(mallory: Swarm, target: Target) -> None:
    connection = await mallory.connect(target.peer, [target.address])
    opened = 0
    while opened < 600:
        try:
            muxed = await connection.muxed.open_stream()
        except ResourceLimitError:  # of our own: so many that the peer has not answered
            await asyncio.sleep(0.01)  # until it has
            continue
        opened += 1
        with contextlib.suppress(StreamReset):
            await muxed.write(b"\x13/multistream/1.0.0\n")


async def wantlists(mallory: Swarm, target: Target) -> None:
    cids = [CID.of(os.urandom(16)) for _ in range(20_000)]
    async with await mallory.open_stream(target.peer, [BITSWAP_1_2]) as stream:
        for _ in range(3):
            await write_message(stream, Message([Entry(cid, send_dont_have=True) for cid in cids]).serialize())


async def unasked_blocks(mallory: Swarm, target: Target) -> None:
    cid = CID.of(b"")
    connection = await mallory.connect(target.peer, [target.address])
    async with asyncio.timeout(30), await mallory.open_stream(target.peer, [BITSWAP_1_2]) as stream:
        for _ in range(12):
            message = Message(payloads=[Payload(prefix_of(cid), os.urandom(8) + BOMB)])
            await write_message(stream, message.serialize())
        await connection.muxed.wait_closed()  # by whom it is sent to


async def giants(mallory: Swarm, target: Target) -> None:
    for protocol in (BITSWAP_1_2, "/ipfs/id/push/1.0.0", "/ipfs/kad/1.0.0", "/meshsub/1.1.0", "/libp2p/fetch/0.0.1"):
        with contextlib.suppress(TransportError):
            async with await mallory.open_stream(target.peer, [protocol]) as stream:
                await stream.write(b"\xff\xff\xff\x7f" + BOMB)


async def pings_that_nobody_reads(mallory: Swarm, target: Target) -> None:
    async with await mallory.open_stream(target.peer, ["/ipfs/ping/1.0.0"]) as stream:
        async with asyncio.timeout(1.0):
            await stream.write(bytes(8_000_000))


async def strangers(_: Swarm, target: Target) -> None:
    writers = []
    for number in range(200):
        _, writer = await asyncio.open_connection(*endpoint_of(target.address))
        writer.write(os.urandom(100) if number % 2 else b"")
        writers.append(writer)
    for writer in writers:
        writer.close()


ATTACKS: tuple[Callable[[Swarm, Target], Awaitable[None]], ...] = (
    streams_without_a_name,
    wantlists,
    unasked_blocks,
    giants,
    pings_that_nobody_reads,
    strangers,
)


async def besiege(target: Target) -> None:
    """Attack in all ways, some times over; what is refused is refused."""
    for turn in range(ROUNDS):
        for number, attack in enumerate(ATTACKS):
            async with tcp_host(100 + turn * len(ATTACKS) + number) as mallory:
                with contextlib.suppress(TransportError, ResourceLimitError, TimeoutError, OSError):
                    await mallory.connect(target.peer, [target.address])
                    await attack(mallory, target)


def test_a_node_under_siege_keeps_its_memory_and_serves_others(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "node").wait_ready()
    try:
        target = Target(daemon)
        before = target.memory()
        most = before

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, target.memory())
                await asyncio.sleep(0.05)  # what is watched tells nobody

        async def all_of_it() -> None:
            with Hashers() as hashers:
                async with tcp_host(1, agent="carol") as carol, Bitswap(carol, MemoryBlockstore(), hashers) as bitswap:
                    await carol.connect(target.peer, [target.address])
                    source = NetworkSource(LocalSource(bitswap.store), bitswap)
                    watching = asyncio.create_task(watch())
                    siege = asyncio.create_task(besiege(target))
                    served = 0
                    while not siege.done() or not served:
                        data = os.urandom(SIZE)
                        cid = CID.from_text(await asyncio.to_thread(daemon.add, data))
                        async with asyncio.timeout(30):
                            assert await (await open_file(source, cid)).read() == data
                        served += 1
                    await siege
                    await source.close()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

        asyncio.run(all_of_it())
        print(f"{(most - before) / 1e6:.0f} MB more at most")
        assert most - before < GROWTH
    finally:
        daemon.stop()
    liars = {str(PeerId.of(seeded_key(100 + number).public)) for number in range(ROUNDS * len(ATTACKS))}
    told = [line for line in daemon.errors.splitlines() if any(liar in line for liar in liars)]
    for reason in ("refused streams of", "blocks that nobody asked for", "expected at most", "was given up"):
        assert any(reason in line for line in told), reason
