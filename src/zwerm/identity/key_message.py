"""The key messages of the libp2p peer-ids spec, "Keys": which scheme, and its bytes, in their one encoding.

What the bytes mean is the schemes' business; here is no cryptography, so that a repository whose key is not used can be
opened without loading any.
"""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core import protobuf
from zwerm.core.errors import WireError

MAX_KEY: Final = 8_192  # bytes of a key message; an RSA private key of 8,192 bits takes 4,660


class KeyType(enum.IntEnum):
    """The enum of the libp2p key messages."""

    RSA = 0
    ED25519 = 1
    SECP256K1 = 2
    ECDSA = 3


_TYPES: Final = {int(key_type): key_type for key_type in KeyType}


def serialize(key_type: KeyType, body: bytes) -> bytes:
    return protobuf.serialize_field(1, int(key_type)) + protobuf.serialize_field(2, body)


def parse(data: bytes) -> tuple[KeyType, bytes]:
    """Read a message from exactly these untrusted bytes.

    Raises:
        WireError: it is none, or not in its canonical encoding.
    """
    if len(data) > MAX_KEY:
        raise WireError(f"key message of {len(data)} bytes, expected at most {MAX_KEY}")
    match list(protobuf.parse_fields(data)):
        case [(1, int(code)), (2, bytes(body))]:
            key_type = _TYPES.get(code)
            if key_type is None:
                raise WireError(f"key type {code}, expected 0 to {max(KeyType):d}")
        case fields:
            raise WireError(f"key message with the fields {[number for number, _ in fields][:8]}, expected [1, 2]")
    if serialize(key_type, body) != data:
        raise WireError("key message that is not in its canonical encoding")
    return key_type, body
