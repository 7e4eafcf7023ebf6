"""SCTP without DTLS: microseconds of CPU for each packet of a bulk transfer, both ends in one process, beside aiortc's.

`python -m benchmarks.sctp SIDE [SIZE]` runs one side alone: `ours`, `plain` (the same modules as plain Python) or
`aiortc`. Packets are those with data; SACKs are part of their price.
"""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, alternate
from tests.forms import prefer_source

ROOT = Path(__file__).parent.parent
LARGE = 65_536  # bytes of a message
SMALL = 64


def measure(*, quick: bool) -> list[Row]:
    """Ours as it is installed, compiled where a compiler was found, and as plain Python."""
    rounds = 1 if quick else 5
    form, bar = ("compiled", 8) if _is_compiled() else ("plain", 3)
    ours, them = alternate(side("ours"), {"plain": side("plain"), "aiortc": side("aiortc")}, rounds=rounds)
    small, they = alternate(side("ours", SMALL), {"aiortc": side("aiortc", SMALL)}, rounds=rounds)
    return [
        Row(f"SCTP, 64 KiB messages ({form})", "us", ours, "aiortc", them["aiortc"], bar, higher_is_better=False),
        Row("SCTP, 64 KiB messages (plain)", "us", them["plain"], "aiortc", them["aiortc"], 3, higher_is_better=False),
        Row(f"SCTP, 64-byte messages ({form})", "us", small, "aiortc", they["aiortc"], bar, higher_is_better=False),
    ]


def side(name: str, size: int = LARGE) -> Callable[[], float]:
    """Return what runs one side in a process of its own."""

    def timing() -> float:
        command = [sys.executable, "-m", "benchmarks.sctp", name, str(size)]
        return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    return timing


def _is_compiled() -> bool:
    found = importlib.util.find_spec("zwerm.webrtc.sctp.association")
    return found is not None and not str(found.origin).endswith(".py")


def run_ours(size: int, total: int) -> float:
    """Transfer and return microseconds a unit: a packet of large messages, a message of small ones."""
    from zwerm.core.random import seeded
    from zwerm.webrtc.sctp.association import Association
    from zwerm.webrtc.sctp.config import DTLS

    now = 0.0
    left, right = (Association(random=seeded(name), now=now) for name in ("left", "right"))
    left.connect(now)
    message, count, sent, got, packets = bytes(size), total // size, 0, 0, 0
    began = time.process_time()
    while got < count:
        while sent < count and left.buffered_amount() < 1_048_576:
            left.send(1, message, ppid=53, now=now)
            sent += 1
        while to_right := left.next_transmits():
            packets += len(to_right)
            now += 1e-6
            right.receive_datagrams(to_right, DTLS, now)
            left.receive_datagrams(right.next_transmits(), DTLS, now)
        got += sum(type(event).__name__ == "MessageReceived" for event in right.next_events())
        now += 0.001
        left.handle_timeout(now)
        right.handle_timeout(now)
    took = time.process_time() - began
    return took / (packets if size > 1_000 else count) * 1e6


class _Dtls:
    """What aiortc's SCTP asks of DTLS: here a function call."""

    state = "connected"

    def __init__(self, role: str) -> None:
        self._role = role
        self.other: _Dtls
        self.receiver: Any = None
        self.packets = 0
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()

    def _register_data_receiver(self, receiver: Any) -> None:
        self.receiver = receiver

    def _unregister_data_receiver(self, _receiver: Any) -> None:
        self.receiver = None

    async def _send_data(self, data: bytes) -> None:
        self.packets += len(data) > 500
        self.other.inbox.put_nowait(data)

    async def carry(self) -> None:
        while True:
            data = await self.inbox.get()
            if self.receiver is not None:
                await self.receiver._handle_data(data)


async def run_aiortc(size: int, total: int) -> float:
    from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpCapabilities, RTCSctpTransport

    ends = [_Dtls("server"), _Dtls("client")]
    ends[0].other, ends[1].other = ends[1], ends[0]
    sctp: list[Any] = [RTCSctpTransport(end) for end in ends]  # type: ignore[arg-type]
    carriers = [asyncio.create_task(end.carry()) for end in ends]
    for one in sctp:
        await one.start(RTCSctpCapabilities(maxMessageSize=LARGE), 5_000)
    while not all(one.state == "connected" for one in sctp):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    parameters = RTCDataChannelParameters(label="x", negotiated=True, id=1)
    out, into = (RTCDataChannel(one, parameters) for one in sctp)
    count, sent, got, done = total // size, 0, 0, asyncio.Event()

    def receive(_data: bytes) -> None:
        nonlocal got
        got += 1
        if got == count:
            done.set()

    into.on("message", receive)
    message = bytes(size)
    began = time.process_time()
    while sent < count:
        while sent < count and out.bufferedAmount < 1_048_576:
            out.send(message)
            sent += 1
        await asyncio.sleep(0)
    await done.wait()
    took = time.process_time() - began
    for one in sctp:
        await one.stop()
    for carrier in carriers:
        carrier.cancel()
    return took / (ends[0].packets if size > 1_000 else count) * 1e6


def main() -> None:
    name, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else LARGE
    if name == "aiortc":
        print(asyncio.run(run_aiortc(size, 8 * 1_048_576 if size > SMALL else 320_000)))
        return
    if name == "plain":
        prefer_source()
    print(run_ours(size, 64 * 1_048_576 if size > SMALL else 6_400_000))


if __name__ == "__main__":
    main()
