"""A TURN client over TCP or TLS: the same allocation, with messages cut out of a stream (RFC 8656 section 12.5)."""

from __future__ import annotations

import dataclasses

from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.webrtc.stun.stream import MessageStream
from zwerm.webrtc.stun.transaction import RELIABLE
from zwerm.webrtc.turn.channel_data import pad
from zwerm.webrtc.turn.client import TurnClient
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential
from zwerm.webrtc.turn.events import Event


class TurnStreamClient:
    """A `TurnClient` whose way to the server is one stream. Commands are given to `client`."""

    def __init__(
        self,
        server: Address,
        credential: Credential,
        *,
        now: Instant,
        random: Random,
        config: AllocationConfig | None = None,
    ) -> None:
        """`config` is used but for its schedule and keep-alive, which a stream does not need."""
        config = dataclasses.replace(config or AllocationConfig(), schedule=RELIABLE, keep_alive=None)
        self.client = TurnClient(server, credential, now=now, random=random, config=config)
        self._server = server
        self._stream = MessageStream()

    def receive_data(self, data: bytes, now: Instant) -> None:
        self.client.receive_datagrams(self._stream.receive_untrusted(data), self._server, now)
        if self._stream.failure is not None:
            self.client.connection_lost(self._stream.failure)

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 - the verb of machines
        self.client.connection_lost("the server closed the connection")

    def data_to_send(self) -> bytes:
        return b"".join(pad(transmit.data) for transmit in iter(self.client.next_transmit, None))

    def handle_timeout(self, now: Instant) -> None:
        self.client.handle_timeout(now)

    def next_event(self) -> Event | None:
        return self.client.next_event()

    def next_timeout(self) -> Instant | None:
        return self.client.next_timeout()
