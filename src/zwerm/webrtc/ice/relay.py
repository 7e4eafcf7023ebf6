"""What gathering needs of a TURN client: one allocation as a machine.

`turn.client` is the real one; `Relay` is its shape as seen from here, so that a test can relay by other means.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random
from typing import Final, Protocol, TypeAlias

from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.config import TurnServer

NO_ANSWER: Final = 701  # W3C webrtc-pc, RTCPeerConnectionIceErrorEvent.errorCode


@dataclasses.dataclass(frozen=True, slots=True)
class RelayAllocated:
    """The server relays for us."""

    relayed: Address
    mapped: Address | None  # how the server sees us, if it says so


@dataclasses.dataclass(frozen=True, slots=True)
class RelayFailed:
    """There is no allocation, or no longer."""

    code: int  # STUN's, or 701: no answer
    reason: str
    alternate: Address | None = None  # the server to ask instead (RFC 8489 section 10)


@dataclasses.dataclass(frozen=True, slots=True)
class RelayMapped:
    """It relays nothing, and says how it sees us (`stun_stream.py`)."""

    mapped: Address


@dataclasses.dataclass(frozen=True, slots=True)
class RelayReceived:
    """A datagram came from a peer."""

    data: bytes
    peer: Address


RelayEvent: TypeAlias = RelayAllocated | RelayFailed | RelayMapped | RelayReceived


class Relay(Protocol):
    """One allocation. Over UDP it speaks by datagrams, over TCP and TLS by bytes of a stream."""

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool: ...

    def receive_data(self, data: bytes, now: Instant) -> None: ...

    def receive_eof(self, now: Instant) -> None: ...

    def send(self, data: bytes, peer: Address, now: Instant) -> None:
        """Relay a datagram to `peer`, asking for the permission first where there is none."""
        ...

    def bind_channel(self, peer: Address, now: Instant) -> None:
        """Much will go to `peer`: make it cheap."""
        ...

    def verify(self, now: Instant) -> None:
        """The path may be broken: find out whether the server still relays for us."""
        ...

    def release(self, now: Instant) -> None:
        """Give the allocation back."""
        ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None: ...

    def next_transmit(self) -> Transmit | None: ...

    def data_to_send(self) -> bytes: ...

    def next_event(self) -> RelayEvent | None: ...


MakeRelay: TypeAlias = Callable[[TurnServer, Address, Instant, Random], Relay]  # the address is the local one
