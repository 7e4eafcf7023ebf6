"""Any number of UDP sockets around one buffer: for a relay, which has one for each of its clients.

A `UdpSocket` has a buffer and a line of what waits to be sent, which is too much ten thousand times over. Here what
comes is read into one buffer, as many datagrams a system call as wait, with room in front of each for a header, and
handed over in place: who takes it is done with it when the callback returns. What the kernel has no room for is dropped
and counted, as a network would.

Packets of many clients come one by one, and to be woken for each costs more than to carry it. So while more than 4,000
come in a second, the pool looks at its sockets every `PERIOD` instead, as network cards moderate their interrupts: a
packet is late by that at most. Runs of equal datagrams are read and written by one system call each, as `UdpSocket`
does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.net.control import SPACE, UDP_GRO, control_for, parse_control
from zwerm.net.recvmmsg import COUNT, LARGEST, Arrival, MessageReader, find_call
from zwerm.net.short_timer import ShortTimer

HEADROOM: Final = 4  # bytes left free in front of each arrival
MAX_READS: Final = 4  # times that as much is read from one socket as there are slots, before another has its turn
MAX_ERRORS: Final = 64  # read of one socket's queue of errors at once
MAX_READY: Final = 512  # sockets of one look
PERIOD: Final = 2e-3  # seconds between two looks by the clock
SHORT_PERIOD: Final = 1e-3  # the same while a look finds more than `MANY`, and the kernel's buffers could fill up
MANY: Final = 32  # datagrams, or runs of them
MAX_IDLE: Final = 4  # looks that find nothing before the clock is stopped: between two bursts are some
WINDOW: Final = 0.01  # seconds over which arrivals are counted
BUSY: Final = 40  # arrivals in a window from which on the pool looks by the clock
RECEIVE_BUFFER: Final = 1_048_576  # bytes asked of the kernel, which gives what net.core.rmem_max allows
SEND_BUFFER: Final = 1_048_576

# IP_MTU_DISCOVER, IPV6_MTU_DISCOVER of Linux: what is too large for the path is fragmented, or refused
_FRAGMENTING: Final = ((socket.IPPROTO_IP, 10), (socket.IPPROTO_IPV6, 23))
_WANT: Final = 1  # IP_PMTUDISC_WANT, the system's usual way
_DO: Final = 2  # IP_PMTUDISC_DO
CAN_FORBID_FRAGMENTS: Final = sys.platform == "linux"

_RECEIVE_ERRORS: Final = ((socket.IPPROTO_IP, 11), (socket.IPPROTO_IPV6, 25))  # IP_RECVERR, IPV6_RECVERR
_EXTENDED_ERROR: Final = struct.Struct("=IBBBxI")  # struct sock_extended_err: errno, origin, type, code, info
_FROM_ICMP: Final = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
_FROM_HERE: Final = 1  # SO_EE_ORIGIN_LOCAL: this machine knows the path, and refuses what is too large for it
_TOO_BIG: Final = ((3, 4), (2, 0))  # type and code of "fragmentation needed" and "packet too big"
_ERROR_SPACE: Final = 256
_MSG_ERRQUEUE: Final = getattr(socket, "MSG_ERRQUEUE", 0x2000)
_WOULD_BLOCK: Final = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}
_REFUSES_SEGMENTS: Final = {errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP}  # this interface or kernel never will


@dataclasses.dataclass(slots=True)
class PoolCounters:
    """What did not get through."""

    dropped: int = 0  # datagrams the kernel had no room for, or too large for the path
    errors: int = 0  # what the system reported of single destinations


class IcmpError(NamedTuple):
    """What came back about something that was sent (RFC 792, RFC 4443)."""

    destination: Address  # where it was sent to
    type: int
    code: int
    data: int  # the MTU of "too big", or 0


class PooledSocket:
    """One bound socket of a pool."""

    __slots__ = (
        "_has_segmentation",
        "_is_ipv6",
        "_pool",
        "address",
        "fileno",
        "is_eager",
        "on_arrivals",
        "on_icmp",
        "receive",
        "socket",
    )

    def __init__(
        self, pool: UdpPool, sock: socket.socket, on_arrivals: Callable[[PooledSocket, list[Arrival]], None]
    ) -> None:
        sock.setblocking(False)  # noqa: FBT003
        name = sock.getsockname()
        self.address: Address = (name[0], name[1])
        self.socket = sock
        self.fileno = sock.fileno()
        self.receive = sock.recvmsg_into
        self.on_arrivals = on_arrivals
        self.on_icmp: Callable[[PooledSocket, IcmpError], None] | None = None
        self.is_eager = False  # there was more than one when it was last read
        self._is_ipv6 = sock.family == socket.AF_INET6
        self._has_segmentation = True
        self._pool = pool

    def read(self, first: Sequence[memoryview], reader: MessageReader | None) -> list[Arrival]:
        """Read once, or what there is where more than one is likely."""
        try:
            if self.is_eager and reader is not None:
                arrivals = reader.read(self.fileno)
                self.is_eager = len(arrivals) > 1
                return arrivals
            size, messages, _, source = self.receive(first, SPACE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            self._pool.counters.errors += 1  # something sent was refused somewhere; that is all it means
            return []
        segment = (parse_control(messages).segment_size or size) if messages else size
        self.is_eager = segment < size or self._pool.is_by_clock
        return [(source[:2] if self._is_ipv6 else source, HEADROOM, size, segment)]

    def send(self, pieces: Sequence[bytes | memoryview], destination: Address, segment_size: int | None) -> None:
        """Send one datagram, or a run of datagrams of `segment_size`; what cannot be sent is dropped and counted."""
        try:
            if segment_size is None:
                if len(pieces) == 1:
                    self.socket.sendto(pieces[0], destination)
                else:
                    self.socket.sendmsg(pieces, (), 0, destination)
            elif self._has_segmentation:
                self.socket.sendmsg(pieces, control_for(segment_size, None), 0, destination)
            else:
                self._send_singly(pieces, destination, segment_size)
        except OSError as error:
            if segment_size is not None and error.errno not in _WOULD_BLOCK:
                if error.errno in _REFUSES_SEGMENTS:
                    self._has_segmentation = False
                self._send_singly(pieces, destination, segment_size)
            elif error.errno in _WOULD_BLOCK or self.on_icmp is None:
                self._count(error, segment_size, pieces)
            else:  # an error of an earlier datagram stood in the way, and is gone now
                self._send_singly(pieces, destination, sum(map(len, pieces)) or 1)

    def _send_singly(self, pieces: Sequence[bytes | memoryview], destination: Address, segment_size: int) -> None:
        data = b"".join(pieces)
        for start in range(0, len(data), segment_size):
            try:
                self.socket.sendto(data[start : start + segment_size], destination)
            except OSError as error:
                self._count(error, None, ())

    def _count(self, error: OSError, segment_size: int | None, pieces: Sequence[bytes | memoryview]) -> None:
        counters = self._pool.counters
        if error.errno in _WOULD_BLOCK or error.errno == errno.EMSGSIZE:
            counters.dropped += 1 if segment_size is None else -(-sum(map(len, pieces)) // segment_size)
        else:
            counters.errors += 1

    def transmit(self, transmit: Transmit) -> None:
        self.send((transmit.data,), transmit.destination, transmit.segment_size)

    def transmit_whole(self, transmit: Transmit) -> None:
        """Send one datagram that nobody may fragment; what is too large for the path is dropped, and told as ICMP."""
        level, option = _FRAGMENTING[self._is_ipv6]
        self.socket.setsockopt(level, option, _DO)
        try:
            self.transmit(transmit)
        finally:
            self.socket.setsockopt(level, option, _WANT)

    def watch_icmp(self, on_icmp: Callable[[PooledSocket, IcmpError], None]) -> None:
        """Tell what comes back about single destinations, where the system does (IP_RECVERR of Linux)."""
        level, option = _RECEIVE_ERRORS[self._is_ipv6]
        with contextlib.suppress(OSError):
            self.socket.setsockopt(level, option, 1)
            self.on_icmp = on_icmp

    def read_errors(self) -> None:
        """Take everything out of the queue of errors."""
        for _ in range(MAX_ERRORS):
            try:
                _, messages, _, destination = self.socket.recvmsg(0, _ERROR_SPACE, _MSG_ERRQUEUE)
            except OSError:
                return
            for level, option, data in messages:
                if (
                    (level, option) in _RECEIVE_ERRORS
                    and len(data) >= _EXTENDED_ERROR.size
                    and self.on_icmp is not None
                ):
                    number, origin, kind, code, info = _EXTENDED_ERROR.unpack_from(data)
                    if origin == _FROM_HERE and number == errno.EMSGSIZE:
                        kind, code = _TOO_BIG[self._is_ipv6]
                    elif origin not in _FROM_ICMP:
                        continue
                    self.on_icmp(self, IcmpError(destination[:2], kind, code, info))

    def close(self) -> None:
        """Close at once. Twice is harmless."""
        self._pool.forget(self)
        self.socket.close()


class UdpPool:
    """The sockets and what watches them."""

    def __init__(self) -> None:
        """Watch on the running loop."""
        self.counters = PoolCounters()
        call = find_call()
        self._reader = None if call is None else MessageReader(call, HEADROOM)
        self.buffer = bytearray(HEADROOM + LARGEST) if self._reader is None else self._reader.buffer
        self.view = memoryview(self.buffer)
        self._first = (self.view[HEADROOM : HEADROOM + LARGEST],)
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, PooledSocket] = {}
        self._epoll: Any = select.epoll() if hasattr(select, "epoll") else None
        self._clock = ShortTimer()
        self.is_by_clock = False
        self._arrived = 0  # in this window
        self._is_busy = False  # in the last window
        self._period = PERIOD
        self._idle = 0  # looks by the clock, one after the other, that found nothing
        self._window_ends = 0.0
        if self._epoll is not None:
            self._loop.add_reader(self._epoll.fileno(), self._wake)

    def __len__(self) -> int:
        return len(self._sockets)

    def open(
        self,
        address: Address,
        on_arrivals: Callable[[PooledSocket, list[Arrival]], None],
        *,
        receive_buffer: int = RECEIVE_BUFFER,
    ) -> PooledSocket:
        """Bind a socket to a numeric address, IPv4 or IPv6 (never both).

        Raises:
            TransportError: the address is not ours, the port is taken, or there are no more descriptors.
        """
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
        except OSError as error:
            raise TransportError(f"cannot open a UDP socket: {error}") from error
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            with contextlib.suppress(OSError):  # a limit of the system's; what it has by default will do
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.bind((host, port))
            return self.adopt(sock, on_arrivals)
        except (OSError, OverflowError) as error:
            sock.close()
            raise TransportError(f"cannot bind UDP {host} port {port}: {error}") from error

    def adopt(self, sock: socket.socket, on_arrivals: Callable[[PooledSocket, list[Arrival]], None]) -> PooledSocket:
        """Take over a bound socket."""
        with contextlib.suppress(OSError):  # without, each datagram is read by itself
            sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        pooled = PooledSocket(self, sock, on_arrivals)
        self._sockets[pooled.fileno] = pooled
        if self._epoll is not None:
            self._epoll.register(pooled.fileno, select.EPOLLIN)
        else:
            self._loop.add_reader(pooled.fileno, self._read, pooled)
        return pooled

    def forget(self, pooled: PooledSocket) -> None:
        """Watch a socket no longer. Twice is harmless."""
        if self._sockets.get(pooled.fileno) is pooled:
            del self._sockets[pooled.fileno]
            if self._epoll is None:
                self._loop.remove_reader(pooled.fileno)
            else:
                self._epoll.unregister(pooled.fileno)

    def close(self) -> None:
        """Close every socket. Twice is harmless."""
        for pooled in list(self._sockets.values()):
            pooled.close()
        if self._epoll is not None and not self._epoll.closed:
            self._loop.remove_reader(self._clock.fileno if self.is_by_clock else self._epoll.fileno())
            self._epoll.close()
            self._clock.close()

    def _wake(self) -> None:
        """Something is ready."""
        self._look()
        now = time.monotonic()
        if now >= self._window_ends:
            self._is_busy = self._arrived >= BUSY
            self._arrived, self._window_ends = 0, now + WINDOW
        if self._is_busy and not self._epoll.closed and self._clock.start(PERIOD):
            self.is_by_clock = True
            self._idle, self._period = 0, PERIOD
            self._loop.remove_reader(self._epoll.fileno())
            self._loop.add_reader(self._clock.fileno, self._tick)

    def _tick(self) -> None:
        """It is time to look; when nothing comes any more, wait to be woken again."""
        self._clock.read()
        before = self._arrived
        self._idle = 0 if self._look() else self._idle + 1
        if self._epoll.closed:  # by what came
            return
        period = SHORT_PERIOD if self._arrived - before > MANY else PERIOD
        if period != self._period:
            self._period = period
            self._clock.start(period)
        if self._idle >= MAX_IDLE:
            self._clock.stop()
            self.is_by_clock = False
            self._loop.remove_reader(self._clock.fileno)
            self._loop.add_reader(self._epoll.fileno(), self._wake)

    def _look(self) -> int:
        """Read what is ready; return how many sockets that were."""
        ready = self._epoll.poll(0, MAX_READY)
        for number, events in ready:
            pooled = self._sockets.get(number)
            if pooled is None:  # closed by what an earlier one brought
                continue
            if events & select.EPOLLERR and pooled.on_icmp is not None:
                pooled.read_errors()
            if events & select.EPOLLIN or pooled.on_icmp is None:
                self._read(pooled)
        return len(ready)

    def _read(self, pooled: PooledSocket) -> None:
        for _ in range(MAX_READS):
            arrivals = pooled.read(self._first, self._reader)
            if arrivals:
                self._arrived += len(arrivals)
                pooled.on_arrivals(pooled, arrivals)
            if len(arrivals) < COUNT or self._sockets.get(pooled.fileno) is not pooled:
                return
