"""What a transport and its parts counted, in one record: what `getStats` is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from zwerm.webrtc.datachannel.statistics import ChannelsStatistics
from zwerm.webrtc.dtls.statistics import DTLSStatistics
from zwerm.webrtc.ice.statistics import AgentStatistics


@dataclasses.dataclass(slots=True)
class Traffic:
    """Datagrams of data between DTLS and ICE, of every generation; checks of ICE do not count."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0

    def sent(self, data: bytes, segment_size: int | None) -> None:
        """Count a datagram, or a run of them."""
        self.packets_sent += 1 if segment_size is None else -(-len(data) // segment_size)
        self.bytes_sent += len(data)

    def received(self, datagrams: Sequence[bytes]) -> None:
        """Count a batch."""
        self.packets_received += len(datagrams)
        for data in datagrams:
            self.bytes_received += len(data)


@dataclasses.dataclass(frozen=True, slots=True)
class TransportStatistics:
    """One connection at one moment."""

    traffic: Traffic  # a copy
    ice: AgentStatistics
    dtls: DTLSStatistics | None  # None: there is no path yet
    channels: ChannelsStatistics
