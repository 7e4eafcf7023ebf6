"""TCP connections of an agent (RFC 6544): their numbers, and the lengths in front of each packet (RFC 4571)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from zwerm.core.machine import Address
from zwerm.webrtc.ice.pair import Base, Pair

LENGTH_SIZE = 2
MAX_FRAME = 65_535


def frame(data: bytes) -> bytes:
    """Put the length in front of a packet of at most `MAX_FRAME` bytes."""
    return len(data).to_bytes(LENGTH_SIZE, "big") + data


class Deframer:
    """Cuts a stream into packets; keeps at most one unfinished packet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes, cut anywhere; return the packets that are whole now. Empty ones are left out."""
        buffer = self._buffer
        buffer += data
        packets: list[bytes] = []
        position = 0
        while len(buffer) - position >= LENGTH_SIZE:
            end = position + LENGTH_SIZE + int.from_bytes(buffer[position : position + LENGTH_SIZE], "big")
            if len(buffer) < end:
                break
            if end - position > LENGTH_SIZE:
                packets.append(bytes(buffer[position + LENGTH_SIZE : end]))
            position = end
        del buffer[:position]
        return packets


@dataclasses.dataclass(slots=True, eq=False)
class Stream:
    """One connection."""

    number: int
    base: Base
    remote: Address
    pair: Pair | None = None  # of a connection that we opened
    is_open: bool = False
    deframer: Deframer = dataclasses.field(default_factory=Deframer)


class Streams:
    """The connections of one agent, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._streams: dict[int, Stream] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def add(self, base: Base, remote: Address, pair: Pair | None = None) -> Stream | None:
        """Number a connection; None when there are too many."""
        if len(self._streams) >= self._limit:
            return None
        self._next += 1
        stream = self._streams[self._next] = Stream(self._next, base, remote, pair, is_open=pair is None)
        return stream

    def find(self, number: int) -> Stream | None:
        return self._streams.get(number)

    def is_open(self, number: int) -> bool:
        stream = self._streams.get(number)
        return stream is not None and stream.is_open

    def remove(self, number: int) -> Stream | None:
        return self._streams.pop(number, None)
