"""One stream of yamux over a secure channel over TCP, two processes, beside py-libp2p; and over a long, slow link.

The link is a relay in this process: it carries `RATE` bytes a second each way and delivers them half a round trip
later, with a queue of one. That a stream fills it shows that its window grows with the round trip.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.harness import Row, alternate
from tests.peers.lines import PEERS, LinePeer

SIZE: Final = 268_435_456  # bytes
RATE: Final = 2_500_000.0  # bytes a second: 20 Mbit/s
ROUND_TRIP: Final = 0.1  # seconds
SLOW_SIZE: Final = 33_554_432  # bytes
_CHUNK: Final = 16_384

NOISE: Final = "/noise"
TLS: Final = "/tls/1.0.0"


def measure(*, quick: bool) -> list[Row]:
    size, rounds = (SIZE // 16, 1) if quick else (SIZE, 3)

    def ours(security: str) -> float:
        return poured(lambda: LinePeer.python("stream_node.py", security), size)

    def theirs() -> float:
        python = PEERS / "suites" / "libp2p-venv" / "bin" / "python"
        return poured(lambda: LinePeer([python, PEERS / "py_libp2p.py"]), size // 4)

    figure, peers = alternate(lambda: ours(NOISE), {"py-libp2p": theirs, "tls": lambda: ours(TLS)}, rounds=rounds)
    slow = filled(SLOW_SIZE // (4 if quick else 1))
    return [
        Row("one stream, noise and yamux", "MB/s", figure, "py-libp2p", peers["py-libp2p"], 8.0),
        Row("one stream, TLS and yamux", "MB/s", peers["tls"], "py-libp2p", peers["py-libp2p"], 8.0),
        Row("the same at 100 ms, 20 Mbit/s", "MB/s", slow, "the link", RATE / 1e6, 0.9),
    ]


def poured(start: Any, size: int) -> float:
    """MB/s that one process of a kind sends to another."""
    with start() as left, start() as right:
        address = right.answer()["result"]
        left.answer()
        peer = left.ask(["connect", address])["result"]
        return float(size / left.ask(["pour", peer, size])["result"] / 1e6)


def filled(size: int) -> float:
    """MB/s of one stream over the slow link, from its first byte to the answer to its last."""
    with LinePeer.python("stream_node.py", NOISE) as left, LinePeer.python("stream_node.py", NOISE) as right:
        address = right.answer()["result"]
        left.answer()
        port = int(address.split("/")[4])
        with slow_link(port) as front:
            peer = left.ask(["connect", address.replace(f"/tcp/{port}/", f"/tcp/{front}/")])["result"]
            return float(size / left.ask(["pour", peer, size])["result"] / 1e6)


@contextlib.contextmanager
def slow_link(port: int) -> Iterator[int]:
    """Run a relay to `port` in a thread of its own; give the port that stands for it."""
    ready: list[int] = []
    is_up, is_done = threading.Event(), threading.Event()

    async def serve() -> None:
        carrying: set[asyncio.Task[None]] = set()

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            carrying.add(asyncio.get_running_loop().create_task(relay(reader, writer)))

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            ready.append(server.sockets[0].getsockname()[1])
            is_up.set()
            await asyncio.to_thread(is_done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    is_up.wait()
    try:
        yield ready[0]
    finally:
        is_done.set()
        thread.join()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Move bytes one way: so many a second, half a round trip later, at most a round trip's worth on the way."""
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(int(RATE * 2 * ROUND_TRIP / _CHUNK))

    async def deliver() -> None:
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(due - time.monotonic())
            if not data:
                writer.close()
                return
            writer.write(data)

    async def take() -> None:
        free_at = 0.0
        while True:
            data = await reader.read(_CHUNK)
            free_at = max(free_at, time.monotonic()) + len(data) / RATE
            await on_the_way.put((free_at + ROUND_TRIP / 2, data))
            if not data:
                return

    await asyncio.gather(take(), deliver())
