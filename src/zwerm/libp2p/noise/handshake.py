"""The noise handshake of libp2p as a machine (libp2p specs, "noise/README.md"; protocol `/noise`).

Three messages, each with its length in two bytes before it. The second and third carry who the sender is; a side is
done when it has seen the other's payload, whose signature ties the noise key of this handshake to the identity key. A
peer that is not the one expected, or did not sign, ends the handshake before anything else is said.

    initiator  e ->          responder
               <- e, s, payload
    (knows the responder, sends s and payload, is done)
               s, payload ->
                             (knows the initiator, is done)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from zwerm.core.errors import WireError
from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.noise.pattern import Pattern
from zwerm.libp2p.noise.payload import Payload
from zwerm.libp2p.noise.records import LENGTH_SIZE, NoiseRecords
from zwerm.libp2p.secure import HandshakeEvent, HandshakeFailed, Secured, check_peer_untrusted, choose_muxer_untrusted

PROTOCOL: Final = "/noise"
MAX_MESSAGE: Final = 16_384  # bytes; the largest keys and signatures that libp2p knows take 10,000


class NoiseIdentity:
    """A node's noise key, tied to its identity key. One serves all handshakes of a run and is kept on no disk."""

    __slots__ = ("payload", "static")

    def __init__(self, key: PrivateKey, random: Random) -> None:
        self.static = X25519PrivateKey.from_private_bytes(random.randbytes(32))
        self.payload = Payload.sign(key, self.static.public_key().public_bytes_raw())


class NoiseHandshake:
    """One side of one handshake."""

    def __init__(
        self,
        identity: NoiseIdentity,
        *,
        is_initiator: bool,
        random: Random,
        expected: PeerId | None = None,
        muxers: Sequence[str] = (),
        prologue: bytes = b"",
    ) -> None:
        """Begin.

        Args:
            identity: of this node.
            is_initiator: the side that dialled; with webrtc-direct it is the one that listens.
            random: for the key of this handshake.
            expected: who the peer must be; None: whoever it is.
            muxers: to agree on one inside the handshake, in order of preference; none: leave it for afterwards.
            prologue: what both sides must have seen alike.
        """
        ephemeral = X25519PrivateKey.from_private_bytes(random.randbytes(32))
        self._pattern = Pattern(identity.static, ephemeral, is_initiator=is_initiator, prologue=prologue)
        self._payload = identity.payload._replace(muxers=tuple(muxers)).serialize()
        self._muxers = tuple(muxers)
        self._expected = expected
        self._received = bytearray()  # at most one message
        self._to_send = b""
        self._event: HandshakeEvent | None = None
        self.is_over = False
        if is_initiator:
            self._write(b"")

    def receive_data(self, data: bytes, now: Instant) -> int:  # noqa: ARG002 -- the contract's form
        """Take untrusted bytes; return how many belonged to the handshake. Those behind them are records."""
        used = 0
        try:
            while not self.is_over and used < len(data):
                used += self._receive_untrusted(data[used : used + self._missing_untrusted()])
        except WireError as error:
            self._fail(str(error))
            return len(data)
        return used

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        if not self.is_over:
            self._fail("the peer closed the connection during the noise handshake")

    def handle_timeout(self, now: Instant) -> None:
        """Nothing here waits for time."""

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def next_event(self) -> HandshakeEvent | None:
        event, self._event = self._event, None
        return event

    def next_timeout(self) -> Instant | None:
        return None

    def _missing_untrusted(self) -> int:
        """Bytes until the length, or the message, is whole. A byte behind the last message is never asked for."""
        received = self._received
        if len(received) < LENGTH_SIZE:
            return LENGTH_SIZE - len(received)
        size = received[0] << 8 | received[1]
        if not 0 < size <= MAX_MESSAGE:
            raise WireError(f"noise handshake message of {size} bytes, expected 1 to {MAX_MESSAGE}")
        return LENGTH_SIZE + size - len(received)

    def _receive_untrusted(self, part: bytes) -> int:
        self._received += part
        if len(self._received) >= LENGTH_SIZE and not self._missing_untrusted():
            message = bytes(self._received[LENGTH_SIZE:])
            self._received.clear()
            self._read_untrusted(message)
        return len(part)

    def _read_untrusted(self, message: bytes) -> None:
        pattern = self._pattern
        data = pattern.read_message_untrusted(message)
        if not pattern.remote_static:  # the first message: its payload is not encrypted, and nobody's
            self._write(self._payload)
            return
        payload = Payload.parse(data)
        key = payload.verified_key_untrusted(pattern.remote_static)
        peer = check_peer_untrusted(key, self._expected)
        sides = (self._muxers, payload.muxers) if pattern.is_initiator else (payload.muxers, self._muxers)
        muxer = choose_muxer_untrusted(*sides)
        if pattern.is_my_turn:
            self._write(self._payload)
        self._finish(Secured(key, peer, muxer, NoiseRecords(*pattern.split())))

    def _write(self, payload: bytes) -> None:
        message = self._pattern.write_message(payload)
        self._to_send += len(message).to_bytes(LENGTH_SIZE, "big") + message

    def _fail(self, cause: str) -> None:
        self._finish(HandshakeFailed(cause))

    def _finish(self, event: HandshakeEvent) -> None:
        self.is_over = True
        self._received.clear()
        self._event = event
