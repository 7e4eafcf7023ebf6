"""What a secure channel is: a handshake that proves who the peer is, and then records that carry bytes.

Both `zwerm.libp2p.noise` and `zwerm.libp2p.tls` have these two halves. The handshake is a stream machine that ends with
one event, `Secured` or `HandshakeFailed`, and takes no byte behind its own last one: `receive_data` returns how many
were its. `Secured.records` takes over from there. Records are a codec: bytes in, bytes out, no time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.machine import Instant
from zwerm.identity.keys import PublicKey
from zwerm.identity.peer_id import PeerId

Buffer: TypeAlias = bytes | bytearray | memoryview  # memoryviews of bytes, one-dimensional and contiguous


class Records(Protocol):
    """The two directions of a channel whose handshake is done. The first failure is final."""

    def encrypt(self, chunks: Sequence[Buffer]) -> bytes | bytearray:
        """Return the records that carry `chunks`, joined; nothing of them is referred to afterwards.

        Whatever the channel itself has to say (an answer to a key update) goes before them, so that an empty list asks
        for just that.

        Raises:
            LocalProtocolError: the direction is closed, or has used up its nonces.
        """
        ...

    def decrypt_untrusted(self, data: Buffer) -> list[memoryview]:
        """Take bytes, cut anywhere; return what whole records held, in order.

        `data` is overwritten when it can be: the views may lie in it, and are good until the next call or until the
        caller uses `data` again, whichever comes first.

        Raises:
            WireError: a record that is damaged, forged, replayed or out of order. What stood before it is lost too.
        """
        ...

    def check_end_untrusted(self) -> None:
        """Say that the peer sends no more.

        Raises:
            WireError: it stopped in the middle of a record, as far as the channel can tell.
        """
        ...

    def close(self) -> bytes:
        """Return the channel's farewell, if its protocol has one. Nothing can be encrypted afterwards."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Secured:
    """The peer holds the secret half of this key, and both sides have the same secrets."""

    public_key: PublicKey
    peer: PeerId
    muxer: str | None  # agreed on inside the handshake; None when the peer did not say what it has
    records: Records


@dataclasses.dataclass(frozen=True, slots=True)
class HandshakeFailed:
    """The channel is not secure and never will be. `data_to_send` may still hold what tells the peer so."""

    cause: str


HandshakeEvent: TypeAlias = Secured | HandshakeFailed


class SecureHandshake(Protocol):
    """The machine of one handshake. How long it may take is the shell's to limit."""

    def receive_data(self, data: bytes, now: Instant) -> int:
        """Take untrusted bytes; return how many belonged to the handshake. Never raises."""
        ...

    def receive_eof(self, now: Instant) -> None: ...

    def data_to_send(self) -> bytes: ...

    def next_event(self) -> HandshakeEvent | None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None: ...


def check_peer_untrusted(public_key: PublicKey, expected: PeerId | None) -> PeerId:
    """Return the peer ID of the key that was proved.

    Raises:
        WireError: somebody else is expected.
    """
    peer = PeerId.of(public_key)
    if expected is not None and peer != expected:
        raise WireError(f"the peer is {peer}, expected {expected}")
    return peer


def choose_muxer_untrusted(initiators: Sequence[str], responders: Sequence[str]) -> str | None:
    """Return the first muxer of the initiator's that the responder has; None when one of them named none.

    libp2p specs, "connections/inlined-muxer-negotiation.md".

    Raises:
        WireError: both named some and none is the same, with which the handshake must fail.
    """
    if not initiators or not responders:
        return None
    for muxer in initiators:
        if muxer in responders:
            return muxer
    raise WireError(f"muxers {', '.join(initiators)[:200]} and {', '.join(responders)[:200]} have none in common")
