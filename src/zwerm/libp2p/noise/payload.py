"""The payload of libp2p's noise handshake messages (libp2p specs, "noise/README.md", "The libp2p Handshake Payload").

It carries the identity key, and its signature over the Noise static key, which ties the two together. The extensions
say which muxers the sender has, and for WebTransport which certificates it uses.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey, PublicKey

MAX_MUXERS: Final = 32
MAX_MUXER_NAME: Final = 256  # bytes
MAX_CERTIFICATE_HASHES: Final = 32

_SIGNED: Final = b"noise-libp2p-static-key:"

_IDENTITY_KEY: Final = 1
_IDENTITY_SIGNATURE: Final = 2
_EXTENSIONS: Final = 4
_CERTIFICATE_HASHES: Final = 1
_STREAM_MUXERS: Final = 2


class Payload(NamedTuple):
    """What one side says of itself."""

    identity_key: bytes  # a `PublicKey` message
    identity_signature: bytes
    muxers: tuple[str, ...] = ()  # in order of preference
    certificate_hashes: tuple[bytes, ...] = ()  # multihashes; read and passed on, WebTransport is not spoken

    @classmethod
    def sign(cls, key: PrivateKey, static: bytes) -> Self:
        """Make the payload that ties the noise key `static` to the identity `key`."""
        return cls(key.public.serialize(), key.sign(_SIGNED + static))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a payload from exactly these untrusted bytes; fields we do not know are passed over.

        Raises:
            WireError: not such a message, the same field twice, or more extensions than the limits allow.
        """
        fields: dict[int, bytes] = {}
        for number, value in protobuf.parse_fields(data):
            if number not in (_IDENTITY_KEY, _IDENTITY_SIGNATURE, _EXTENSIONS):
                continue
            if not isinstance(value, bytes) or number in fields:
                raise WireError(f"noise payload whose field {number} is a number, or stands there twice")
            fields[number] = value
        if _IDENTITY_KEY not in fields or _IDENTITY_SIGNATURE not in fields:
            raise WireError("noise payload without an identity key or without a signature")
        muxers: list[str] = []
        hashes: list[bytes] = []
        for number, value in protobuf.parse_fields(fields.get(_EXTENSIONS, b"")):
            if number not in (_CERTIFICATE_HASHES, _STREAM_MUXERS):
                continue
            if not isinstance(value, bytes):
                raise WireError(f"noise extension {number} is a number, expected bytes")
            if number == _CERTIFICATE_HASHES:
                hashes.append(value)
            else:
                muxers.append(_muxer_untrusted(value))
        if len(muxers) > MAX_MUXERS:
            raise WireError(f"{len(muxers)} muxers in a noise payload, the limit is {MAX_MUXERS}")
        if len(hashes) > MAX_CERTIFICATE_HASHES:
            raise WireError(f"{len(hashes)} certificates in a noise payload, the limit is {MAX_CERTIFICATE_HASHES}")
        return cls(fields[_IDENTITY_KEY], fields[_IDENTITY_SIGNATURE], tuple(muxers), tuple(hashes))

    def serialize(self) -> bytes:
        extensions = b"".join(protobuf.serialize_field(_CERTIFICATE_HASHES, item) for item in self.certificate_hashes)
        extensions += b"".join(protobuf.serialize_field(_STREAM_MUXERS, muxer.encode()) for muxer in self.muxers)
        return b"".join(
            (
                protobuf.serialize_field(_IDENTITY_KEY, self.identity_key),
                protobuf.serialize_field(_IDENTITY_SIGNATURE, self.identity_signature),
                protobuf.serialize_field(_EXTENSIONS, extensions) if extensions else b"",
            )
        )

    def verified_key_untrusted(self, static: bytes) -> PublicKey:
        """Return the identity key, if it signed the noise key `static`.

        Raises:
            WireError: it is no key we know, or did not.
        """
        key = PublicKey.parse(self.identity_key)
        if not key.verify(self.identity_signature, _SIGNED + static):
            raise WireError(f"the {key.type.name} identity key did not sign the peer's noise key")
        return key


def _muxer_untrusted(value: bytes) -> str:
    try:
        name = value.decode()
    except UnicodeDecodeError:
        raise WireError("muxer in a noise payload that is not UTF-8") from None
    if len(value) > MAX_MUXER_NAME:
        raise WireError(f"muxer of {len(value)} bytes in a noise payload, the limit is {MAX_MUXER_NAME}")
    return name
