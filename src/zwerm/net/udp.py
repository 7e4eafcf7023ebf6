"""A UDP socket that reads and writes many datagrams a system call, on asyncio's or uvloop's `add_reader`.

asyncio's own datagram transport takes a callback, a task switch and a system call for each datagram. Here one wake-up
reads until the socket is dry or a bound is reached, and gives what came from one source as one batch. A run of equal
datagrams is written by one system call (UDP_SEGMENT) and, where the kernel merged them, read by one (UDP_GRO); a kernel
or an interface that refuses either is found out and served one by one.

What cannot be written at once waits here, up to a limit: then `is_full` is true until `on_writable` is called.
ECN bits, the "don't fragment" bit and time to live are left as the system sets them.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Self

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.net.control import (
    IP_PKTINFO,
    IPV6_RECVPKTINFO,
    MAX_SEGMENTS,
    SPACE,
    UDP_GRO,
    control_for,
    parse_control,
)

# Not Final, so that a test can lower them where this is compiled.
READS_PER_WAKE = 32  # system calls before others on the loop have their turn; each may bring 64 datagrams
AT_ONCE: Final = 0.000_02  # seconds from one wake-up to another that shows that datagrams were waiting
BATCH = 256  # datagrams given to the callback at once
BUFFER: Final = 65_536  # bytes, above the largest UDP payload
RECEIVE_BUFFER: Final = 4_194_304  # bytes asked of the kernel, which gives what net.core.rmem_max allows
SEND_BUFFER: Final = 1_048_576  # bytes; more would only be a longer queue in front of a slow interface
MAX_PENDING: Final = 262_144  # bytes that wait for the socket to be writable
MAX_RUN: Final = 65_000  # bytes of one send, below the largest UDP payload

_TRUNCATED: Final = int(socket.MSG_TRUNC)  # as a plain number: flags of `socket` are objects that cost a microsecond
_REFUSES_SEGMENTS: Final = {errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP}  # this interface or kernel never will
_WOULD_BLOCK: Final = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}


# Where a thread reads into, whatever socket: what came is copied out before anything else happens.
_READING: Final = threading.local()


def _buffers() -> list[bytearray]:
    """The one buffer of this thread, in the shape that `recvmsg_into` wants."""
    buffers: list[bytearray] | None = getattr(_READING, "buffers", None)
    if buffers is None:
        buffers = _READING.buffers = [bytearray(BUFFER)]
    return buffers


class Batch(NamedTuple):
    """Datagrams that came from one source, in order, by one wake-up."""

    datagrams: Sequence[bytes]
    source: Address
    destination: str | None  # the local address they were sent to, where the socket was opened with `local_addresses`


@dataclasses.dataclass(slots=True)
class Counters:
    """What went through a socket."""

    datagrams_received: int = 0
    bytes_received: int = 0
    reads: int = 0  # system calls that brought something
    datagrams_sent: int = 0
    bytes_sent: int = 0
    writes: int = 0  # system calls that took something
    dropped: int = 0  # datagrams that found no room to wait in, or were too large for the path
    truncated: int = 0  # datagrams that came larger than a datagram can be
    errors: int = 0  # what the system reported: a port that nobody listens on, an interface that is gone


def ignore_batch(_batch: Batch) -> None:
    """What comes to a socket that nobody has claimed yet is lost."""


def ignore_writable() -> None:
    """Nobody waits for the socket."""


def ignore_error(_error: OSError) -> None:
    """Errors of a datagram socket say that something was lost, as it may be."""


class UdpSocket:
    """One bound UDP socket. Not safe to use from another thread than its loop's."""

    def __init__(self, sock: socket.socket, *, local_addresses: bool = False) -> None:
        """Take over a bound UDP socket, on the running loop; `open` is the usual way."""
        sock.settimeout(0)
        self.on_batch: Callable[[Batch], None] = ignore_batch
        self.on_error: Callable[[OSError], None] = ignore_error
        self.on_writable: Callable[[], None] = ignore_writable
        self.has_segmentation = True  # until the kernel refuses
        self.has_coalescing = _try_option(sock, socket.IPPROTO_UDP, UDP_GRO)
        self._is_plain = not self.has_coalescing and not local_addresses  # nothing comes beside the datagrams
        self.counters = Counters()
        self._loop = asyncio.get_running_loop()
        self._socket: Any = sock
        self._buffers = _buffers()
        self._view = memoryview(self._buffers[0])
        self._source: tuple[Any, ...] = ("", 0)  # of what was read last
        self._destination: str | None = None  # the same
        self._pending: deque[Transmit] = deque()
        self._pending_size = 0
        self._is_reading = False
        self._is_run = False  # the last wake-up found more than one
        self._read_at = 0.0  # when it ended
        self._is_closed = False
        name = sock.getsockname()
        self.address: Address = (name[0], name[1])
        self.resume_reading()

    @classmethod
    def open(
        cls,
        address: Address = ("0.0.0.0", 0),  # noqa: S104 - the unspecified address, port chosen by the system
        *,
        local_addresses: bool = False,
        share_port: bool = False,
    ) -> Self:
        """Bind to a numeric local address, IPv4 or IPv6 (never both), on the running loop.

        Args:
            address: port 0 lets the system choose; `address` of the result says which.
            local_addresses: tell with each batch which local address it came to: for a socket on the unspecified one.
            share_port: several processes bind the same port, and the kernel spreads sources over them.

        Raises:
            TransportError: the address is not ours, or the port is taken.
        """
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if share_port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with contextlib.suppress(OSError):  # a limit of the system's; what it has by default will do
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            if local_addresses:
                level = (socket.IPPROTO_IP, IP_PKTINFO)
                sock.setsockopt(*((socket.IPPROTO_IPV6, IPV6_RECVPKTINFO) if family == socket.AF_INET6 else level), 1)
            sock.bind((host, port))
            return cls(sock, local_addresses=local_addresses)
        except (OSError, OverflowError) as error:
            sock.close()
            raise TransportError(f"cannot bind UDP {host} port {port}: {error}") from error

    # Reading.

    def pause_reading(self) -> None:
        """Leave what comes to the kernel's buffer, which drops when it is full."""
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._socket.fileno())

    def resume_reading(self) -> None:
        """Undo `pause_reading`."""
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._loop.add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        """One wake-up.

        A read that finds nothing costs as much as one that brings something, so where datagrams come one by one, as
        in a conversation, the loop is left to say whether there is more; where it says so at once they are read to the
        last from then on.
        """
        is_run = self._is_run or time.monotonic() - self._read_at < AT_ONCE
        self._is_run = self._read_up_to(READS_PER_WAKE if is_run else 1) > 1
        self._read_at = time.monotonic()

    def _read_up_to(self, limit: int) -> int:
        """Read until there is nothing, or so many times; return how many times there was something."""
        datagrams = self._receive()
        if datagrams is None:
            self._watch_again()
            return 0
        reads = 1
        if len(datagrams) > 1:
            limit = READS_PER_WAKE  # a run that the kernel merged; more of it may have come
        while reads < limit:
            source, destination = self._source, self._destination
            more = self._receive()
            if more is None:
                break
            reads += 1
            if source == self._source and destination == self._destination and len(datagrams) < BATCH:
                datagrams += more
            else:
                self._give(datagrams, source, destination)
                datagrams = more
                if not self._is_reading:  # the callback wants no more; what was read is still its own
                    break
            if len(more) > 1:
                limit = READS_PER_WAKE
        self._give(datagrams, self._source, self._destination)
        return reads

    def _watch_again(self) -> None:
        """Woken for nothing: the socket had an error, on which libuv stops watching without a word."""
        if self._is_reading:
            self.pause_reading()
            self.resume_reading()

    def _receive(self) -> list[bytes] | None:
        """Make one system call; None when there is nothing more, or something went wrong."""
        counters = self.counters
        try:
            if self._is_plain:
                data, self._source = self._socket.recvfrom(BUFFER)  # half the price
                counters.reads += 1
                counters.datagrams_received += 1
                counters.bytes_received += len(data)
                return [data]
            size, messages, flags, self._source = self._socket.recvmsg_into(self._buffers, SPACE)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self._report(error)
            return None
        counters.reads += 1
        self._destination = None
        if flags & _TRUNCATED:
            counters.truncated += 1
            return []
        data = self._view[:size].tobytes()
        segment = size
        if messages:
            segment_size, self._destination = parse_control(messages)
            segment = segment_size or size
        counters.bytes_received += size
        if segment >= size:
            counters.datagrams_received += 1
            return [data]
        datagrams = [data[start : start + segment] for start in range(0, size, segment)]
        counters.datagrams_received += len(datagrams)
        return datagrams

    def _give(self, datagrams: list[bytes], source: tuple[Any, ...], destination: str | None) -> None:
        if datagrams and not self._is_closed:
            self.on_batch(Batch(datagrams, (source[0], source[1]), destination))

    # Writing.

    @property
    def is_full(self) -> bool:
        """Whether more would be dropped: wait for `on_writable`."""
        return self._pending_size >= MAX_PENDING

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def send(self, transmit: Transmit) -> None:
        """Send a datagram, or a run of them; wait in line when the kernel takes no more.

        What is too large for the path, or finds no room in the line, is dropped and counted, as a network would.

        Raises:
            LocalProtocolError: the socket is closed, or a destination that is no numeric address and port.
        """
        if self._is_closed:
            raise LocalProtocolError("send on a UDP socket that is closed")
        size = transmit.segment_size
        if self._pending:
            self._wait(transmit)
        elif size is None or (self.has_segmentation and len(transmit.data) <= min(size * MAX_SEGMENTS, MAX_RUN)):
            if not self._write(transmit):
                self._wait(transmit)
        else:
            for piece in self._pieces(transmit):
                if self._pending or not self._write(piece):
                    self._wait(piece)

    def send_datagram(self, data: bytes, destination: Address) -> None:
        """Send one datagram, as `send` does."""
        if self._pending or self._is_closed:
            self.send(Transmit(data, destination))
            return
        try:
            self._socket.sendto(data, destination)
        except OSError:  # it says the same again, or it was gone by now
            self.send(Transmit(data, destination))
            return
        counters = self.counters
        counters.writes += 1
        counters.bytes_sent += len(data)
        counters.datagrams_sent += 1

    def _pieces(self, transmit: Transmit) -> Iterator[Transmit]:
        """Cut a run into what one system call takes."""
        size = transmit.segment_size
        if size is None or len(transmit.data) <= size:
            yield transmit if size is None else transmit._replace(segment_size=None)
        else:
            step = size * max(1, min(MAX_SEGMENTS, MAX_RUN // size)) if self.has_segmentation else size
            for start in range(0, len(transmit.data), step):
                piece = transmit.data[start : start + step]
                yield transmit._replace(data=piece, segment_size=size if len(piece) > size else None)

    def _write(self, transmit: Transmit) -> bool:
        """Make one system call; False when the kernel has no room now, and nothing was sent."""
        try:
            data, destination, segment_size, source = transmit
            if segment_size is None and source is None:
                self._socket.sendto(data, destination)
            else:
                control = control_for(segment_size, None if source is None else source[0])
                self._socket.sendmsg((data,), control, 0, destination)
        except OSError as error:
            if error.errno in _WOULD_BLOCK:
                return False
            if segment_size is not None:
                return self._write_singly(transmit, error)
            self.counters.dropped += error.errno == errno.EMSGSIZE
            self._report(error)
            return True
        except (OverflowError, TypeError, UnicodeError) as error:
            raise LocalProtocolError(f"cannot send to what is no address: {error}") from None
        counters = self.counters
        counters.writes += 1
        counters.bytes_sent += len(data)
        counters.datagrams_sent += 1 if segment_size is None else -(-len(data) // segment_size)
        return True

    def _write_singly(self, transmit: Transmit, error: OSError) -> bool:
        """Send a run that was refused as a whole; what the kernel has no room for goes in the line."""
        if error.errno in _REFUSES_SEGMENTS:
            self.has_segmentation = False
        for datagram in transmit.datagrams():
            single = transmit._replace(data=datagram, segment_size=None)
            if self._pending or not self._write(single):
                self._wait(single)
        return True

    def _wait(self, transmit: Transmit) -> None:
        if self.is_full:
            self.counters.dropped += sum(1 for _ in transmit.datagrams())
            return
        if not self._pending:
            self._loop.add_writer(self._socket.fileno(), self._flush)
        self._pending.append(transmit)
        self._pending_size += len(transmit.data)

    def _flush(self) -> None:
        """The socket is writable: send what waits."""
        was_full = self.is_full
        while self._pending:
            transmit = self._pending.popleft()
            self._pending_size -= len(transmit.data)
            pieces = deque(self._pieces(transmit))
            while pieces and self._write(pieces[0]):
                pieces.popleft()
            if pieces:
                self._pending.extendleft(reversed(pieces))
                self._pending_size += sum(len(piece.data) for piece in pieces)
                break
        if not self._pending:
            self._loop.remove_writer(self._socket.fileno())
        if was_full and not self.is_full and not self._is_closed:
            self.on_writable()

    def _report(self, error: OSError) -> None:
        self.counters.errors += 1
        self.on_error(error)

    def statistics(self) -> Counters:
        """The counters as they are now."""
        return dataclasses.replace(self.counters)

    def close(self) -> None:
        """Close at once; what still waits is tried a last time, without waiting. Twice is harmless."""
        if self._is_closed:
            return
        self.pause_reading()
        if self._pending:
            self._is_closed = True  # no callback from here on
            self._flush()
            if self._pending:
                self._loop.remove_writer(self._socket.fileno())
                self._pending.clear()
        self._is_closed = True
        self._socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


def _try_option(sock: socket.socket, level: int, option: int) -> bool:
    try:
        sock.setsockopt(level, option, 1)
    except OSError:
        return False
    return True
