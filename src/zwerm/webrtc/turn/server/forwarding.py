"""The fast way through the relay: ChannelData over UDP, in the buffer it was read into (RFC 8656 section 12).

A batch goes in, `Departure`s come out, and no payload is copied: towards a peer the four bytes of header are left off,
towards a client they are written into the room in front of the payload. Datagrams of one size for one destination that
follow each other are one departure. Whatever is not of this plain kind is handed back, for `TurnServer` to look at; the
outcome is the same as if it had been given all of it.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.allocation import Allocation, Channel
from zwerm.webrtc.turn.server.relaying import MAX_RUN, MAX_SEGMENTS, Relaying

Arrival: TypeAlias = tuple[Address, int, int, int]  # source, start and size in the buffer, size of each datagram

HEADER_SIZE: Final = 4

_HEADER: Final = struct.Struct("!HH")


class Departure:
    """One datagram, or a run of datagrams of one size of which the last may be shorter."""

    __slots__ = ("count", "destination", "local", "pieces", "size", "total")

    def __init__(self, local: Address, destination: Address, size: int, pieces: list[memoryview | bytes]) -> None:
        self.local = local  # the socket it leaves from
        self.destination = destination
        self.size = size  # of each datagram
        self.pieces = pieces  # one after the other they are the run; views are good until the next batch is read
        self.count = 1  # datagrams
        self.total = size  # bytes

    @property
    def segment_size(self) -> int | None:
        return self.size if self.count > 1 else None


class Forwarding:
    """Carries what belongs to channels."""

    def __init__(self, relaying: Relaying) -> None:
        self._relaying = relaying
        self._known: dict[Address, dict[Address, Allocation]] = {}  # where it came to -> who sent it

    def add(self, allocation: Allocation) -> None:
        client = allocation.client
        if client.transport is Transport.UDP:
            self._known.setdefault(client.local, {})[client.source] = allocation

    def remove(self, allocation: Allocation) -> None:
        client = allocation.client
        if client.transport is Transport.UDP:
            self._known[client.local].pop(client.source, None)

    def from_clients(
        self, local: Address, buffer: bytearray, view: memoryview, arrivals: list[Arrival], now: Instant
    ) -> tuple[list[Departure], list[Arrival]]:
        """Take what came to the listening address `local`; return what is to be sent, and what is left."""
        known = self._known.get(local)
        if known is None:
            return [], arrivals
        departures: list[Departure] = []
        rest: list[Arrival] = []
        traffic = self._relaying.traffic
        last: Departure | None = None
        last_source, last_number = ("", 0), 0
        has_total = self._relaying.total is not None
        datagrams = carried = 0
        for arrival in arrivals:
            source, start, whole, segment = arrival
            allocation = known.get(source)
            if allocation is None:
                rest.append(arrival)
                continue
            limit = start + whole
            while start < limit:
                size = segment if start + segment <= limit else limit - start
                if size < HEADER_SIZE:
                    rest.append((source, start, size, size))
                    start += size
                    continue
                number, length = _HEADER.unpack_from(buffer, start)
                channel = allocation.channels.get(number)
                if channel is None or channel.expires_at <= now or length + HEADER_SIZE > size or channel.is_inside:
                    rest.append((source, start, size, size))
                    start += size
                    continue
                begin = start + HEADER_SIZE
                start += size
                if (allocation.bucket is not None or has_total) and not self._relaying.is_within_rate(
                    allocation, length, now
                ):
                    continue
                datagrams += 1
                carried += length
                if (
                    last is not None
                    and last_number == number
                    and last_source == source
                    and length <= last.size
                    and last.total == last.size * last.count
                    and last.count < MAX_SEGMENTS
                    and last.total + length <= MAX_RUN
                    and length
                ):
                    last.pieces.append(view[begin : begin + length])
                    last.count += 1
                    last.total += length
                else:
                    last = Departure(channel.relay.local, channel.peer, length, [view[begin : begin + length]])
                    last_source, last_number = source, number
                    departures.append(last)
        traffic.datagrams_to_peers += datagrams
        traffic.bytes_to_peers += carried
        return departures, rest

    def from_peers(
        self, relay: Address, buffer: bytearray, view: memoryview, arrivals: list[Arrival], now: Instant
    ) -> tuple[list[Departure], list[Arrival]]:
        """Take what came to the relayed address `relay`; return what is to be sent, and what is left.

        There are at least four bytes of room in front of each arrival.
        """
        allocation = self._relaying.by_local.get(relay)
        if allocation is None or allocation.client.transport is not Transport.UDP:
            return [], arrivals
        departures: list[Departure] = []
        rest: list[Arrival] = []
        traffic = self._relaying.traffic
        local, client = allocation.client.local, allocation.client.source
        is_capped = allocation.bucket is not None or self._relaying.total is not None
        datagrams = carried = 0
        last: Departure | None = None
        last_source: Address | None = None
        channel: Channel | None = None
        for arrival in arrivals:
            source, start, whole, segment = arrival
            if source != last_source:
                last_source, channel = source, allocation.by_peer.get(source)
                if channel is not None and (channel.expires_at <= now or not allocation.permits(source[0], now)):
                    channel = None
            if channel is None:
                rest.append(arrival)
                continue
            limit = start + whole
            is_first = True
            while start < limit or is_first:
                size = segment if start + segment <= limit else limit - start
                begin = start
                start += size
                if is_capped and not self._relaying.is_within_rate(allocation, size, now):
                    is_first = False
                    continue
                datagrams += 1
                carried += size
                length = size + HEADER_SIZE
                pieces: list[memoryview | bytes]
                if is_first:
                    _HEADER.pack_into(buffer, begin - HEADER_SIZE, channel.number, size)
                    pieces = [view[begin - HEADER_SIZE : begin + size]]
                    is_first = False
                else:
                    pieces = [channel.header + size.to_bytes(2, "big"), view[begin : begin + size]]
                if (
                    last is not None
                    and length <= last.size
                    and last.total == last.size * last.count
                    and last.count < MAX_SEGMENTS
                    and last.total + length <= MAX_RUN
                ):
                    last.pieces += pieces
                    last.count += 1
                    last.total += length
                else:
                    last = Departure(local, client, length, pieces)
                    departures.append(last)
        traffic.datagrams_to_clients += datagrams
        traffic.bytes_to_clients += carried
        return departures, rest
