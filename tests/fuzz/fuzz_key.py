"""A key is refused with WireError, or it is the only encoding of itself; no signature of noise is right."""

import contextlib

from zwerm.core.errors import WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey, PublicKey

_ED25519 = (
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
)
_SECP256K1 = "0802122053dadf1d5a164d6b4acdb15e24aa4c5b1d3461bdbd42abedb0a4404d56ced8fb"
_ECDSA = (
    "08031279307702010104203e5b1fe9712e6c314942a750bd67485de3c1efe85b1bfb520ae8f9ae3dfa4a4ca00a06082a8648ce3d030107"
    "a14403420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47"
    "c646a597fb4dcec034e9f77c409e62"
)
_KEYS = [PrivateKey.parse(bytes.fromhex(wire)) for wire in (_ED25519, _SECP256K1, _ECDSA)]
_X448 = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VvBCIEIH4IMGF8SnmsS3OXoflFVrEpNsR3oOH+suFI7J2mD+59
-----END PRIVATE KEY-----
"""
SEEDS = [key.public.serialize() for key in _KEYS] + [key.serialize() for key in _KEYS] + [_KEYS[0].to_pem(), _X448]


def fuzz(data: bytes) -> None:
    for parse in (PublicKey.parse, PrivateKey.parse):
        try:
            key = parse(data)
        except WireError:
            continue
        if isinstance(key, PublicKey):
            assert key.serialize() == data
            assert not key.verify(b"noise", b"message")
        else:
            again = PrivateKey.parse(key.serialize())
            assert again.public == key.public
    with contextlib.suppress(WireError):
        assert PrivateKey.from_pem(data).type in KeyType
