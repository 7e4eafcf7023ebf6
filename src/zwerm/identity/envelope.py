"""Signed envelopes (libp2p RFC 0002): a payload, the key that signed it, and a domain that the signature is bound to.

The domain is agreed on by both sides and not sent: what was signed for one purpose cannot be shown for another.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId

MAX_ENVELOPE: Final = 1_048_576  # bytes; a caller with a smaller frame limits it there

_PUBLIC_KEY: Final = 1
_PAYLOAD_TYPE: Final = 2
_PAYLOAD: Final = 3
_SIGNATURE: Final = 5


class Envelope(NamedTuple):
    """An envelope whose signature is right: `seal` made it or `open_untrusted` checked it."""

    public_key: PublicKey
    payload_type: bytes  # a multicodec code as varint, or a path
    payload: bytes
    signature: bytes

    @classmethod
    def seal(cls, key: PrivateKey, *, domain: str, payload_type: bytes, payload: bytes) -> Self:
        """Sign `payload` for one purpose."""
        signature = key.sign(_signed_bytes(domain, payload_type, payload))
        return cls(key.public, payload_type, payload, signature)

    @classmethod
    def open_untrusted(cls, data: bytes, *, domain: str, payload_type: bytes) -> Self:
        """Read an envelope and verify it. Who signed it is `peer_id`; whether that may be is the caller's to decide.

        Raises:
            WireError: malformed, of another type, or not signed by its key for this domain.
        """
        if len(data) > MAX_ENVELOPE:
            raise WireError(f"envelope of {len(data)} bytes, expected at most {MAX_ENVELOPE}")
        fields: dict[int, bytes] = {}
        for number, value in protobuf.parse_fields(data):
            if not isinstance(value, bytes):
                raise WireError(f"envelope field {number} is a number, expected bytes")
            fields[number] = value
        if _PUBLIC_KEY not in fields or _SIGNATURE not in fields:
            raise WireError("envelope without a key or without a signature")
        envelope = cls(
            PublicKey.parse(fields[_PUBLIC_KEY]),
            fields.get(_PAYLOAD_TYPE, b""),
            fields.get(_PAYLOAD, b""),
            fields[_SIGNATURE],
        )
        if envelope.payload_type != payload_type:
            raise WireError(f"envelope of type {envelope.payload_type[:16].hex()}, expected {payload_type.hex()}")
        signed = _signed_bytes(domain, envelope.payload_type, envelope.payload)
        if not envelope.public_key.verify(envelope.signature, signed):
            raise WireError(f"envelope whose signature is not its key's for {domain!r}")
        return envelope

    @property
    def peer_id(self) -> PeerId:
        """The signer."""
        return PeerId.of(self.public_key)

    def serialize(self) -> bytes:
        return b"".join(
            (
                protobuf.serialize_field(_PUBLIC_KEY, self.public_key.serialize()),
                protobuf.serialize_field(_PAYLOAD_TYPE, self.payload_type),
                protobuf.serialize_field(_PAYLOAD, self.payload),
                protobuf.serialize_field(_SIGNATURE, self.signature),
            )
        )


def _signed_bytes(domain: str, payload_type: bytes, payload: bytes) -> bytes:
    """RFC 0002, "Signature Production / Verification": each part with its length as varint before it."""
    parts = (domain.encode(), payload_type, payload)
    return b"".join(protobuf.serialize_varint(len(part)) + part for part in parts)
