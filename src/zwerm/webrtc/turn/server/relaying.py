"""What is carried between clients and peers: nothing is decoded but the four bytes in front (RFC 8656 sections 11, 12).

Datagrams come and go in batches. Payloads of one size that follow each other leave as one `Transmit` with a segment
size, which is one system call (GSO).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.webrtc.stun.attributes import DATA, ICMP, XOR_PEER_ADDRESS, Icmp
from zwerm.webrtc.stun.message import Method, indication
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.channel_data import pad
from zwerm.webrtc.turn.server.allocation import Allocation, Relay
from zwerm.webrtc.turn.server.bucket import TokenBucket
from zwerm.webrtc.turn.server.config import FiveTuple
from zwerm.webrtc.turn.server.handover import Handover

MAX_SEGMENTS: Final = 64  # datagrams in one run (UDP_MAX_SEGMENTS of Linux)
MAX_RUN: Final = 65_000  # bytes in one run; the kernel takes an IP packet's worth
ICMP_IPV4: Final = (3, 11)  # destination unreachable, time exceeded (RFC 8656 section 11.5)
ICMP_IPV6: Final = (1, 2, 3)  # destination unreachable, packet too big, time exceeded
MAX_WAITING: Final = 1_024  # runs nobody has taken; the oldest is dropped, as a network would


@dataclasses.dataclass(slots=True)
class Traffic:
    """Counters that only grow."""

    datagrams_to_peers: int = 0
    bytes_to_peers: int = 0
    datagrams_to_clients: int = 0
    bytes_to_clients: int = 0
    dropped_unknown: int = 0  # no allocation, no channel, no permission
    dropped_over_rate: int = 0


class Relaying:
    """The way of data through the server."""

    def __init__(
        self, own_hosts: Collection[str], total: TokenBucket | None, random: Random, siblings: range = range(0)
    ) -> None:
        """`siblings` are the ports of all worker processes, when there are several."""
        self.traffic = Traffic()
        self.handovers: deque[Handover] = deque(maxlen=MAX_WAITING)
        self._siblings = siblings
        self.transmits: deque[Transmit] = deque(maxlen=MAX_WAITING)
        self.whole: deque[Transmit] = deque(maxlen=MAX_WAITING)  # not to be fragmented
        self.stream_data: deque[tuple[FiveTuple, bytes]] = deque(maxlen=MAX_WAITING)
        self.by_local: dict[Address, Allocation] = {}
        self._by_outside: dict[Address, Allocation] = {}
        self._own_hosts = own_hosts
        self.total = total
        self._random = random

    def add(self, allocation: Allocation) -> None:
        for relay in allocation.relays.values():
            self.by_local[relay.local] = self._by_outside[relay.outside] = allocation

    def remove(self, allocation: Allocation) -> None:
        for relay in allocation.relays.values():
            del self.by_local[relay.local], self._by_outside[relay.outside]

    def to_peer(
        self,
        allocation: Allocation,
        relay: Relay,
        peer: Address,
        payloads: Sequence[bytes],
        now: Instant,
        *,
        is_whole: bool = False,
    ) -> None:
        """Carry payloads from the client to a peer that was permitted.

        An address of our own is never given to the kernel: behind it may be anything that trusts this host. If it is
        somebody else's relayed address, the payloads go straight to that client.
        """
        payloads = self._within_rate(allocation, payloads, now)
        self.traffic.datagrams_to_peers += len(payloads)
        self.traffic.bytes_to_peers += sum(map(len, payloads))
        if peer[0] in self._own_hosts:
            other = self._by_outside.get(peer)
            if other is not None:
                self.to_client(other, relay.outside, payloads, now)
            elif peer[1] in self._siblings:
                for data, segment_size in runs(payloads):
                    self.handovers.append(Handover(relay.outside, peer, segment_size or len(data), data))
            else:
                self.traffic.dropped_unknown += len(payloads)
            return
        if is_whole:
            self.whole.extend(Transmit(data, peer, None, relay.local) for data in payloads)
            return
        for data, segment_size in runs(payloads):
            self.transmits.append(Transmit(data, peer, segment_size, relay.local))

    def receive_handover(self, handover: Handover, now: Instant) -> None:
        """Take what the client of another worker sends to one of ours."""
        payloads = handover.payloads()
        allocation = self._by_outside.get(handover.destination)
        if allocation is None:
            self.traffic.dropped_unknown += len(payloads)
        else:
            self.to_client(allocation, handover.source, payloads, now)

    def to_client(self, allocation: Allocation, peer: Address, payloads: Sequence[bytes], now: Instant) -> None:
        """Carry what came from a peer to the client, if the client permitted that peer."""
        if not allocation.permits(peer[0], now):
            self.traffic.dropped_unknown += len(payloads)
            return
        payloads = self._within_rate(allocation, payloads, now)
        self.traffic.datagrams_to_clients += len(payloads)
        self.traffic.bytes_to_clients += sum(map(len, payloads))
        channel = allocation.by_peer.get(peer)
        if channel is not None and channel.expires_at > now:
            header = channel.header
            messages = [header + len(data).to_bytes(2, "big") + data for data in payloads]
        else:
            messages = [self._data_indication(peer, data) for data in payloads if len(data) < 65_000]
        self.send_to_client(allocation.client, messages)

    def icmp_to_client(self, relay: Address, peer: Address, error: Icmp, now: Instant) -> None:
        """Tell a client that its data did not reach a peer it has permitted, where the RFC has it told."""
        allocation = self.by_local.get(relay)
        told = ICMP_IPV6 if ":" in peer[0] else ICMP_IPV4
        if allocation is None or error.type not in told or not allocation.permits(peer[0], now):
            return
        attributes = XOR_PEER_ADDRESS(peer), ICMP(error)
        message = indication(Method.DATA, self._random.randbytes(12), *attributes)
        self.send_to_client(allocation.client, [message.serialize(fingerprint=False)])

    def send_to_client(self, client: FiveTuple, messages: Sequence[bytes]) -> None:
        if client.transport is Transport.UDP:
            for data, segment_size in runs(messages):
                self.transmits.append(Transmit(data, client.source, segment_size, client.local))
        elif messages:
            self.stream_data.append((client, b"".join(map(pad, messages))))

    def _data_indication(self, peer: Address, data: bytes) -> bytes:
        message = indication(Method.DATA, self._random.randbytes(12), XOR_PEER_ADDRESS(peer), DATA(data))
        return message.serialize(fingerprint=False)

    def is_within_rate(self, allocation: Allocation, size: int, now: Instant) -> bool:
        """Take `size` bytes from the budgets of the user and of all; False, and counted, when one has too little."""
        own, total = allocation.bucket, self.total
        if (own is not None and not own.has(size, now)) or (total is not None and not total.has(size, now)):
            self.traffic.dropped_over_rate += 1
            return False
        if own is not None:
            own.take(size, now)
        if total is not None:
            total.take(size, now)
        return True

    def _within_rate(self, allocation: Allocation, payloads: Sequence[bytes], now: Instant) -> Sequence[bytes]:
        if allocation.bucket is None and self.total is None:
            return payloads
        return [data for data in payloads if self.is_within_rate(allocation, len(data), now)]


def runs(datagrams: Iterable[bytes]) -> Iterator[tuple[bytes, int | None]]:
    """Join datagrams into runs of equal ones, of which the last may be shorter; with the size of a segment.

    An empty datagram goes alone: in a run it would not be seen.
    """
    run: list[bytes] = []
    size = total = 0
    for data in datagrams:
        is_full = len(run) == MAX_SEGMENTS or total + len(data) > MAX_RUN
        if run and (is_full or not data or len(data) > size or len(run[-1]) < size or size == 0):
            yield _joined(run, size)
            run, total = [], 0
        if not run:
            size = len(data)
        run.append(data)
        total += len(data)
    if run:
        yield _joined(run, size)


def _joined(run: list[bytes], size: int) -> tuple[bytes, int | None]:
    return (run[0], None) if len(run) == 1 else (b"".join(run), size)
