"""Places in the key space: SHA2-256 of a name, as a number of 256 bits (ipfs specs, "Kademlia Keyspace").

The name, the *preimage*, is what travels: the bytes of a peer ID, of a multihash, or the key of a record. Peers hash it
themselves. Numbers make distance one operation: `a ^ b`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeAlias

from zwerm.core.random import Random

Key: TypeAlias = int  # 0 to 2**256 - 1

BITS: Final = 256
KEY_LIMIT: Final = 2**BITS

_MAX_TRIES: Final = 1 << 20


def key_of(preimage: bytes) -> Key:
    """Return where the thing of this name belongs."""
    return int.from_bytes(sha256(preimage).digest())


def common_prefix_length(one: Key, other: Key) -> int:
    """Return how many leading bits are the same; 256 when they are equal."""
    return BITS - (one ^ other).bit_length()


def random_preimage(local: Key, shared: int, random: Random) -> bytes:
    """Return a name whose key shares exactly `shared` leading bits with `local`.

    It takes about 2**(shared + 1) hashes, so a table is refreshed by it only where buckets are wide.
    """
    for _ in range(_MAX_TRIES):
        preimage = random.randbytes(32)
        if common_prefix_length(key_of(preimage), local) == shared:
            return preimage
    raise ValueError(f"no name found that shares {shared} bits")
