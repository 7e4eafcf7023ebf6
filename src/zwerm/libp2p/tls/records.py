"""TLS 1.3 records after the handshake (RFC 8446 section 5), with the secrets that OpenSSL's handshake came to.

OpenSSL's own records pass its buffers, and cost four copies and four calls for each 16 KiB; here they are encrypted in
the buffer that the socket gets, and decrypted where they were received and moved together there. What TLS says of
itself after a handshake is answered here: new keys, tickets (which nobody uses) and alerts. A channel may end without
`close_notify`: the streams inside have ends of their own, so nobody can cut one off unnoticed by ending the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.tls.record_keys import IV_SIZE, RecordKeys

MAX_PLAINTEXT: Final = 16_384  # bytes in a record, RFC 8446 section 5.1
MAX_RECORD: Final = MAX_PLAINTEXT + 256  # bytes behind its header, section 5.2
MAX_KEY_USE: Final = 2**24  # records under one key of ours; section 5.5 allows 2**24.5 with AES-GCM
MAX_IDLE_RECORDS: Final = 32  # in a row that carry no data, as OpenSSL allows
MAX_MESSAGE: Final = 65_536  # bytes of a handshake message, of which tickets are the longest

_HEADER_SIZE: Final = 5
_TAG_SIZE: Final = 16
_OVERHEAD: Final = _HEADER_SIZE + 1 + _TAG_SIZE  # of a record: the byte behind the data says what it is
_ALERT: Final = 21
_HANDSHAKE: Final = 22
_DATA: Final = 23
_HEADER: Final = b"\x17\x03\x03"
_NEW_SESSION_TICKET: Final = 4
_KEY_UPDATE: Final = 24
_CLOSE_NOTIFY: Final = 0
_UNEXPECTED_MESSAGE: Final = 10
_BAD_RECORD_MAC: Final = 20
_RECORD_OVERFLOW: Final = 22
_DECODE_ERROR: Final = 50
_USER_CANCELED: Final = 90
_FATAL: Final = 2
_ALERTS: Final = {  # RFC 8446 section 6
    10: "unexpected message",
    20: "bad record mac",
    22: "record overflow",
    40: "handshake failure",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "certificate revoked",
    45: "certificate expired",
    46: "certificate unknown",
    47: "illegal parameter",
    48: "unknown ca",
    49: "access denied",
    50: "decode error",
    51: "decrypt error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    109: "missing extension",
    110: "unsupported extension",
    116: "certificate required",
    120: "no application protocol",
}


class TlsRecords:
    """Both directions of a connection whose handshake is done."""

    __slots__ = (
        "_cause",
        "_has_ended",
        "_idle",
        "_is_closed",
        "_message",
        "_partial",
        "_receiving",
        "_sending",
        "_to_say",
        "_wants_update",
    )

    def __init__(self, sending: RecordKeys, receiving: RecordKeys) -> None:
        self._sending = sending
        self._receiving = receiving
        self._partial = bytearray()  # the record that is not whole yet, with its header; at most one
        self._message = b""  # the handshake message that is not whole yet
        self._idle = 0  # records in a row without data
        self._wants_update = False  # the peer asks for new keys of ours
        self._to_say = b""  # an alert, encrypted
        self._cause: str | None = None
        self._has_ended = False  # the peer said so
        self._is_closed = False

    def encrypt(self, chunks: Sequence[Buffer]) -> bytes | bytearray:
        size = sum(map(len, chunks))
        if size and self._is_closed:
            raise LocalProtocolError("the TLS channel is closed")
        said, self._to_say = self._to_say, b""
        if (self._wants_update or self._sending.number >= MAX_KEY_USE) and not self._is_closed:
            self._wants_update = False
            said += self._seal_message(_HANDSHAKE, bytes((_KEY_UPDATE, 0, 0, 1, 0)))
            self._sending.update()
        if not size:
            return said
        sending = self._sending
        first = len(said)
        out = bytearray(first + size + -(-size // MAX_PLAINTEXT) * _OVERHEAD)
        out[:first] = said
        room = memoryview(out)
        seal, iv, number = sending.aead.encrypt_into, sending.iv, sending.number
        start = first + _HEADER_SIZE  # of the record's data
        filled, space = 0, min(size, MAX_PLAINTEXT)  # bytes of it
        for chunk in chunks:
            taken, available = 0, len(chunk)
            while taken < available:
                part = min(available - taken, space - filled)
                at = start + filled
                room[at : at + part] = chunk if part == available else memoryview(chunk)[taken : taken + part]
                taken += part
                filled += part
                if filled == space:
                    end = start + space
                    room[end] = _DATA
                    header = _HEADER + (space + 1 + _TAG_SIZE).to_bytes(2, "big")
                    room[start - _HEADER_SIZE : start] = header
                    nonce = (iv ^ number).to_bytes(IV_SIZE, "big")
                    seal(nonce, room[start : end + 1], header, room[start : end + 1 + _TAG_SIZE])
                    number += 1
                    size -= space
                    start += space + _OVERHEAD
                    filled, space = 0, min(size, MAX_PLAINTEXT)
        sending.number = number
        return out

    def decrypt_untrusted(self, data: Buffer) -> list[memoryview]:
        if self._cause is not None:
            raise WireError(self._cause)
        view = memoryview(data)
        if view.readonly:
            view = memoryview(bytearray(view))
        plaintexts: list[memoryview] = []
        position = self._complete_untrusted(view, plaintexts) if self._partial else 0
        position, filled = self._open_all_untrusted(view, position)
        if filled:
            plaintexts.append(view[:filled])
        if position < len(view) and not self._has_ended:
            self._partial = bytearray(view[position:])
        return plaintexts

    def check_end_untrusted(self) -> None:
        if self._cause is not None:
            raise WireError(self._cause)

    def close(self) -> bytes:
        """Return close_notify, once; after a failure the alert that says which."""
        if self._is_closed:
            return b""
        self._is_closed = True
        said, self._to_say = self._to_say, b""
        return said if self._cause is not None else said + self._seal_message(_ALERT, bytes((1, _CLOSE_NOTIFY)))

    def _seal_message(self, content_type: int, message: bytes) -> bytes:
        sending = self._sending
        header = _HEADER + (len(message) + 1 + _TAG_SIZE).to_bytes(2, "big")
        nonce = (sending.iv ^ sending.number).to_bytes(IV_SIZE, "big")
        sending.number += 1
        return header + sending.aead.encrypt(nonce, message + bytes((content_type,)), header)

    def _complete_untrusted(self, view: memoryview, plaintexts: list[memoryview]) -> int:
        """Go on with the record that was begun; return how many bytes of `view` it took."""
        partial = self._partial
        position = 0
        if len(partial) < _HEADER_SIZE:
            position = min(_HEADER_SIZE - len(partial), len(view))
            partial += view[:position]
            if len(partial) < _HEADER_SIZE:
                return position
        missing = _HEADER_SIZE + self._size_untrusted(memoryview(partial), 0) - len(partial)
        part = view[position : position + missing]
        partial += part
        if len(part) == missing:
            self._partial = bytearray()
            whole = memoryview(partial)
            _, filled = self._open_all_untrusted(whole, 0)
            if filled:
                plaintexts.append(whole[:filled])
        return position + len(part)

    def _open_all_untrusted(self, view: memoryview, position: int) -> tuple[int, int]:
        """Open the whole records from `position` on, and move their data to the start of `view`.

        Returns:
            Where the first record begins that is not whole, and how many bytes of data there are.
        """
        end, filled = len(view), 0
        while end - position >= _HEADER_SIZE and not self._has_ended:
            start = position + _HEADER_SIZE
            stop = start + self._size_untrusted(view, position)
            if stop > end:
                break
            size = self._open_untrusted(view, start, stop)
            if size:
                view[filled : filled + size] = view[start : start + size]
                filled += size
            position = stop
        return position, filled

    def _size_untrusted(self, view: memoryview, at: int) -> int:
        """Return how many bytes follow the header at `at`."""
        size = view[at + 3] << 8 | view[at + 4]
        if view[at] != _DATA or view[at + 1] != 3:
            self._fail(
                _UNEXPECTED_MESSAGE, f"{bytes(view[at : at + _HEADER_SIZE]).hex(' ')} where a record is expected"
            )
        if not _TAG_SIZE < size <= MAX_RECORD:
            self._fail(_RECORD_OVERFLOW, f"record with a length of {size} bytes, expected 17 to {MAX_RECORD}")
        return size

    def _open_untrusted(self, view: memoryview, start: int, stop: int) -> int:
        """Open the record between `start` and `stop` in place; return how many bytes of data it has."""
        receiving = self._receiving
        nonce = (receiving.iv ^ receiving.number).to_bytes(IV_SIZE, "big")
        size = stop - start - _TAG_SIZE
        try:
            receiving.aead.decrypt_into(
                nonce, view[start:stop], view[start - _HEADER_SIZE : start], view[start : start + size]
            )
        except InvalidTag:
            self._fail(_BAD_RECORD_MAC, "a record is forged, damaged, replayed or out of order")
        receiving.number += 1
        content_type = view[start + size - 1]
        if not content_type:  # padding, RFC 8446 section 5.4
            size = len(bytes(view[start : start + size]).rstrip(b"\0"))
            content_type = view[start + size - 1] if size else 0
        size -= 1
        if size > MAX_PLAINTEXT:
            self._fail(_RECORD_OVERFLOW, f"record with a length of {size} bytes, expected at most {MAX_PLAINTEXT}")
        if content_type == _DATA and size and not self._message:
            self._idle = 0
            return size
        self._idle += 1
        if self._idle > MAX_IDLE_RECORDS:
            self._fail(_UNEXPECTED_MESSAGE, f"{self._idle} records in a row without data")
        if content_type == _ALERT:
            self._receive_alert_untrusted(bytes(view[start : start + size]))
        elif content_type == _HANDSHAKE and size > 0:
            self._receive_messages_untrusted(bytes(view[start : start + size]))
        elif content_type != _DATA or self._message:
            self._fail(_UNEXPECTED_MESSAGE, f"record of type {content_type}, out of place")
        return 0

    def _receive_alert_untrusted(self, alert: bytes) -> None:
        if len(alert) != 2:
            self._fail(_DECODE_ERROR, f"alert of {len(alert)} bytes, expected 2")
        if alert[1] == _CLOSE_NOTIFY:
            self._has_ended = True  # RFC 8446 section 6.1: what follows close_notify is ignored
        elif alert[1] != _USER_CANCELED:
            self._cause = f"TLS: the peer gave up (alert {_ALERTS.get(alert[1], alert[1])})"
            raise WireError(self._cause)

    def _receive_messages_untrusted(self, data: bytes) -> None:
        """Take part of the handshake messages that come after a handshake, RFC 8446 section 4.6."""
        data = self._message + data
        while len(data) >= 4:
            kind, size = data[0], int.from_bytes(data[1:4], "big")
            if size > MAX_MESSAGE or kind not in (_NEW_SESSION_TICKET, _KEY_UPDATE):
                self._fail(_UNEXPECTED_MESSAGE, f"handshake message {kind} of {size} bytes, expected a ticket or a key")
            if len(data) - 4 < size:
                break
            body, data = data[4 : 4 + size], data[4 + size :]
            if kind == _KEY_UPDATE:
                if body not in (b"\0", b"\1") or data:
                    self._fail(_UNEXPECTED_MESSAGE, f"key update {body[:8].hex()} and {len(data)} bytes behind it")
                self._receiving.update()
                self._wants_update |= body == b"\1"
        self._message = data

    def _fail(self, alert: int, what: str) -> None:
        """Tell the peer and the caller, once and for all."""
        self._cause = f"TLS: {what}"
        if not self._is_closed:
            self._to_say += self._seal_message(_ALERT, bytes((_FATAL, alert)))
        raise WireError(self._cause)
