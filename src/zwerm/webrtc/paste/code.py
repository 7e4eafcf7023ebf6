"""What a connection code holds, as bytes: as much of a description as another zwerm cannot know by itself.

Both sides make a code and read the other's; neither is the offer. Each takes the other's code for the answer to its own
offer: who begins DTLS follows from the two fingerprints, and ICE settles who is controlling (RFC 8445 section 7.3.1.1).
The two codes therefore may be carried in any order, or at once.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import uuid
from typing import Final, Self

from zwerm.core.cursor import Cursor
from zwerm.core.errors import LocalProtocolError, WireError

FINGERPRINT_SIZE: Final = 32  # bytes of SHA-256, the only function that codes carry
MAX_CANDIDATES: Final = 8  # a machine with more addresses names the first, so that codes stay short
MIN_UFRAG, MIN_PASSWORD, MAX_TEXT = 4, 22, 63  # RFC 8445 section 5.3; the lower bounds of both, our upper one

_ICE_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 8839 section 5.4
_DIGITS: Final = {character: index for index, character in enumerate(_ICE_CHARACTERS)}


class Kind(enum.IntEnum):
    """How a candidate was found; whoever reads a code prefers them in this order."""

    HOST = 0
    REFLEXIVE = 1
    RELAYED = 2


class Family(enum.IntEnum):
    """How the address of a candidate is written."""

    IPV4 = 0
    IPV6 = 1
    NAME = 2  # a UUID before `.local`, as browsers hide addresses (draft-ietf-mmusic-mdns-ice-candidates)


_SIZES: Final = {Family.IPV4: 4, Family.IPV6: 16, Family.NAME: 16}


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A UDP candidate: where its side may be reached."""

    kind: Kind
    host: str  # an address, or `UUID.local`
    port: int

    @classmethod
    def parse_untrusted(cls, cursor: Cursor) -> Self:
        tag = cursor.uint8()
        try:
            kind, family = Kind(tag >> 4), Family(tag & 15)
        except ValueError:
            raise WireError(f"a candidate of kind {tag:#04x}") from None
        packed = cursor.take(_SIZES[family])
        port = cursor.uint16()
        if not port:
            raise WireError("a candidate with port 0")
        if family is Family.NAME:
            return cls(kind, f"{uuid.UUID(bytes=packed)}.local", port)
        return cls(kind, str(ipaddress.ip_address(packed)), port)

    def serialize(self) -> bytes:
        if self.host.endswith(".local"):
            family, packed = Family.NAME, uuid.UUID(self.host.removesuffix(".local")).bytes
        else:
            address = ipaddress.ip_address(self.host)
            family, packed = (Family.IPV4 if address.version == 4 else Family.IPV6), address.packed
        return bytes([self.kind << 4 | family]) + packed + self.port.to_bytes(2, "big")


@dataclasses.dataclass(frozen=True, slots=True)
class Code:
    """One side of a connection to be.

        +------------+---------------+--------------------+--------------------+
        | ufrag size | password size | both, 6 bits a     | SHA-256 of the     |
        | 1 byte     | 1 byte        | character, padded  | certificate, 32    |
        +------------+---------------+--------------------+--------------------+
        | candidates: kind and family (4 bits each), address (4 or 16), port (2) ...

    The number of candidates follows from the length.
    """

    ufrag: str
    password: str = dataclasses.field(repr=False)
    fingerprint: bytes
    places: tuple[Place, ...]

    def __post_init__(self) -> None:
        """Refuse what no code can say.

        Raises:
            LocalProtocolError: a length or a character that ICE does not allow, or too many candidates.
        """
        if not MIN_UFRAG <= len(self.ufrag) <= MAX_TEXT or not MIN_PASSWORD <= len(self.password) <= MAX_TEXT:
            raise LocalProtocolError(f"a ufrag of {len(self.ufrag)} and a password of {len(self.password)} characters")
        if not set(self.ufrag + self.password) <= _DIGITS.keys():
            raise LocalProtocolError("a character that ICE does not allow")
        if len(self.fingerprint) != FINGERPRINT_SIZE:
            raise LocalProtocolError(f"a fingerprint of {len(self.fingerprint)} bytes, expected {FINGERPRINT_SIZE}")
        if len(self.places) > MAX_CANDIDATES:
            raise LocalProtocolError(f"{len(self.places)} candidates, expected up to {MAX_CANDIDATES}")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the whole of `data`.

        Raises:
            WireError: it is not exactly what `serialize` writes.
        """
        cursor = Cursor(data, "code")
        ufrag_size, password_size = cursor.uint8(), cursor.uint8()
        if max(ufrag_size, password_size) > MAX_TEXT:
            raise WireError(f"a ufrag of {ufrag_size} and a password of {password_size} characters")
        text = _unpack(cursor.take(_packed_size(ufrag_size + password_size)), ufrag_size + password_size)
        fingerprint = cursor.take(FINGERPRINT_SIZE)
        places: list[Place] = []
        while cursor.remaining and len(places) <= MAX_CANDIDATES:
            places.append(Place.parse_untrusted(cursor))
        try:
            return cls(text[:ufrag_size], text[ufrag_size:], fingerprint, tuple(places))
        except LocalProtocolError as error:
            raise WireError(str(error)) from None

    def serialize(self) -> bytes:
        text = self.ufrag + self.password
        return b"".join(
            (
                bytes([len(self.ufrag), len(self.password)]),
                _pack(text),
                self.fingerprint,
                *(place.serialize() for place in self.places),
            )
        )


def _packed_size(characters: int) -> int:
    return (characters * 6 + 7) // 8


def _pack(text: str) -> bytes:
    number = 0
    for character in text:
        number = number << 6 | _DIGITS[character]
    size = _packed_size(len(text))
    return (number << (size * 8 - len(text) * 6)).to_bytes(size, "big")


def _unpack(data: bytes, characters: int) -> str:
    spare = len(data) * 8 - characters * 6
    number = int.from_bytes(data, "big")
    if number & ((1 << spare) - 1):
        raise WireError("bits after the password that are not zero")
    number >>= spare
    return "".join(_ICE_CHARACTERS[number >> 6 * index & 63] for index in reversed(range(characters)))
