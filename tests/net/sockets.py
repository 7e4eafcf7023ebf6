"""Real sockets on loopback for tests: what arrived is kept, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zwerm.core.machine import Address, Transmit
from zwerm.net.udp import Batch, UdpSocket

LOOPBACK = ("127.0.0.1", 0)
LOOPBACK6 = ("::1", 0)


async def until(condition: Callable[[], object], limit: float = 20.0) -> None:
    """Let the loop run until `condition` holds; a test that waits for what never comes fails."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - what it looks at is not made for waiting
            await asyncio.sleep(0.001)  # the condition decides, not the time


class Inbox:
    """Keeps the batches that a socket gives."""

    def __init__(self, socket: UdpSocket) -> None:
        self.batches: list[Batch] = []
        self.errors: list[OSError] = []
        socket.on_batch = self.batches.append
        socket.on_error = self.errors.append

    @property
    def datagrams(self) -> list[bytes]:
        return [datagram for batch in self.batches for datagram in batch.datagrams]

    async def wait_count(self, count: int) -> list[bytes]:
        await until(lambda: len(self.datagrams) >= count)
        return self.datagrams


def run_of(count: int, size: int, destination: Address, last: int | None = None) -> Transmit:
    """`count` datagrams of `size` bytes that can be told apart, in one transmit."""
    datagrams = [number.to_bytes(2, "big") * (size // 2) for number in range(count)]
    datagrams[-1] = datagrams[-1][: last or size]
    return Transmit(b"".join(datagrams), destination, size)
