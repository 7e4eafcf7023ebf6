"""Multihashes (multiformats/multihash): a hash that says which function made it.

A multihash travels through zwerm as plain bytes: code, digest length, digest. `digest` makes one, `parse_prefix`
checks one that came from outside, `verify` holds data against one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import multicodec, varint

Buffer: TypeAlias = bytes | bytearray | memoryview

MAX_IDENTITY: Final = 128  # bytes; Kubo's limit, so that identity CIDs stay links and do not become content
MAX_DIGEST: Final = 128  # bytes; no function of the table is longer
MIN_DIGEST: Final = 20  # bytes; a shorter truncation is no proof (Kubo's verifcid)

_BLAKE2B_8: Final = 0xB201  # and 63 more follow, each one byte longer
_SHA2_256_PREFIX: Final = b"\x12\x20"


class UnknownHash(LocalProtocolError):
    """A hash function that is not known here: nothing can be said about the data."""

    def __init__(self, code: int) -> None:
        super().__init__(f"hash function {function_name(code)} is not known here")
        self.code = code


def _blake2b(size: int) -> Callable[[Buffer], bytes]:
    return lambda data: hashlib.blake2b(data, digest_size=size).digest()


def _blake3(data: Buffer) -> bytes:
    import blake3

    return blake3.blake3(data).digest()


_FUNCTIONS: Final[dict[int, Callable[[Buffer], bytes]]] = {
    _BLAKE2B_8 + size - 1: _blake2b(size) for size in range(1, 65)
} | {
    multicodec.IDENTITY: bytes,
    multicodec.SHA1: lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    multicodec.SHA2_256: lambda data: hashlib.sha256(data).digest(),
    multicodec.SHA2_512: lambda data: hashlib.sha512(data).digest(),
    multicodec.SHA3_224: lambda data: hashlib.sha3_224(data).digest(),
    multicodec.SHA3_256: lambda data: hashlib.sha3_256(data).digest(),
    multicodec.SHA3_384: lambda data: hashlib.sha3_384(data).digest(),
    multicodec.SHA3_512: lambda data: hashlib.sha3_512(data).digest(),
    multicodec.BLAKE3: _blake3,
}

FUNCTIONS: Final[dict[str, int]] = {
    "identity": multicodec.IDENTITY,
    "sha1": multicodec.SHA1,
    "sha2-256": multicodec.SHA2_256,
    "sha2-512": multicodec.SHA2_512,
    "sha3-224": multicodec.SHA3_224,
    "sha3-256": multicodec.SHA3_256,
    "sha3-384": multicodec.SHA3_384,
    "sha3-512": multicodec.SHA3_512,
    "blake3": multicodec.BLAKE3,
} | {f"blake2b-{size * 8}": _BLAKE2B_8 + size - 1 for size in range(1, 65)}
FUNCTION_NAMES: Final[dict[int, str]] = {code: name for name, code in (multicodec.KNOWN_HASHES | FUNCTIONS).items()}


def function_name(code: int) -> str:
    """Return the table's name, or the number in hex for a code we do not know."""
    return FUNCTION_NAMES.get(code, f"{code:#x}")


def digest(data: Buffer, code: int = multicodec.SHA2_256) -> bytes:
    """Hash `data` and return the multihash.

    Raises:
        UnknownHash: a function we do not have.
        LocalProtocolError: identity of more than `MAX_IDENTITY` bytes.
    """
    if code == multicodec.SHA2_256:
        return _SHA2_256_PREFIX + hashlib.sha256(data).digest()
    function = _FUNCTIONS.get(code)
    if function is None:
        raise UnknownHash(code)
    if code == multicodec.IDENTITY and len(data) > MAX_IDENTITY:
        raise LocalProtocolError(f"identity hash of {len(data)} bytes, the limit is {MAX_IDENTITY}")
    value = function(data)
    return varint.serialize(code) + varint.serialize(len(value)) + value


def parse_prefix(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Check the multihash at `offset`; return its code, where its digest starts and where it ends.

    Raises:
        WireError: cut short, or a digest length that the limits do not allow.
    """
    code, position = varint.parse_prefix(data, offset)
    size, position = varint.parse_prefix(data, position)
    limit = MAX_IDENTITY if code == multicodec.IDENTITY else MAX_DIGEST
    if size > limit:
        raise WireError(f"multihash digest of {size} bytes, expected at most {limit}")
    if position + size > len(data):
        raise WireError(f"multihash digest cut short: {len(data) - position} of {size} bytes")
    return code, position, position + size


def verify(multihash: bytes, data: Buffer) -> bool:
    """Whether `data` is what `multihash` was made from.

    A digest may be truncated, though never below `MIN_DIGEST` bytes.

    Raises:
        UnknownHash: the function is not known here, so nothing can be said.
        WireError: the multihash is malformed or truncated too far to prove anything.
    """
    if multihash[:2] == _SHA2_256_PREFIX and len(multihash) == 34:
        return hashlib.sha256(data).digest() == multihash[2:]
    code, start, end = parse_prefix(multihash)
    if end != len(multihash):
        raise WireError(f"{len(multihash) - end} bytes after the multihash")
    expected = multihash[start:end]
    if code == multicodec.IDENTITY:
        return data == expected
    if len(expected) < MIN_DIGEST:
        raise WireError(f"digest truncated to {len(expected)} bytes, expected at least {MIN_DIGEST}")
    function = _FUNCTIONS.get(code)
    if function is None:
        raise UnknownHash(code)
    return hmac.compare_digest(function(data)[: len(expected)], expected)
