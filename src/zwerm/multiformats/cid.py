"""Content identifiers, version 0 and 1 (multiformats/cid): what some content is called, everywhere and for ever.

A CID is a codec (how to read the bytes) and a multihash (which bytes). Version 0 is the old short form of a dag-pb
block hashed with sha2-256. Blocks are stored by multihash, so the two versions of one block are one block.
"""

from __future__ import annotations

from typing import Final, Self

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import multibase, multicodec, multihash, varint
from zwerm.multiformats.multihash import Buffer

MAX_TEXT: Final = 512  # characters; identity CIDs of 128 bytes stay below in the bases people use

_V0_PREFIX: Final = b"\x12\x20"
_V0_SIZE: Final = 34
# Nearly all CIDs are of version 1 with a one-byte codec and sha2-256: four bytes say all there is to check.
_USUAL_PREFIXES: Final = {bytes([1, codec, *_V0_PREFIX]): codec for codec in range(0x80)}
_USUAL_SIZE: Final = 36


class CID:
    """An immutable content identifier. Equal when version, codec and multihash are equal."""

    __slots__ = ("_binary", "codec", "multihash", "version")

    version: int  # 0 or 1
    codec: int  # a multicodec code; 0x70 in version 0
    multihash: bytes  # code, length, digest

    def __init__(self, version: int, codec: int, multihash: bytes) -> None:
        """Join the three parts; `multihash` is trusted to be well-formed (`CID.parse` checks bytes from outside)."""
        if version == 0:
            if codec != multicodec.DAG_PB or len(multihash) != _V0_SIZE or multihash[:2] != _V0_PREFIX:
                raise LocalProtocolError("CIDv0 names dag-pb blocks hashed with sha2-256 only; use version 1")
            self._binary = multihash
        elif version == 1:
            self._binary = b"\x01" + varint.serialize(codec) + multihash
        else:
            raise LocalProtocolError(f"CID version {version}, expected 0 or 1")
        self.version = version
        self.codec = codec
        self.multihash = multihash

    @classmethod
    def of(
        cls, data: Buffer, codec: int = multicodec.RAW, hash_code: int = multicodec.SHA2_256, version: int = 1
    ) -> Self:
        """Hash `data` and name it."""
        return cls(version, codec, multihash.digest(data, hash_code))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a CID from exactly these untrusted bytes.

        Raises:
            WireError: not a CID, or bytes after it.
        """
        if len(data) == _USUAL_SIZE and (codec := _USUAL_PREFIXES.get(data[:4])) is not None:
            return cls._of_parts(1, codec, data[2:], data)
        if len(data) == _V0_SIZE and data[:2] == _V0_PREFIX:
            return cls._of_parts(0, multicodec.DAG_PB, data, data)
        cid, end = cls.parse_prefix(data)
        if end != len(data):
            raise WireError(f"{len(data) - end} bytes after the CID")
        return cid

    @classmethod
    def parse_prefix(cls, data: bytes, offset: int = 0) -> tuple[Self, int]:
        """Read a CID at `offset` of untrusted bytes; return it and the offset after it."""
        codec = _USUAL_PREFIXES.get(data[offset : offset + 4])
        if codec is not None and len(data) >= offset + _USUAL_SIZE:
            end = offset + _USUAL_SIZE
            return cls._of_parts(1, codec, data[offset + 2 : end], data[offset:end]), end
        if data[offset : offset + 2] == _V0_PREFIX:
            end = offset + _V0_SIZE
            if end > len(data):
                raise WireError(f"CIDv0 cut short after {len(data) - offset} bytes")
            binary = data[offset:end]
            return cls._of_parts(0, multicodec.DAG_PB, binary, binary), end
        version, position = varint.parse_prefix(data, offset)
        if version != 1:
            raise WireError(f"CID version {version}, expected 0 or 1")
        codec, position = varint.parse_prefix(data, position)
        _, _, end = multihash.parse_prefix(data, position)
        return cls._of_parts(1, codec, data[position:end], data[offset:end]), end

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text form a person or a peer gave.

        Raises:
            WireError: not a CID; the message says what is wrong with it.
        """
        if len(text) > MAX_TEXT:
            raise WireError(f"CID text of {len(text)} characters, expected at most {MAX_TEXT}")
        if len(text) == 46 and text.startswith("Qm"):
            return cls.parse(multibase.decode("z" + text))
        data = multibase.decode(text)
        if data[:1] != b"\x01":  # version 0 is never written with a multibase prefix
            raise WireError(f"{text[:64]!r} is not a CID: version {data[:1].hex() or 'missing'}, expected 1")
        return cls.parse(data)

    @property
    def hash_code(self) -> int:
        """The multicodec code of the hash function."""
        first = self.multihash[0]
        return first if first < 0x80 else varint.parse_prefix(self.multihash)[0]

    @property
    def digest(self) -> bytes:
        """The bare hash, without its code and length."""
        if self.multihash[:2] == _V0_PREFIX:
            return self.multihash[2:]
        _, start, _ = multihash.parse_prefix(self.multihash)
        return self.multihash[start:]

    def to_v0(self) -> CID:
        """Return the version 0 form; a LocalProtocolError when there is none."""
        return CID(0, self.codec, self.multihash)

    def to_v1(self) -> CID:
        return self if self.version == 1 else CID(1, self.codec, self.multihash)

    def encode(self, base: str) -> str:
        """Return the text in the named multibase; version 0 knows base58btc only, and without prefix."""
        if self.version == 0:
            if base != "base58btc":
                raise LocalProtocolError(f"CIDv0 is written in base58btc, not {base}; use to_v1()")
            return multibase.encode(self.multihash, base)[1:]
        return multibase.encode(self._binary, base)

    def __bytes__(self) -> bytes:
        return self._binary

    def __str__(self) -> str:
        return self.encode("base32" if self.version else "base58btc")

    def __repr__(self) -> str:
        return f"CID({self})"

    def __hash__(self) -> int:
        return hash(self._binary)

    def __eq__(self, other: object) -> bool:
        return self._binary == other._binary if isinstance(other, CID) else NotImplemented

    def __lt__(self, other: CID) -> bool:
        return self._binary < other._binary

    @classmethod
    def _of_parts(cls, version: int, codec: int, multihash: bytes, binary: bytes) -> Self:
        """Make a CID of parts that were checked and that belong together."""
        cid = cls.__new__(cls)
        cid.version = version
        cid.codec = codec
        cid.multihash = multihash
        cid._binary = binary
        return cid
