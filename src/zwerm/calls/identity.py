"""What devices sign: that it is they who come, and that the media of a call are theirs (docs/calls.md, "Keys").

A device has a key for ECDSA on P-256, as browsers make and keep it so that no script can read it (Web Cryptography).
The service knows public keys only, and keeps no secret by which somebody could pose as a device.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from zwerm.core.errors import WireError

_PREFIX: Final = "zwerm-calls-1"


def greeting(host: str, nonce: str, device: str) -> bytes:
    """What a device signs to say that it is there: to this service, now, and to no other.

    `host` is the name and port under which the device reached the service, so that another service to which the device
    comes cannot pass its signature on.
    """
    return f"{_PREFIX}\nhello\n{host.lower()}\n{nonce}\n{device}".encode()


def fingerprint_statement(call: str, by: str, to: str, fingerprints: list[str]) -> bytes:
    """What a device signs beside a description: the certificates of its media, in this call or room, for that endpoint.

    The other side checks it with the key that it knows of this device; the service cannot put itself in between.
    """
    return "\n".join([_PREFIX, "media", call, by, to, *sorted(each.lower() for each in fingerprints)]).encode()


def verify(key: str, signature: str, data: bytes) -> bool:
    """Whether a device signed `data`; both texts are untrusted base64url, the signature r and s joined."""
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
        raw = decode(signature)
        if len(raw) != 64:
            return False
        encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(encoded, data, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def check_key(key: str) -> None:
    """Raise a WireError unless this is a point of the curve."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
    except ValueError:
        raise WireError("the key is no point of P-256") from None


def decode(text: str) -> bytes:
    """Read base64url without padding; a ValueError when it is none."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
