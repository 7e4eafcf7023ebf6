"""A bad path between two UDP ports of this machine: rate, delay, loss and a short queue, in user space.

`python -m benchmarks.impairer RATE DELAY LOSS LEFT RIGHT` forwards between the ports LEFT and RIGHT of 127.0.0.1: RATE
bytes a second and DELAY seconds each way, LOSS of datagrams lost by chance. It prints the two ports that stand for LEFT
and RIGHT, and forwards until its input ends; then it prints what it carried and dropped.

A queue holds what the rate carries in a round trip, at least `SHORTEST` seconds of it; what finds it full is dropped.
`carried_alone` shows what it carries with nobody's protocol in it.
"""

from __future__ import annotations

import json
import random
import select
import socket
import subprocess
import sys
import time
from collections import deque
from typing import Any, Final

from benchmarks.processes import ROOT

SHORTEST: Final = 0.02  # seconds of a queue
READS: Final = 64  # datagrams of one side before the other has its turn
BUFFER: Final = 4_194_304  # bytes of the kernel's receive buffers
PACKET: Final = 1_200


class Direction:
    """One way of the path: what one socket brings leaves by the other, later."""

    def __init__(self, rate: float, delay: float, loss: float, seed: int) -> None:
        self.rate, self.delay, self.loss = rate, delay, loss
        self.waiting: deque[tuple[float, bytes]] = deque()  # with the instant it arrives
        self.carried = self.lost = self.dropped = 0
        self._random = random.Random(seed).random
        self._longest = max(2 * delay, SHORTEST)  # seconds that a datagram may wait for the wire
        self._free_at = 0.0  # when the wire has sent all that waits

    def put(self, data: bytes, now: float) -> None:
        if self._random() < self.loss:
            self.lost += 1
            return
        start = max(now, self._free_at)
        if start - now > self._longest:
            self.dropped += 1
            return
        self._free_at = start + len(data) / self.rate
        self.waiting.append((self._free_at + self.delay, data))

    def take_due(self, now: float) -> list[bytes]:
        due = []
        while self.waiting and self.waiting[0][0] <= now:
            due.append(self.waiting.popleft()[1])
        self.carried += len(due)
        return due


def forward(rate: float, delay: float, loss: float, ports: list[int]) -> None:
    fronts = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
    for front in fronts:
        front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        front.bind(("127.0.0.1", 0))
        front.settimeout(0)
    print(json.dumps([front.getsockname()[1] for front in fronts]), flush=True)
    # What LEFT sends to the front of RIGHT comes to RIGHT from the front of LEFT.
    ways = [
        (fronts[1], ("127.0.0.1", ports[0]), fronts[0], ("127.0.0.1", ports[1]), Direction(rate, delay, loss, 1)),
        (fronts[0], ("127.0.0.1", ports[1]), fronts[1], ("127.0.0.1", ports[0]), Direction(rate, delay, loss, 2)),
    ]
    poll = select.epoll()
    for front in fronts:
        poll.register(front, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    while True:
        due = min((way[4].waiting[0][0] for way in ways if way[4].waiting), default=None)
        timeout = -1.0 if due is None else max(due - time.monotonic(), 0.0)
        ready = [descriptor for descriptor, _ in poll.poll(timeout)]
        if sys.stdin.fileno() in ready:
            break
        for here, only, out, to, way in ways:
            try:
                for _ in range(READS if here.fileno() in ready else 0):
                    data, source = here.recvfrom(65_535)
                    if source == only:
                        way.put(data, time.monotonic())
            except BlockingIOError:
                pass
            for data in way.take_due(time.monotonic()):
                try:
                    out.sendto(data, to)
                except OSError:  # nobody listens any more, or no room: lost
                    way.dropped += 1
    print(json.dumps([[way[4].carried, way[4].lost, way[4].dropped] for way in ways]), flush=True)


class Impairer:
    """The same in a process of its own."""

    def __init__(self, rate: float, delay: float, loss: float, left: int, right: int) -> None:
        command = [sys.executable, "-m", "benchmarks.impairer", *map(str, (rate, delay, loss, left, right))]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.left, self.right = self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> list[list[int]]:
        """Datagrams carried, lost by chance and dropped, of each direction."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        counted: list[list[int]] = self._read()
        self._process.wait(10)
        self._process.stdout.close()
        return counted


def carried_alone(rate: float, delay: float, seconds: float) -> float:
    """Bytes a second that arrive when plain sockets send at `rate` through a path that is no limit."""
    left, right = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for one in (left, right):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        one.bind(("127.0.0.1", 0))
        one.settimeout(0)
    impairer = Impairer(1e12, delay, 0.0, left.getsockname()[1], right.getsockname()[1])
    data, sent, arrived = bytes(PACKET), 0, 0
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        while sent < elapsed * rate / PACKET:
            left.sendto(data, ("127.0.0.1", impairer.right))
            sent += 1
        time.sleep(0.001)
        arrived += _drain(right)
    time.sleep(2 * delay + 0.2)
    arrived += _drain(right)
    impairer.close()
    for one in (left, right):
        one.close()
    return arrived * PACKET / seconds


def _drain(sock: socket.socket) -> int:
    count = 0
    try:
        while True:
            sock.recv(65_535)
            count += 1
    except BlockingIOError:
        return count


if __name__ == "__main__":
    forward(*map(float, sys.argv[1:4]), [int(port) for port in sys.argv[4:6]])  # type: ignore[arg-type]
