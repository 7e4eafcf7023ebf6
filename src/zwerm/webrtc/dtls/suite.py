"""Cipher suites and the keys of a session: the PRF, the key block and the exporter (RFC 5246 section 5, 6.3; RFC 5705).

OpenSSL keeps its traffic keys to itself, but gives the master secret and both randoms; all else follows from these.
"""

from __future__ import annotations

import hmac
from typing import Final, NamedTuple, TypeAlias

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from zwerm.core.errors import LocalProtocolError

MASTER_SECRET_SIZE: Final = 48
TAG_SIZE: Final = 16

Aead: TypeAlias = AESGCM | ChaCha20Poly1305


class Suite(NamedTuple):
    """An AEAD suite of TLS 1.2, without its key exchange and signature."""

    aead: type[AESGCM | ChaCha20Poly1305]
    key_size: int  # bytes
    fixed_iv_size: int  # bytes of the nonce that come from the key block
    explicit_nonce_size: int  # bytes of the nonce that stand in each record
    hash: str  # of the PRF

    @property
    def overhead(self) -> int:
        """Bytes that protection adds to a fragment."""
        return self.explicit_nonce_size + TAG_SIZE


AES_128_GCM: Final = Suite(AESGCM, 16, 4, 8, "sha256")  # RFC 5289 section 3.2
AES_256_GCM: Final = Suite(AESGCM, 32, 4, 8, "sha384")
CHACHA20_POLY1305: Final = Suite(ChaCha20Poly1305, 32, 12, 0, "sha256")  # RFC 7905 section 2

SUITES: Final[dict[str, Suite]] = {  # what is offered, by OpenSSL's names, in our order of preference
    "ECDHE-ECDSA-AES128-GCM-SHA256": AES_128_GCM,  # RFC 8827 section 6.5: MUST
    "ECDHE-RSA-AES128-GCM-SHA256": AES_128_GCM,
    "ECDHE-ECDSA-CHACHA20-POLY1305": CHACHA20_POLY1305,
    "ECDHE-RSA-CHACHA20-POLY1305": CHACHA20_POLY1305,
    "ECDHE-ECDSA-AES256-GCM-SHA384": AES_256_GCM,
    "ECDHE-RSA-AES256-GCM-SHA384": AES_256_GCM,
}


def prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246 section 5): `size` bytes."""
    seed = label + seed
    output = bytearray()
    link = seed
    while len(output) < size:
        link = hmac.digest(secret, link, hash_name)
        output += hmac.digest(secret, link + seed, hash_name)
    return bytes(output[:size])


class DirectionKeys(NamedTuple):
    """What protects the records that one side writes."""

    key: bytes
    fixed_iv: bytes


class Secrets(NamedTuple):
    """What a finished key exchange leaves. Its `repr` shows none of it."""

    suite: Suite
    master: bytes
    client_random: bytes
    server_random: bytes

    def keys(self) -> tuple[DirectionKeys, DirectionKeys]:
        """Cut the key block (RFC 5246 section 6.3): what the client writes with, what the server writes with."""
        suite = self.suite
        size = 2 * (suite.key_size + suite.fixed_iv_size)
        block = prf(suite.hash, self.master, b"key expansion", self.server_random + self.client_random, size)
        client_key, block = block[: suite.key_size], block[suite.key_size :]
        server_key, block = block[: suite.key_size], block[suite.key_size :]
        return (
            DirectionKeys(client_key, block[: suite.fixed_iv_size]),
            DirectionKeys(server_key, block[suite.fixed_iv_size :]),
        )

    def export(self, label: bytes, size: int) -> bytes:
        """Keying material for another protocol (RFC 5705 section 4, without a context), as SRTP wants it.

        Raises:
            LocalProtocolError: a label that TLS itself uses.
        """
        if label in _RESERVED_LABELS:
            raise LocalProtocolError(f"the label {label!r} is TLS's own (RFC 5705 section 4)")
        return prf(self.suite.hash, self.master, label, self.client_random + self.server_random, size)

    def key_log(self) -> bytes:
        """The line that lets an analyser read the session (RFC 9850 section 2.2). Whoever has it reads everything."""
        return f"CLIENT_RANDOM {self.client_random.hex()} {self.master.hex()}\n".encode()

    def __repr__(self) -> str:
        return f"Secrets({self.suite.aead.__name__}, {self.suite.key_size * 8} bits)"


_RESERVED_LABELS: Final = {
    b"client finished",
    b"server finished",
    b"master secret",
    b"extended master secret",
    b"key expansion",
}
