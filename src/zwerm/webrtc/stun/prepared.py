"""A message that is sent, or comes, again and again with nothing new in it but its transaction ID.

ICE asks for consent every few seconds (RFC 7675), in the same words: the header, the attributes and the key stay, so
that only MESSAGE-INTEGRITY and FINGERPRINT are made anew, and a message that came is known by its bytes. Nothing is
taken on trust: what matches was sealed with the key, as one that is parsed would have to be.
"""

from __future__ import annotations

import hmac
import zlib
from typing import Final

from zwerm.webrtc.stun.integrity import FINGERPRINT_MASK, SHA1_SIZE, SHA1Key
from zwerm.webrtc.stun.message import HEADER_SIZE

_INTEGRITY: Final = b"\x00\x08\x00\x14"  # MESSAGE-INTEGRITY and its size
_FINGERPRINT: Final = b"\x80\x28\x00\x04"
_SEALS: Final = 4 + SHA1_SIZE + 8  # bytes of the two at the end
_XOR_MAPPED_ADDRESS_IPV6: Final = b"\x00\x20\x00\x14\x00\x02"  # its last 12 bytes hide behind the transaction ID
_SMALLEST: Final = HEADER_SIZE + _SEALS


class Prepared:
    """One message but for its transaction ID."""

    __slots__ = ("_body", "_head", "_hidden_at", "_key", "_sealed_head", "_size")

    def __init__(self, message: bytes, key: SHA1Key) -> None:
        """Take a message that was checked to be STUN. One that `is_usual` does not fit is never matched."""
        self._key = key
        self._size = len(message)
        self._head = message[:8]
        length = self._size - 8 - HEADER_SIZE  # as far as MESSAGE-INTEGRITY counts it
        self._sealed_head = message[:2] + length.to_bytes(2, "big") + message[4:8]
        self._body = message[HEADER_SIZE:-_SEALS]
        self._hidden_at = _hidden_part(self._body)
        if self._hidden_at:
            self._body = self._turned(self._body, message[8:HEADER_SIZE])

    def serialize(self, transaction_id: bytes) -> bytes:
        """Write it with this transaction ID."""
        body = self._turned(self._body, transaction_id) if self._hidden_at else self._body
        seal = self._key.digest(self._sealed_head + transaction_id + body)
        message = b"".join((self._head, transaction_id, body, _INTEGRITY, seal))
        return b"".join((message, _FINGERPRINT, (zlib.crc32(message) ^ FINGERPRINT_MASK).to_bytes(4, "big")))

    def matches(self, data: bytes) -> bool:
        """Whether `data` is this message with another transaction ID, sealed with the key."""
        if len(data) != self._size or data[:8] != self._head:
            return False
        body = data[HEADER_SIZE:-_SEALS]
        known = self._turned(self._body, data[8:HEADER_SIZE]) if self._hidden_at else self._body
        if body != known or data[-_SEALS : -_SEALS + 4] != _INTEGRITY or data[-8:-4] != _FINGERPRINT:
            return False
        if int.from_bytes(data[-4:], "big") != zlib.crc32(data[:-8]) ^ FINGERPRINT_MASK:
            return False
        seal = self._key.digest(self._sealed_head + data[8:HEADER_SIZE] + body)
        return hmac.compare_digest(seal, data[-8 - SHA1_SIZE : -8])

    def _turned(self, body: bytes, transaction_id: bytes) -> bytes:
        """Lay the transaction ID over the hidden part; twice is once too many."""
        start, end = self._hidden_at, self._hidden_at + len(transaction_id)
        hidden = int.from_bytes(body[start:end], "big") ^ int.from_bytes(transaction_id, "big")
        return body[:start] + hidden.to_bytes(end - start, "big") + body[end:]


def is_usual(message: bytes) -> bool:
    """Whether a message ends as those of ICE do, with the two seals, and can be prepared."""
    return len(message) >= _SMALLEST and message[-_SEALS : -_SEALS + 4] == _INTEGRITY and message[-8:-4] == _FINGERPRINT


def _hidden_part(body: bytes) -> int:
    """Where in the attributes an IPv6 address hides behind the transaction ID; 0: nowhere."""
    position = 0
    while position + 4 <= len(body):
        if body[position : position + 6] == _XOR_MAPPED_ADDRESS_IPV6 and position + 24 <= len(body):
            return position + 12
        position += 4 + (int.from_bytes(body[position + 2 : position + 4], "big") + 3 & ~3)
    return 0
