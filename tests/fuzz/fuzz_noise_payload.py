"""A handshake payload that is read is written and read again as the same."""

from tests.libp2p.noise.sides import KEYS
from zwerm.core.errors import WireError
from zwerm.libp2p.noise.payload import Payload

_STATIC = bytes(32)

SEEDS = [
    Payload.sign(KEYS["ed25519"], _STATIC)._replace(muxers=("/yamux/1.0.0",)).serialize(),
    Payload(b"key", b"signature", ("a", "b"), (b"hash",)).serialize(),
]


def fuzz(data: bytes) -> None:
    try:
        payload = Payload.parse(data)
    except WireError:
        return
    assert Payload.parse(payload.serialize()) == payload
    try:
        payload.verified_key_untrusted(_STATIC)
    except WireError:
        return
