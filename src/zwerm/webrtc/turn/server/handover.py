"""Data between two clients of one relay whose allocations lie with different worker processes.

A relayed address of our own is never given to the kernel (`relaying.py`). Each worker has a share of the ports, so the
port says whose it is, and the data goes to that worker in one message: who sends, to whom, and payloads of one size.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.core.machine import Address
from zwerm.webrtc.stun.address import host_text, pack_host

MAX_SIZE: Final = 65_000  # bytes of payload in one message

_HEAD: Final = struct.Struct("!BHHH")  # size of a host, ports of source and destination, size of a payload


class Handover(NamedTuple):
    """Payloads on their way to another worker."""

    source: Address  # the relayed address of who sends
    destination: Address  # a relayed address of the other worker
    segment_size: int  # bytes of each payload but the last, which may be shorter
    data: bytes

    def serialize(self) -> bytes:
        hosts = pack_host(self.source[0]), pack_host(self.destination[0])
        head = _HEAD.pack(len(hosts[0]), self.source[1], self.destination[1], self.segment_size)
        return b"".join((head, *hosts, self.data))

    @classmethod
    def parse(cls, data: bytes) -> Handover:
        """Read what another worker sent.

        Raises:
            WireError: it is none.
        """
        if len(data) < _HEAD.size:
            raise WireError(f"handover of {len(data)} bytes, expected at least {_HEAD.size}")
        size, source_port, destination_port, segment_size = _HEAD.unpack_from(data)
        begin = _HEAD.size + 2 * size
        if size not in (4, 16) or len(data) < begin:
            raise WireError(f"handover between hosts of {size} bytes, expected 4 or 16")
        source, destination = (
            host_text(data[_HEAD.size + number * size : _HEAD.size + (number + 1) * size]) for number in range(2)
        )
        return cls((source, source_port), (destination, destination_port), segment_size, data[begin:])

    def payloads(self) -> list[bytes]:
        step = self.segment_size or 1
        cuts = range(0, len(self.data), step) if self.data else (0,)
        return [self.data[cut : cut + step] for cut in cuts]


def share_of(ports: range, worker: int, workers: int) -> range:
    """The ports of one worker: a share that begins with an even one where it can, for EVEN-PORT."""
    size = len(ports) // workers // 2 * 2 or 1
    start = ports.start + worker * size
    return range(start, ports.stop if worker == workers - 1 else start + size)


def worker_of(port: int, ports: range, workers: int) -> int | None:
    """Whose port that is; None when it is nobody's."""
    if port not in ports:
        return None
    size = len(ports) // workers // 2 * 2 or 1
    return min((port - ports.start) // size, workers - 1)
