"""Who sends a push message: a signed token in the request (RFC 8292)."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from zwerm.calls.identity import decode, encode
from zwerm.calls.push.encryption import public_bytes

LIFETIME: Final = 12 * 3600  # seconds; RFC 8292 section 2 allows a day, and clocks differ


def new_key() -> str:
    """Make the service's key, as a text to keep."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return encode(number.to_bytes(32, "big"))


class Vapid:
    """The service's key for push messages. Browsers subscribe to `public`, so it has to stay the same."""

    def __init__(self, key: str, contact: str) -> None:
        """`key` is of `new_key`; `contact` is a mailto: or https: address of whoever runs the service."""
        self._key = ec.derive_private_key(int.from_bytes(decode(key), "big"), ec.SECP256R1())
        self._contact = contact
        self.public = encode(public_bytes(self._key))

    def authorization(self, endpoint: str, unix_time: float) -> str:
        """Return the Authorization header for one push service."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(unix_time) + LIFETIME,
            "sub": self._contact,
        }
        signed = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"vapid t={signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}, k={self.public}"


def _part(document: dict[str, object]) -> str:
    return encode(json.dumps(document, separators=(",", ":")).encode())
