"""Import profiles: the settings under which the same bytes get the same CID everywhere (IPIP-499).

A profile is everything that decides a CID. `default` is Kubo's `ipfs add --cid-version=1`; the other two carry the
names that IPIP-499 gave them. `dataclasses.replace` makes a variant.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multihash import MAX_IDENTITY, Buffer

MAX_FANOUT: Final = 1024  # slots of a HAMT node; Kubo's `maximumHamtWidth`


class Layout(enum.Enum):
    """How the leaves of a file become a tree."""

    BALANCED = "balanced"  # all leaves at one depth: quick to seek in
    TRICKLE = "trickle"  # leaves near the root first: quick to read from the front


class SizeEstimate(enum.Enum):
    """How the size of a directory is counted that decides whether it is sharded (IPIP-499, "HAMT threshold")."""

    LINKS = "links-bytes"  # the bytes of names and CIDs, Kubo's way since 2021
    BLOCK = "block-bytes"  # the exact size of the block that an unsharded directory would be


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """Settings that decide CIDs. Values that contradict each other are refused when it is made."""

    cid_version: int = 1  # 0 or 1; raw leaves and inlined blocks have version 1 in any case
    raw_leaves: bool = True  # leaves are the bare bytes; otherwise each is wrapped in dag-pb
    chunker: str = "size-262144"  # as in `chunker.from_text`
    max_links: int = 174  # children of a node in a file: 2 or more
    layout: Layout = Layout.BALANCED
    hash_code: int = multicodec.SHA2_256
    inline_limit: int | None = None  # blocks of at most so many bytes become identity CIDs: 0 to 128, or None
    hamt_threshold: int = 262_144  # bytes; a directory estimated above this is sharded
    hamt_estimate: SizeEstimate = SizeEstimate.LINKS
    hamt_fanout: int = 256  # a power of two from 8 to `MAX_FANOUT`
    keep_mode: bool = False  # importers record permissions (UnixFS 1.5)
    keep_mtime: bool = False  # importers record modification times (UnixFS 1.5)

    def __post_init__(self) -> None:
        if self.cid_version not in (0, 1):
            raise LocalProtocolError(f"CID version {self.cid_version}, expected 0 or 1")
        if self.cid_version == 0 and self.hash_code != multicodec.SHA2_256:
            raise LocalProtocolError("CIDv0 knows sha2-256 only; use CID version 1 for another hash")
        if self.max_links < 2:
            raise LocalProtocolError(f"{self.max_links} links a node, expected at least 2")
        if self.inline_limit is not None and not 0 <= self.inline_limit <= MAX_IDENTITY:
            raise LocalProtocolError(f"inline limit {self.inline_limit}, expected 0 to {MAX_IDENTITY}")
        if not 8 <= self.hamt_fanout <= MAX_FANOUT or self.hamt_fanout & self.hamt_fanout - 1:
            raise LocalProtocolError(f"HAMT fanout {self.hamt_fanout}, expected a power of two from 8 to {MAX_FANOUT}")

    def leaf_cid(self, data: Buffer) -> CID:
        """Name a bare leaf as this profile does."""
        inline = self.inline_limit is not None and len(data) <= self.inline_limit
        return CID.of(data, multicodec.RAW, multicodec.IDENTITY if inline else self.hash_code)

    def block(self, data: bytes, codec: int = multicodec.DAG_PB) -> Block:
        """Name a block of ours as this profile does."""
        if self.inline_limit is not None and len(data) <= self.inline_limit:
            return Block(CID.of(data, codec, multicodec.IDENTITY), data)
        return Block.create(data, codec, self.hash_code, self.cid_version if codec == multicodec.DAG_PB else 1)


DEFAULT: Final = Profile()

PROFILES: Final[dict[str, Profile]] = {
    "default": DEFAULT,
    "unixfs-v0-2015": Profile(cid_version=0, raw_leaves=False),
    "unixfs-v1-2025": Profile(chunker="size-1048576", max_links=1024, hamt_estimate=SizeEstimate.BLOCK),
}
