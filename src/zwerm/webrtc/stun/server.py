"""The STUN server: it tells a client from which address its request came (RFC 8489 section 12, RFC 5780 section 6).

It keeps nothing between two requests, so there is nothing a flood could fill. An answer is about as large as what asked
for it: as an amplifier it is of no use.

With a second IP address it also answers from there, or from its second port, on request (CHANGE-REQUEST), which lets a
client find out what its NAT does. Then it has four sockets: each of two addresses with each of two ports.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.stun.attributes import (
    CHANGE_REQUEST,
    MAPPED_ADDRESS,
    OTHER_ADDRESS,
    PADDING,
    RESPONSE_ORIGIN,
    RESPONSE_PORT,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS,
    Attribute,
    Change,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, is_stun

MAX_WAITING: Final = 256  # answers nobody has taken; the oldest is dropped, as a network would


@dataclasses.dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where a STUN server listens."""

    primary: Address  # as clients know it
    alternate: Address | None = None  # another IP address and another port; None: CHANGE-REQUEST is refused
    software: str | None = None  # what to call itself; nothing by default, which is smaller and tells less

    def __post_init__(self) -> None:
        if self.alternate and (self.alternate[0] == self.primary[0] or self.alternate[1] == self.primary[1]):
            raise LocalProtocolError(
                f"alternate {self.alternate}, expected another address and another port than {self.primary}"
            )

    def sockets(self) -> list[Address]:
        """Every address it receives on, the primary one first."""
        if self.alternate is None:
            return [self.primary]
        (host, port), (other_host, other_port) = self.primary, self.alternate
        return [(host, port), (host, other_port), (other_host, port), (other_host, other_port)]

    def other(self, local: Address, change: Change) -> Address:
        """The address that differs from `local` in what is to change; `local` itself where there is only one."""
        primary, alternate = self.primary, self.alternate or self.primary
        host = alternate[0] if (local[0] == primary[0]) == change.address else primary[0]
        port = alternate[1] if (local[1] == primary[1]) == change.port else primary[1]
        return host, port


class StunServer:
    """Answers Binding requests, with and without RFC 5780."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._transmits: deque[Transmit] = deque(maxlen=MAX_WAITING)

    def receive_datagram(self, data: bytes, source: Address, now: Instant, local: Address | None = None) -> bool:  # noqa: ARG002 - the verb of machines
        """Take an untrusted datagram that came to `local`, the primary address by default."""
        if not is_stun(data):
            return False
        try:
            message = Message.parse(data)
        except WireError:
            return False
        if message.method != Method.BINDING:
            return False
        if message.message_class is MessageClass.REQUEST:
            self._transmits.append(self._answer(message, source, local or self._config.primary))
        return message.message_class in (MessageClass.REQUEST, MessageClass.INDICATION)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def handle_timeout(self, now: Instant) -> None:
        """Nothing here waits for time."""

    def next_timeout(self) -> Instant | None:
        return None

    def next_event(self) -> None:
        return None

    def _answer(self, request: Message, source: Address, local: Address) -> Transmit:
        change = request.find(CHANGE_REQUEST) or Change(address=False, port=False)
        unknown = self._unknown(request)
        if unknown:
            response = request.error(420, "Unknown Attribute", UNKNOWN_ATTRIBUTES(unknown))
            return Transmit(response.serialize(fingerprint=request.has_fingerprint), source, source=local)
        origin, destination = local, source
        attributes = [XOR_MAPPED_ADDRESS(source)]
        if self._config.alternate is not None:
            origin = self._config.other(local, change)
            destination = (source[0], request.find(RESPONSE_PORT) or source[1])
            attributes += self._discovery_attributes(source, local, origin)
        if self._config.software is not None:
            attributes.append(SOFTWARE(self._config.software))
        response = request.success(*attributes)
        return Transmit(response.serialize(fingerprint=request.has_fingerprint), destination, source=origin)

    def _discovery_attributes(self, source: Address, local: Address, origin: Address) -> list[Attribute]:
        other = self._config.other(local, Change(address=True, port=True))
        return [MAPPED_ADDRESS(source), RESPONSE_ORIGIN(origin), OTHER_ADDRESS(other)]

    def _unknown(self, request: Message) -> tuple[int, ...]:
        """RFC 5780 section 6.1: what asks for a second address is unknown to a server that has none."""
        unsupported = [PADDING] if self._config.alternate else [PADDING, CHANGE_REQUEST, RESPONSE_PORT]
        refused = tuple(kind.number for kind, _ in request.attributes if kind in unsupported)
        return request.unknown_required() + refused
