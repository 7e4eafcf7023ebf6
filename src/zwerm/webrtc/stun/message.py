"""STUN messages (RFC 8489 section 5).

Reading checks everything that can be checked without a key: the header, each attribute that is known, and a
FINGERPRINT if there is one. Integrity needs the key, which is looked up by what the message says, so a parsed message
keeps its bytes and is asked later: `message.has_integrity(key)`. Until that was True, nothing in it is proved.
"""

from __future__ import annotations

import dataclasses
import enum
import hmac
import struct
from typing import Final, TypeVar, cast

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.stun.address import MAGIC_COOKIE
from zwerm.webrtc.stun.attributes import (
    COMPREHENSION_OPTIONAL,
    ERROR_CODE,
    KINDS,
    Attribute,
    AttributeKind,
    ErrorCode,
    unknown_kind,
)
from zwerm.webrtc.stun.integrity import (
    SHA1_SIZE,
    SHA256_MINIMUM,
    SHA256_SIZE,
    Integrity,
    fingerprint,
    hmac_sha1,
    hmac_sha256,
)

T = TypeVar("T")

HEADER_SIZE: Final = 20
TRANSACTION_ID_SIZE: Final = 12
MAX_SIZE: Final = HEADER_SIZE + 65_532
MAX_ATTRIBUTES: Final = 128  # no usage needs more; without a limit 64 KiB hold 16,383

