"""recvmmsg(2) of Linux: what waits at a UDP socket, up to `COUNT` datagrams, read by one system call.

Python's `socket` reads one message a call, and makes five objects for each. Here the kernel fills slots of one buffer.
A source is looked up by the bytes of its address, as most datagrams come from one that was there before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from typing import Any, Final, TypeAlias

from zwerm.core.machine import Address
from zwerm.net.control import UDP_GRO

Arrival: TypeAlias = tuple[Address, int, int, int]  # source, start and size in the buffer, size of each datagram

COUNT: Final = 32  # datagrams, or runs that the kernel merged, of one call
LARGEST: Final = 65_536  # bytes that one of them may bring
MAX_SOURCES: Final = 8_192  # addresses that are remembered

_NAME: Final = 28  # bytes of struct sockaddr_in6
_CONTROL: Final = 64  # bytes
_DONTWAIT: Final = int(getattr(socket, "MSG_DONTWAIT", 0))
_HEAD: Final = struct.Struct("@NiiI")  # struct cmsghdr, and a number of 32 bits


class _Vector(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Head(ctypes.Structure):
    """`struct msghdr`, the C library's; what is `int` in another one has the same bytes on little-endian machines."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """`struct mmsghdr`."""

    _fields_ = (("head", _Head), ("size", ctypes.c_uint))


_TOLD: Final = struct.Struct(
    "=40xQ8xI4x"
)  # of a message what the kernel writes: size of what is beside it, and its own
_SOURCE: Final = struct.Struct(f"{_NAME}s")


def find_call() -> Any:
    """The C library's function, or None where there is none, or its messages may have another form."""
    is_known = sys.platform == "linux" and sys.byteorder == "little" and _TOLD.size == ctypes.sizeof(_Message) == 64
    return getattr(ctypes.PyDLL(None, use_errno=True), "recvmmsg", None) if is_known else None


class MessageReader:
    """Slots that one call fills, `headroom` bytes before each of them left free."""

    def __init__(self, call: Any, headroom: int) -> None:
        self._call = call
        self._stride = headroom + LARGEST
        self._headroom = headroom
        self.buffer = bytearray(COUNT * self._stride)
        self.view = memoryview(self.buffer)
        self._names = bytearray(COUNT * _NAME)
        self._control = bytearray(COUNT * _CONTROL)
        self._vectors = (_Vector * COUNT)()
        self._messages = bytearray(COUNT * ctypes.sizeof(_Message))
        self._sources: dict[bytes, Address] = {}
        messages = (_Message * COUNT).from_buffer(self._messages)
        data, names, control = map(_address_of, (self.buffer, self._names, self._control))
        for number, message in enumerate(messages):
            self._vectors[number] = _Vector(data + number * self._stride + headroom, LARGEST)
            head = message.head
            head.name, head.name_size = names + number * _NAME, _NAME
            head.vectors, head.vector_count = ctypes.addressof(self._vectors[number]), 1
            head.control, head.control_size = control + number * _CONTROL, _CONTROL
        self._fresh = bytes(self._messages)
        self._where = ctypes.c_void_p(ctypes.addressof(messages))
        self._kept = messages  # as long as its bytes are pointed at

    def read(self, fileno: int) -> list[Arrival]:
        """Read what waits; nothing where nothing does. Good until the next call.

        Raises:
            OSError: the socket had an error, which is gone by this.
        """
        messages = self._messages
        messages[:] = self._fresh
        count = self._call(fileno, self._where, COUNT, _DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR):
                return []
            raise OSError(number, os.strerror(number))
        arrivals: list[Arrival] = []
        known, start = self._sources, self._headroom
        told = zip(_TOLD.iter_unpack(messages[: count * _TOLD.size]), _SOURCE.iter_unpack(self._names), strict=False)
        for (beside, size), (name,) in told:
            segment = self._segment(len(arrivals), size) if beside else size
            arrivals.append((known.get(name) or self._learn(name), start, size, segment))
            start += self._stride
        return arrivals

    def _learn(self, name: bytes) -> Address:
        if len(self._sources) >= MAX_SOURCES:
            self._sources.clear()
        port = int.from_bytes(name[2:4], "big")
        family = int.from_bytes(name[:2], sys.byteorder)
        host = name[8:24] if family == socket.AF_INET6 else name[4:8]
        source = self._sources[name] = socket.inet_ntop(family, host), port
        return source

    def _segment(self, number: int, size: int) -> int:
        """The size of each datagram of a run."""
        _, level, kind, value = _HEAD.unpack_from(self._control, number * _CONTROL)
        return value if (level, kind) == (socket.IPPROTO_UDP, UDP_GRO) and value else size


def _address_of(buffer: bytearray) -> int:
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))
