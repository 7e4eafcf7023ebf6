"""TURN clients (`zwerm.webrtc.turn`) in the shape that gathering wants, over UDP and over streams.

`make_turn_relay` is what an agent is given:  `Agent(role, config, random=SYSTEM, make_relay=make_turn_relay)`.
"""

from __future__ import annotations

from random import Random
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.config import ServerTransport, TurnServer
from zwerm.webrtc.ice.relay import NO_ANSWER, Relay, RelayAllocated, RelayEvent, RelayFailed, RelayReceived
from zwerm.webrtc.stun.transaction import Schedule
from zwerm.webrtc.turn.client import TurnClient
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential
from zwerm.webrtc.turn.events import Allocated, AllocationFailed, AllocationLost, DataReceived, Failure
from zwerm.webrtc.turn.stream_client import TurnStreamClient

QUICK: Final = Schedule(rto=0.25, rc=6, rm=4)  # 8.75 s in all; a lost first request is what everybody waits for


class TurnRelay:
    """One allocation. What is sent before it is there, or to whom it cannot reach, is lost, as datagrams are."""

    def __init__(self, server: TurnServer, now: Instant, random: Random) -> None:
        credential = Credential(server.username, server.password)
        self._stream: TurnStreamClient | None = None
        if server.transport is ServerTransport.UDP:
            config = AllocationConfig(schedule=QUICK)
            self._client = TurnClient(server.address, credential, now=now, random=random, config=config)
        else:
            self._stream = TurnStreamClient(server.address, credential, now=now, random=random)
            self._client = self._stream.client

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        return self._client.receive_datagram(data, source, now)

    def receive_data(self, data: bytes, now: Instant) -> None:
        if self._stream is not None:
            self._stream.receive_data(data, now)

    def receive_eof(self, now: Instant) -> None:
        if self._stream is not None:
            self._stream.receive_eof(now)

    def send(self, data: bytes, peer: Address, now: Instant) -> None:
        try:
            self._client.send(data, peer, now)
        except (LocalProtocolError, ResourceLimitError):
            return  # the allocation is gone, or the peer of another family: the check will not be answered

    def bind_channel(self, peer: Address, now: Instant) -> None:
        try:
            self._client.bind_channel(peer, now)
        except (LocalProtocolError, ResourceLimitError):
            return  # data goes on by indications

    def verify(self, now: Instant) -> None:
        self._client.refresh(now)

    def release(self, now: Instant) -> None:
        self._client.close(now)

    def handle_timeout(self, now: Instant) -> None:
        self._client.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        return self._client.next_timeout()

    def next_transmit(self) -> Transmit | None:
        return None if self._stream is not None else self._client.next_transmit()

    def data_to_send(self) -> bytes:
        return b"" if self._stream is None else self._stream.data_to_send()

    def next_event(self) -> RelayEvent | None:
        while (event := self._client.next_event()) is not None:
            match event:
                case DataReceived(data, peer):
                    return RelayReceived(data, peer)
                case Allocated(relayed, mapped):
                    return RelayAllocated(relayed[0], mapped)
                case AllocationFailed(failure) | AllocationLost(failure):
                    return _failed(failure)
        return None


def make_turn_relay(server: TurnServer, _local: Address, now: Instant, random: Random) -> Relay:
    """Ask `server` for an allocation."""
    return TurnRelay(server, now, random)


def _failed(failure: Failure) -> RelayFailed:
    return RelayFailed(failure.code or NO_ANSWER, failure.reason, failure.alternate)
