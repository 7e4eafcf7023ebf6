"""A bad link between two namespaces: rate, delay, loss, a short queue and cuts, in user space.

Each side has a TUN device; a thread carries packets from one to the other. So it is real TCP that feels it, and every
byte that went over the link is counted. `carried_alone` shows what it carries with nobody's protocol in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import random
import select
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final, Self

from tests.netlab.namespace import Namespace

TUNSETIFF: Final = 0x4004_54CA
IFF_TUN: Final = 0x0001
IFF_NO_PI: Final = 0x1000  # packets come bare
MTU: Final = 1_500
HOSTS: Final = ("192.0.2.1", "192.0.2.2")  # RFC 5737; of the two sides
PORT: Final = 9  # RFC 863


@dataclasses.dataclass(frozen=True, slots=True)
class Impairment:
    """What a link is like, the same both ways."""

    rate: float  # bits a second
    delay: float = 0.0  # seconds one way
    loss: float = 0.0  # of packets, by chance
    seed: int = 1

    @property
    def queue(self) -> float:
        """Seconds that a packet may wait for the wire: a round trip, as is usual."""
        return max(2 * self.delay, 0.02)


SATELLITE: Final = Impairment(rate=1e6, delay=0.3, loss=0.02)


@dataclasses.dataclass(frozen=True, slots=True)
class Cuts:
    """When nothing passes: the last `length` seconds of every `period`, counted from when the link was made."""

    period: float
    length: float
    first: float  # seconds until the first

    def is_cut(self, elapsed: float) -> bool:
        return elapsed >= self.first and (elapsed - self.first) % self.period < self.length

    def seconds_up(self, start: float, stop: float) -> float:
        """How long it was up between two instants, to a hundredth of a second."""
        steps = int((stop - start) * 100)
        return sum(not self.is_cut(start + step / 100) for step in range(steps)) / 100


@dataclasses.dataclass(slots=True)
class Way:
    """One direction, and what became of its packets."""

    path: Impairment
    carried: int = 0  # bytes that arrived, headers and all
    lost: int = 0  # packets, by chance
    dropped: int = 0  # packets that found the queue full
    swallowed: int = 0  # packets that met a cut
    by_second: Counter[int] = dataclasses.field(default_factory=Counter)  # bytes that arrived, by second of the link
    waiting: deque[tuple[float, bytes]] = dataclasses.field(default_factory=deque)  # with the instant it arrives
    free_at: float = 0.0  # when the wire has sent all that waits

    def put(self, packet: bytes, now: float, draw: random.Random) -> None:
        if draw.random() < self.path.loss:
            self.lost += 1
            return
        start = max(now, self.free_at)
        if start - now > self.path.queue:
            self.dropped += 1
            return
        self.free_at = start + len(packet) * 8 / self.path.rate
        self.waiting.append((self.free_at + self.path.delay, packet))


class Link:
    """Two namespaces and what is between them. Use it as a context."""

    def __init__(self, path: Impairment, cuts: Cuts | None = None) -> None:
        self.path = path
        self.cuts = cuts
        self.is_cut = False  # by hand; counted beside `cuts`
        self.sides = (Namespace(), Namespace())
        self.ways = (Way(path), Way(path))  # from the first side, from the second
        self._devices = [side.call(_open_device) for side in self.sides]
        for side, host in zip(self.sides, HOSTS, strict=True):
            side.ip(f"addr add {host}/24 dev link0", f"link set link0 mtu {MTU} up")
        self._stop, self._stopping = os.pipe()
        self.started = time.monotonic()
        self._thread = threading.Thread(target=self._carry, name="link", daemon=True)
        self._thread.start()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.started

    def restart(self) -> None:
        """Count time and bytes from now on."""
        self.started = time.monotonic()
        for way in self.ways:
            way.carried = way.lost = way.dropped = way.swallowed = 0
            way.by_second.clear()

    def _carry(self) -> None:
        draw = random.Random(self.path.seed)
        poll = select.poll()
        for descriptor in (*self._devices, self._stop):
            poll.register(descriptor, select.POLLIN)
        while True:
            now = time.monotonic()
            due = min((way.waiting[0][0] for way in self.ways if way.waiting), default=None)
            ready = {each for each, _ in poll.poll(None if due is None else max(0.0, due - now) * 1_000)}
            if self._stop in ready:
                return
            for number, way in enumerate(self.ways):
                if self._devices[number] in ready:
                    self._take(self._devices[number], way, draw)
                self._deliver(self._devices[1 - number], way)

    def _take(self, device: int, way: Way, draw: random.Random) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                packet = os.read(device, 65_536)
                if self._is_cut():
                    way.swallowed += 1
                else:
                    way.put(packet, time.monotonic(), draw)

    def _deliver(self, device: int, way: Way) -> None:
        now = time.monotonic()
        while way.waiting and way.waiting[0][0] <= now:
            _, packet = way.waiting.popleft()
            if self._is_cut():
                way.swallowed += 1
                continue
            try:
                os.write(device, packet)
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EAGAIN, errno.EINVAL):  # it is down, full, or a stray packet
                    raise
                way.dropped += 1
                continue
            way.carried += len(packet)
            way.by_second[int(now - self.started)] += len(packet)

    def _is_cut(self) -> bool:
        return self.is_cut or (self.cuts is not None and self.cuts.is_cut(self.elapsed))

    def close(self) -> None:
        os.write(self._stopping, b"x")
        self._thread.join()
        for descriptor in (*self._devices, self._stop, self._stopping):
            os.close(descriptor)
        for side in self.sides:
            side.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_device() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"link0", IFF_TUN | IFF_NO_PI))
    return device


def carried_alone(path: Impairment, rate: float, seconds: float) -> float:
    """Return the bits a second that arrive when plain datagrams are sent at `rate` over such a path without a limit."""
    free = dataclasses.replace(path, rate=1e9, loss=0.0)
    with Link(free) as link, _sockets(link) as (sender, receiver):
        size = MTU - 28
        began, sent, arrived = time.monotonic(), 0, 0
        while (elapsed := time.monotonic() - began) < seconds + 2 * path.delay + 0.2:
            while elapsed < seconds and sent < elapsed * rate / 8 / MTU:
                sender.sendto(bytes(size), (HOSTS[1], PORT))
                sent += 1
            with contextlib.suppress(BlockingIOError):
                while receiver.recv(MTU):
                    arrived += 1
            time.sleep(0.001)  # the pace of the sender, no wait for anything
        return arrived * MTU * 8 / seconds


@contextlib.contextmanager
def _sockets(link: Link) -> Iterator[tuple[socket.socket, socket.socket]]:
    def open_socket() -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    with link.sides[0].call(open_socket) as sender, link.sides[1].call(open_socket) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_194_304)
        receiver.bind((HOSTS[1], PORT))
        receiver.settimeout(0)
        yield sender, receiver
