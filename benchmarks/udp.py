"""UDP on loopback, 1,200 bytes a datagram: batches with and without GSO and GRO, beside asyncio's own transport."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import uvloop

from benchmarks.harness import Row, alternate
from zwerm.core.machine import Transmit
from zwerm.net.control import UDP_GRO
from zwerm.net.udp import RECEIVE_BUFFER, Batch, UdpSocket

SIZE = 1_200  # bytes
RUN = 50  # datagrams of one transmit
WINDOW = 150  # datagrams on their way at most: what a receive buffer of the usual limit holds


def measure(*, quick: bool) -> list[Row]:
    """Thousands of datagrams a second, sender and receiver on one loop."""
    rounds, count = (1, 4_000) if quick else (5, 60_000)
    peers: dict[str, Callable[[], float]] = {
        "asyncio's transport": lambda: asyncio.run(by_transport(count)) / 1e3,
        "uvloop's transport": lambda: uvloop.run(by_transport(count)) / 1e3,
    }
    rows = []
    for what, offload, bars in (("GSO and GRO", True, (10.0, 4.0)), ("one by one", False, (1.0, 0.5))):
        ours, theirs = alternate(timing(count, offload=offload), peers, rounds=rounds)
        for (peer, figure), bar in zip(theirs.items(), bars, strict=True):
            rows.append(Row(f"UDP on uvloop, {what}", "k/s", ours, peer, figure, bar))
    return rows


def timing(count: int, *, offload: bool) -> Callable[[], float]:
    """Return what measures our sockets."""
    return lambda: uvloop.run(by_batches(count, offload=offload)) / 1e3


async def by_batches(count: int, *, offload: bool) -> float:
    """Datagrams a second through two of our sockets."""
    done = asyncio.get_running_loop().create_future()
    async with UdpSocket.open(("127.0.0.1", 0)) as sender, UdpSocket.open(("127.0.0.1", 0)) as receiver:
        if not offload:
            sender.has_segmentation = False
            receiver._socket.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 0)
            receiver._is_plain = True
        run = Transmit(bytes(SIZE * RUN), receiver.address, SIZE)
        received = sent = 0

        def refill() -> None:
            nonlocal sent
            while sent < count and sent - received < WINDOW:
                sender.send(run)
                sent += RUN

        def take(batch: Batch) -> None:
            nonlocal received
            received += len(batch.datagrams)
            refill()
            if received >= count and not done.done():
                done.set_result(None)

        receiver.on_batch = take
        began = time.perf_counter()
        refill()
        await asyncio.wait_for(done, 60)
        return received / (time.perf_counter() - began)


class Counting(asyncio.DatagramProtocol):
    """The same by asyncio's own means."""

    def __init__(self, count: int, done: asyncio.Future[None]) -> None:
        self.count, self.done = count, done
        self.received = self.sent = 0
        self.sender: Any = None
        self.address: Any = None

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        """Take one, and keep the window full."""
        self.received += 1
        self.refill()
        if self.received >= self.count and not self.done.done():
            self.done.set_result(None)

    def refill(self) -> None:
        """Send until the window is full."""
        while self.sent < self.count and self.sent - self.received < WINDOW:
            self.sender.sendto(bytes(SIZE), self.address)
            self.sent += 1


async def by_transport(count: int) -> float:
    """Datagrams a second through two asyncio transports."""
    loop = asyncio.get_running_loop()
    protocol = Counting(count, loop.create_future())
    receiver, _ = await loop.create_datagram_endpoint(lambda: protocol, ("127.0.0.1", 0))
    sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    receiver.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    protocol.sender, protocol.address = sender, receiver.get_extra_info("sockname")
    began = time.perf_counter()
    protocol.refill()
    await asyncio.wait_for(protocol.done, 60)
    took = time.perf_counter() - began
    for transport in (sender, receiver):
        transport.close()
    return protocol.received / took
