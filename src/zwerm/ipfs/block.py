"""Blocks: bytes with the CID they hash to.

Whoever holds a `Block` holds proof: the two ways to make one either hash the data or check it. Stores therefore take
blocks, never a CID and bytes that somebody claims belong together.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from zwerm.core.errors import NotFoundError, ResourceLimitError, StorageError, WireError
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

MAX_BLOCK: Final = 2 * 1024 * 1024  # bytes; what bitswap peers accept (bitswap spec, "Block Sizes")


class BlockNotFound(NotFoundError):
    """The block is not here, and nobody who was asked gave it."""

    def __init__(self, cid: CID) -> None:
        super().__init__(f"block {cid} is not here")
        self.cid = cid


class CorruptBlock(StorageError):
    """The stored bytes no longer match their hash. They are never handed out."""

    def __init__(self, cid: CID) -> None:
        super().__init__(
            f"block {cid} is damaged on disk; run `zwerm repo verify` to find all that are, "
            "`zwerm repo repair` to drop them, and add the content again"
        )
        self.cid = cid


class HashMismatch(WireError):
    """The bytes given for a CID hash to something else."""


class Block(NamedTuple):
    """Data and the CID it is known to hash to. Make one with `create` or `check`, not by hand."""

    cid: CID
    data: bytes

    @classmethod
    def create(
        cls, data: bytes, codec: int = multicodec.RAW, hash_code: int = multicodec.SHA2_256, version: int = 1
    ) -> Block:
        """Hash data of our own.

        Raises:
            ResourceLimitError: more than `MAX_BLOCK` bytes.
        """
        _check_size(data)
        return cls(CID.of(data, codec, hash_code, version), data)

    @classmethod
    def check(cls, cid: CID, data: bytes) -> Block:
        """Hold untrusted data against the CID it came with.

        Raises:
            HashMismatch: it hashes to something else.
            ResourceLimitError: more than `MAX_BLOCK` bytes.
            LocalProtocolError: a hash function that is not known here.
        """
        _check_size(data)
        if not multihash.verify(cid.multihash, data):
            raise HashMismatch(f"{len(data)} bytes that are not {cid}")
        return cls(cid, data)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BLOCK:
        raise ResourceLimitError(f"block of {len(data)} bytes, the limit is {MAX_BLOCK}")
