"""Negotiating on anything that reads and writes: a stream, or a connection that is not secured yet."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from zwerm.core.errors import RemoteProtocolError
from zwerm.libp2p.framing import Readable, Writable
from zwerm.libp2p.multistream.negotiation import Agreed, Dialer, Event, Listener, Refused
from zwerm.libp2p.stream import ProtocolNotSupported, StreamReset


class Channel(Readable, Writable, Protocol):
    """A stream of bytes in both directions."""


async def dial(stream: Channel, protocols: Sequence[str]) -> tuple[str, bytes]:
    """Agree on one of `protocols`; return it, and bytes that came behind the answer and belong to it.

    Raises:
        ProtocolNotSupported: the peer speaks none of them.
        RemoteProtocolError: it does not keep to multistream-select, or closed the stream.
        StreamReset: see there.
    """
    negotiation = Dialer(protocols)
    await stream.write(negotiation.data_to_send())
    return await finish(stream, negotiation, protocols)


async def finish(stream: Channel, negotiation: Dialer, protocols: Sequence[str]) -> tuple[str, bytes]:
    """Take the answers to a proposal that went out before; as `dial`."""
    return _outcome(*await _drive(stream, negotiation), protocols)


async def listen(stream: Channel, speaks: Callable[[str], bool]) -> tuple[str, bytes]:
    """Answer proposals until one is spoken here; return it, and bytes that came behind it.

    Raises:
        RemoteProtocolError: the peer does not keep to multistream-select, or found no protocol that we speak.
        StreamReset: see there.
    """
    return _outcome(*await _drive(stream, Listener(speaks)), ())


async def _drive(stream: Channel, negotiation: Dialer | Listener) -> tuple[Event, bytes]:
    while True:
        data = await stream.read()
        used = negotiation.receive_data(data, 0.0) if data else 0
        if not data:
            negotiation.receive_eof(0.0)
        if answer := negotiation.data_to_send():
            # A peer that reads no more has often said all it has to: go-libp2p closes so on QUIC, before our answer.
            # What it sent is still to be read, and where both directions are reset the next read says so.
            with contextlib.suppress(StreamReset):
                await stream.write(answer)
        if (event := negotiation.next_event()) is not None:
            return event, data[used:]


def _outcome(event: Event, beyond: bytes, protocols: Sequence[str]) -> tuple[str, bytes]:
    match event:
        case Agreed(protocol):
            return protocol, beyond
        case Refused():
            raise ProtocolNotSupported(f"the peer speaks none of {', '.join(protocols)}")
        case _:
            raise RemoteProtocolError(f"multistream-select: {event.cause}")