_HEADER: Final = struct.Struct("!HH4s12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_MESSAGE_INTEGRITY: Final = 0x0008
_MESSAGE_INTEGRITY_SHA256: Final = 0x001C
_INTEGRITIES: Final = frozenset((_MESSAGE_INTEGRITY, _MESSAGE_INTEGRITY_SHA256))
_FINGERPRINT: Final = 0x8028
_FINGERPRINT_SIZE: Final = 8


class Method(enum.IntEnum):
    """What a message is about (RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1)."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


class MessageClass(enum.IntEnum):
    """RFC 8489 section 5; the value is the two bits between those of the method."""

    REQUEST = 0x000
    INDICATION = 0x010
    SUCCESS = 0x100
    ERROR = 0x110


def _type_number(method: int, message_class: MessageClass) -> int:
    """Weave the bits of the method around those of the class (RFC 8489 figure 3)."""
    return method & 0xF | (method & 0x70) << 1 | (method & 0xF80) << 2 | message_class


# Every message passes here, and a look-up costs a tenth of taking the bits apart and calling two enums.
_METHODS: Final[dict[int, Method]] = {method.value: method for method in Method}
_TYPES: Final = {
    _type_number(method, message_class): (_METHODS.get(method, method), message_class)
    for method in range(0x1000)
    for message_class in MessageClass
}


@dataclasses.dataclass(slots=True)
class Message:
    """One message. `attributes` are in the order of the wire, without integrity and fingerprint.

     0                 2                 4
    +-----------------+-----------------+
    |00|     type     | length, 4 | it  |
    +-----------------+-----------------+
    |       magic cookie 0x2112A442     |
    +-----------------------------------+
    |     transaction ID (12 bytes)     |
    +-----------------------------------+
    """

    method: int  # a `Method` where it is one that we know
    message_class: MessageClass
    transaction_id: bytes
    attributes: list[Attribute] = dataclasses.field(default_factory=list)
    has_fingerprint: bool = dataclasses.field(default=False, compare=False)  # of a parsed message: it was there, right
    data: bytes = dataclasses.field(default=b"", compare=False, repr=False)  # of a parsed message: its bytes
    _sha1_at: int = dataclasses.field(default=0, compare=False, repr=False)  # offset of the attribute; 0: none
    _sha256_at: int = dataclasses.field(default=0, compare=False, repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """Read one whole message, a datagram or what `stream.MessageStream` cut out.

        Attributes after an integrity attribute are left out, as they are not proved by it (RFC 8489 section 14.5).

        Raises:
            WireError: not STUN, damaged, an attribute with a wrong value, a wrong FINGERPRINT or one that is not last.
        """
        size = len(data)
        if size < HEADER_SIZE:
            raise WireError(f"STUN message of {size} bytes, expected at least {HEADER_SIZE}")
        type_number, length, cookie, transaction_id = _HEADER.unpack_from(data)
        if cookie != MAGIC_COOKIE or type_number >= 0x4000:
            raise WireError(f"STUN message begins {data[:8].hex()}, expected two zero bits and the magic cookie")
        if length != size - HEADER_SIZE or length & 3:
            raise WireError(f"STUN message says {length} bytes follow the header, there are {size - HEADER_SIZE}")
        method, message_class = _TYPES[type_number]
        message = cls(method, message_class, transaction_id)
        message.data = data
        message._parse_attributes(data, size)
        return message

    def _parse_attributes(self, data: bytes, size: int) -> None:
        position = HEADER_SIZE
        left = MAX_ATTRIBUTES
        is_sealed = False
        while position < size:  # by at least 4: both are multiples of it
            number, length = _ATTRIBUTE.unpack_from(data, position)
            start = position + 4
            end = start + length
            if end > size or not left:
                raise WireError(f"STUN attribute {number:#06x} of {length} bytes at byte {position} of {size}")
            left -= 1
            kind = KINDS.get(number)
            if number == _FINGERPRINT:
                self._parse_fingerprint(data, position, length)
            elif number in _INTEGRITIES:
                is_sealed = self._note_integrity(number, position, length) or is_sealed
            elif not is_sealed:
                if kind is None:
                    kind = unknown_kind(number)
                self.attributes.append(Attribute(kind, kind.parse(data[start:end], self.transaction_id)))
            position = end + 3 & ~3

    def _parse_fingerprint(self, data: bytes, position: int, length: int) -> None:
        if length != 4 or position + _FINGERPRINT_SIZE != len(data):
            raise WireError("FINGERPRINT is not last, or not 4 bytes")
        if int.from_bytes(data[position + 4 :], "big") != fingerprint(data, position):
            raise WireError("FINGERPRINT does not match")
        self.has_fingerprint = True

    def _note_integrity(self, number: int, position: int, length: int) -> bool:
        if number == _MESSAGE_INTEGRITY:
            if length != SHA1_SIZE:
                raise WireError(f"MESSAGE-INTEGRITY of {length} bytes, expected {SHA1_SIZE}")
            if not self._sha256_at:  # after the stronger one it is out of order, and ignored
                self._sha1_at = self._sha1_at or position
            return True
        if not SHA256_MINIMUM <= length <= SHA256_SIZE or length % 4:
            raise WireError(f"MESSAGE-INTEGRITY-SHA256 of {length} bytes, expected 16 to 32, a multiple of 4")
        self._sha256_at = self._sha256_at or position
        return True

    def serialize(
        self, key: bytes | None = None, *, integrity: Integrity = Integrity.SHA1, fingerprint: bool = True
    ) -> bytes:
        """Write the message, sealed with `key` when there is one.

        Raises:
            LocalProtocolError: an attribute's value does not fit its kind, or the whole is over `MAX_SIZE`.
        """
        transaction_id = self.transaction_id
        if len(transaction_id) != TRANSACTION_ID_SIZE:
            raise LocalProtocolError(f"transaction ID of {len(transaction_id)} bytes, expected {TRANSACTION_ID_SIZE}")
        parts: list[bytes] = []
        for kind, value in self.attributes:
            encoded = kind.serialize(value, transaction_id)
            size = len(encoded)
            if size > MAX_SIZE - HEADER_SIZE:
                raise LocalProtocolError(f"{kind} of {size} bytes, a STUN message takes {MAX_SIZE}")
            parts.append(_ATTRIBUTE.pack(kind.number, size))
            parts.append(encoded)
            if size & 3:
                parts.append(bytes(-size & 3))
        body = b"".join(parts)
        type_number = _type_number(self.method, self.message_class)
        seals = _size_of(integrity) if key is not None else 0
        length = len(body) + seals + _FINGERPRINT_SIZE * fingerprint
        if length > MAX_SIZE - HEADER_SIZE:
            raise LocalProtocolError(f"STUN message of {HEADER_SIZE + length} bytes, the limit is {MAX_SIZE}")
        data = _HEADER.pack(type_number, length, MAGIC_COOKIE, transaction_id) + body
        if key is not None:
            data = _seal(data, key, integrity)
        return _with_fingerprint(data) if fingerprint else data

    def find(self, kind: AttributeKind[T]) -> T | None:
        """The value of the first attribute of that kind, the only one that counts (RFC 8489 section 14); or None."""
        for attribute in self.attributes:
            if attribute[0] is kind:
                return cast("T", attribute[1])
        return None

    def find_all(self, kind: AttributeKind[T]) -> list[T]:
        return [attribute.value for attribute in self.attributes if attribute.kind is kind]

    @property
    def integrity(self) -> Integrity | None:
        """Which integrity attributes a parsed message came with. Whether they are right, only the key can tell."""
        if self._sha1_at:
            return Integrity.BOTH if self._sha256_at else Integrity.SHA1
        return Integrity.SHA256 if self._sha256_at else None

    def has_integrity(self, key: bytes, *, sha256_minimum: int = SHA256_SIZE) -> bool:
        """Whether the strongest integrity attribute that a parsed message carries was made with `key`.

        `sha256_minimum` is for usages that allow a cut HMAC; STUN, ICE and TURN do not (RFC 8489 section 14.6).
        """
        data = self.data
        if self._sha256_at:
            start = self._sha256_at + 4
            size = int.from_bytes(data[start - 2 : start], "big")
            expected = hmac_sha256(data, self._sha256_at, key, size)
            return size >= sha256_minimum and hmac.compare_digest(expected, data[start : start + size])
        if self._sha1_at:
            start = self._sha1_at + 4
            return hmac.compare_digest(hmac_sha1(data, self._sha1_at, key), data[start : start + SHA1_SIZE])
        return False

    def unknown_required(self) -> tuple[int, ...]:
        """Numbers of attributes that one must understand and we do not: a request with some is answered with 420."""
        return tuple(
            kind.number
            for kind, _ in self.attributes
            if kind.number < COMPREHENSION_OPTIONAL and KINDS.get(kind.number) is not kind
        )

    def success(self, *attributes: Attribute) -> Message:
        """The success response to this request."""
        return Message(self.method, MessageClass.SUCCESS, self.transaction_id, list(attributes))

    def error(self, code: int, reason: str, *attributes: Attribute) -> Message:
        """The error response to this request."""
        error = ERROR_CODE(ErrorCode(code, reason))
        return Message(self.method, MessageClass.ERROR, self.transaction_id, [error, *attributes])


def request(method: Method, transaction_id: bytes, *attributes: Attribute) -> Message:
    return Message(method, MessageClass.REQUEST, transaction_id, list(attributes))


def indication(method: Method, transaction_id: bytes, *attributes: Attribute) -> Message:
    return Message(method, MessageClass.INDICATION, transaction_id, list(attributes))


def check_integrity(data: bytes, key: bytes) -> bool:
    """Whether `data` is a STUN message that was sealed with `key`."""
    try:
        return Message.parse(data).has_integrity(key)
    except WireError:
        return False


def is_stun(data: bytes) -> bool:
    """Tell STUN from DTLS, SRTP, QUIC and ChannelData on one port by its first bytes (RFC 7983 section 7)."""
    return len(data) >= HEADER_SIZE and data[0] < 4 and data[4:8] == MAGIC_COOKIE


def _size_of(integrity: Integrity) -> int:
    return {
        Integrity.SHA1: 4 + SHA1_SIZE,
        Integrity.SHA256: 4 + SHA256_SIZE,
        Integrity.BOTH: 8 + SHA1_SIZE + SHA256_SIZE,
    }[integrity]


def _seal(data: bytes, key: bytes, integrity: Integrity) -> bytes:
    if integrity is not Integrity.SHA256:
        data += b"\x00\x08\x00\x14" + hmac_sha1(data, len(data), key)
    if integrity is not Integrity.SHA1:
        data += b"\x00\x1c\x00\x20" + hmac_sha256(data, len(data), key)
    return data


def _with_fingerprint(data: bytes) -> bytes:
    return data + b"\x80\x28\x00\x04" + fingerprint(data, len(data)).to_bytes(4, "big")
