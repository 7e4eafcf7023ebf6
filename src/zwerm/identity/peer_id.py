"""Peer IDs (libp2p peer-ids spec, "Peer Ids"): the multihash of a public key, and the name of whoever holds its secret.

Keys of up to 42 bytes are not hashed but carried whole, so that the peer ID of an Ed25519 key contains the key.
"""

from __future__ import annotations

from typing import Self

from zwerm.core.errors import WireError
from zwerm.identity.keys import PublicKey
from zwerm.multiformats import multicodec, multihash, peer_hash
from zwerm.multiformats.cid import CID


class PeerId:
    """An immutable peer ID. `str()` gives the base58 form that libp2p shows, `to_cid()` the form of IPNS names."""

    __slots__ = ("multihash",)

    multihash: bytes  # code, length, digest

    def __init__(self, multihash: bytes) -> None:
        """Wrap a multihash that is known to be well-formed; bytes from outside go through `parse`."""
        self.multihash = multihash

    @classmethod
    def of(cls, key: PublicKey) -> Self:
        """Return the peer ID of `key`'s holder."""
        encoded = key.serialize()
        code = multicodec.IDENTITY if len(encoded) <= peer_hash.MAX_INLINE_KEY else multicodec.SHA2_256
        return cls(multihash.digest(encoded, code))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a peer ID from exactly these untrusted bytes.

        A key that is carried inside is not looked at before `public_key` is asked for.

        Raises:
            WireError: not a multihash, or one that no key can have.
        """
        peer_hash.check(data)
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read either text form: bare base58btc, or a CID of codec libp2p-key in any base.

        Raises:
            WireError: neither.
        """
        return cls(peer_hash.from_text(text))

    @classmethod
    def from_cid(cls, cid: CID) -> Self:
        """Read a CID of codec libp2p-key; WireError for any other."""
        if cid.codec != multicodec.LIBP2P_KEY:
            raise WireError(f"CID of codec {multicodec.codec_name(cid.codec)}, expected libp2p-key")
        return cls.parse(cid.multihash)

    @property
    def public_key(self) -> PublicKey | None:
        """The key carried inside, or None when the peer ID is only its hash.

        Raises:
            WireError: what is inside is not a key.
        """
        code, start, _ = multihash.parse_prefix(self.multihash)
        return PublicKey.parse(self.multihash[start:]) if code == multicodec.IDENTITY else None

    def matches(self, key: PublicKey) -> bool:
        """Whether this is the peer ID of `key`."""
        return self.multihash == PeerId.of(key).multihash

    def to_cid(self) -> CID:
        """Return the CID form; its base36 text, `encode("base36")`, is how IPNS names are written."""
        return CID(1, multicodec.LIBP2P_KEY, self.multihash)

    def __bytes__(self) -> bytes:
        return self.multihash

    def __str__(self) -> str:
        return peer_hash.to_text(self.multihash)

    def __repr__(self) -> str:
        return f"PeerId({self})"

    def __hash__(self) -> int:
        return hash(self.multihash)

    def __eq__(self, other: object) -> bool:
        return self.multihash == other.multihash if isinstance(other, PeerId) else NotImplemented

    def __lt__(self, other: PeerId) -> bool:
        return self.multihash < other.multihash
