"""Certificate fingerprints, `a=fingerprint` of SDP (RFC 8122 section 5).

They are the whole of authentication in WebRTC: signaling says them, the DTLS handshake has to prove them. MD2 and MD5
are read, so that a description that has them beside others is understood, and never match anything.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from zwerm.core.errors import LocalProtocolError, WireError

MAX_FINGERPRINTS: Final = 32  # in one description; more is not read


class HashFunction(enum.Enum):
    """The names of RFC 8122 section 5; SHA-2 in descending preference."""

    SHA_512 = "sha-512"
    SHA_384 = "sha-384"
    SHA_256 = "sha-256"
    SHA_224 = "sha-224"
    SHA_1 = "sha-1"
    MD5 = "md5"
    MD2 = "md2"


_PYTHON_NAMES: Final = {
    HashFunction.SHA_512: "sha512",
    HashFunction.SHA_384: "sha384",
    HashFunction.SHA_256: "sha256",
    HashFunction.SHA_224: "sha224",
    HashFunction.SHA_1: "sha1",
}  # RFC 8122 section 5: MD2 and MD5 MUST NOT be used
_SIZES: Final = {"sha-512": 64, "sha-384": 48, "sha-256": 32, "sha-224": 28, "sha-1": 20, "md5": 16, "md2": 16}
_TEXT: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,127})")


class Fingerprint(NamedTuple):
    """A hash over a certificate in DER."""

    function: HashFunction
    digest: bytes

    @classmethod
    def of(cls, der: bytes, function: HashFunction = HashFunction.SHA_256) -> Self:
        """Hash a certificate.

        Raises:
            LocalProtocolError: MD2 or MD5.
        """
        name = _PYTHON_NAMES.get(function)
        if name is None:
            raise LocalProtocolError(f"a fingerprint by {function.value}, which RFC 8122 forbids")
        return cls(function, hashlib.new(name, der, usedforsecurity=True).digest())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the value of `a=fingerprint`, as in `sha-256 4A:AD:...`; case does not matter.

        Raises:
            WireError: not of that form, a function we do not know, or a digest that is not of its size.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise WireError(f"fingerprint {text[:80]!r}, expected a hash function and a digest in hex with colons")
        name, digest = found[1].lower(), bytes.fromhex(found[2].replace(":", ""))
        if name not in _SIZES:
            raise WireError(f"fingerprint by {name!r}, expected one of {', '.join(_SIZES)}")
        if len(digest) != _SIZES[name]:
            raise WireError(f"a {name} digest of {len(digest)} bytes, expected {_SIZES[name]}")
        return cls(HashFunction(name), digest)

    def __str__(self) -> str:
        return f"{self.function.value} {self.digest.hex(':').upper()}"


def match(fingerprints: Iterable[Fingerprint], der: bytes) -> Fingerprint | None:
    """Return the fingerprint that a certificate has to have and has; None when it is not the one that was announced.

    RFC 8122 section 5.1: of several functions the one we prefer decides, and one of its fingerprints must match. So an
    attacker who can forge one under a weak hash gains nothing where a strong one was given as well. Compared in
    constant time.
    """
    listed = tuple(fingerprints)[:MAX_FINGERPRINTS]
    for function in _PYTHON_NAMES:
        offered = [fingerprint for fingerprint in listed if fingerprint.function is function]
        if offered:
            actual = Fingerprint.of(der, function)
            matching = [one for one in offered if hmac.compare_digest(one.digest, actual.digest)]
            return matching[0] if matching else None
    return None
