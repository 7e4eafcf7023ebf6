"""A STUN server that is asked over TCP or TLS for an address of ICE-TCP (RFC 6544 section 5.2, RFC 7064).

It has the shape of a `Relay`, as it is opened, fed, given up and sent elsewhere like one; it relays nothing. The
question leaves from the port that listens, so that what the server sees is where others may connect to.
"""

from __future__ import annotations

from random import Random
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.relay import NO_ANSWER, RelayEvent, RelayFailed, RelayMapped
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, ERROR_CODE, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.stun.stream import MessageStream

LIMIT: Final = 2_048  # bytes of one message; an answer has a hundred


class StunStream:
    """One question and its answer. Who asks has a time limit; this has none."""

    def __init__(self, random: Random) -> None:
        self._transaction_id = random.randbytes(12)
        self._out = request(Method.BINDING, self._transaction_id).serialize()
        self._stream = MessageStream(LIMIT)
        self._event: RelayEvent | None = None
        self._is_over = False

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:  # noqa: ARG002 - the verb of relays
        return False

    def receive_data(self, data: bytes, now: Instant) -> None:  # noqa: ARG002 - as above
        for whole in self._stream.receive_untrusted(data):
            try:
                message = Message.parse(whole)
            except WireError:
                continue
            if message.transaction_id == self._transaction_id:
                self._take(message)
        if self._stream.failure is not None:
            self._finish(RelayFailed(NO_ANSWER, self._stream.failure))

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 - as above
        self._finish(RelayFailed(NO_ANSWER, "the connection to the STUN server ended"))

    def send(self, data: bytes, peer: Address, now: Instant) -> None:
        """Nothing is relayed."""

    def bind_channel(self, peer: Address, now: Instant) -> None:
        """Nothing is relayed."""

    def verify(self, now: Instant) -> None:
        """It is asked anew where its answer is needed anew."""

    def release(self, now: Instant) -> None:  # noqa: ARG002 - as above
        self._is_over = True

    def handle_timeout(self, now: Instant) -> None:
        """Nothing is due."""

    def next_timeout(self) -> Instant | None:
        return None

    def next_transmit(self) -> Transmit | None:
        return None

    def data_to_send(self) -> bytes:
        data, self._out = self._out, b""
        return data

    def next_event(self) -> RelayEvent | None:
        event, self._event = self._event, None
        return event

    def _take(self, message: Message) -> None:
        mapped = message.find(XOR_MAPPED_ADDRESS)
        if mapped is not None:
            self._finish(RelayMapped(mapped))
            return
        error = message.find(ERROR_CODE)
        code, reason = error if error is not None else (NO_ANSWER, "the answer has no address in it")
        self._finish(RelayFailed(code, reason, message.find(ALTERNATE_SERVER) if code == 300 else None))

    def _finish(self, event: RelayEvent) -> None:
        if not self._is_over:
            self._is_over, self._event = True, event
