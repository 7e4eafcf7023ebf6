"""Noise records after the handshake (libp2p specs, "noise/README.md", "Wire Format"): a length, a ciphertext, its tag.

The hot path of every TCP connection. Many records go in and out in one call; what is sent is copied once, into the
buffer that the socket gets, and encrypted there. What is received is decrypted where it was received when it is small,
and into bytes of its own when it is large, which a stream then keeps without copying them. Only a record that two reads
share is put together elsewhere first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.noise.pattern import MAX_NONCE, TAG_SIZE, nonce
from zwerm.libp2p.secure import Buffer

LENGTH_SIZE: Final = 2
MAX_RECORD: Final = 65_535  # bytes of ciphertext and tag
MAX_PLAINTEXT: Final = MAX_RECORD - TAG_SIZE

_OVERHEAD: Final = LENGTH_SIZE + TAG_SIZE
_LARGE: Final = 16_384  # bytes of a record from which its plaintext is made apart


class NoiseRecords:
    """Both directions. The records of one direction are numbered, so none can be left out, moved or repeated."""

    __slots__ = ("_cause", "_is_closed", "_opener", "_partial", "_received", "_sealer", "_sent")

    def __init__(self, send_key: bytes, receive_key: bytes) -> None:
        self._sealer = ChaCha20Poly1305(send_key)
        self._opener = ChaCha20Poly1305(receive_key)
        self._sent = self._received = 0  # records
        self._partial = bytearray()  # the record that is not whole yet, with its length; at most one
        self._cause: str | None = None
        self._is_closed = False

    def encrypt(self, chunks: Sequence[Buffer]) -> bytes | bytearray:
        size = sum(map(len, chunks))
        if not size:
            return b""
        records = -(-size // MAX_PLAINTEXT)
        if self._is_closed:
            raise LocalProtocolError("the noise channel is closed")
        if self._sent + records > MAX_NONCE:
            raise LocalProtocolError(f"the noise channel has sent {self._sent} records, the last that its key allows")
        out = bytearray(size + records * _OVERHEAD)
        room = memoryview(out)
        seal, sent = self._sealer.encrypt_into, self._sent
        start = LENGTH_SIZE  # of the record's ciphertext
        filled = 0  # bytes of plaintext in it
        space = min(size, MAX_PLAINTEXT)  # bytes it will hold
        for chunk in chunks:
            taken, available = 0, len(chunk)
            while taken < available:
                part = min(available - taken, space - filled)
                at = start + filled
                room[at : at + part] = chunk if part == available else memoryview(chunk)[taken : taken + part]
                taken += part
                filled += part
                if filled == space:
                    record = room[start : start + space + TAG_SIZE]
                    room[start - LENGTH_SIZE] = len(record) >> 8
                    room[start - LENGTH_SIZE + 1] = len(record) & 0xFF
                    seal(nonce(sent), record[:space], None, record)
                    sent += 1
                    size -= space
                    start += space + _OVERHEAD
                    filled, space = 0, min(size, MAX_PLAINTEXT)
        self._sent = sent
        return out

    def decrypt_untrusted(self, data: Buffer) -> list[memoryview]:
        if self._cause is not None:
            raise WireError(self._cause)
        view = memoryview(data)
        if view.readonly:
            view = memoryview(bytearray(view))
        plaintexts: list[memoryview] = []
        position = self._complete_untrusted(view, plaintexts) if self._partial else 0
        end = len(view)
        while end - position >= LENGTH_SIZE:
            start = position + LENGTH_SIZE
            stop = start + (view[position] << 8 | view[position + 1])
            if stop > end:
                break
            self._open_untrusted(view[start:stop], plaintexts)
            position = stop
        if position < end:
            self._partial = bytearray(view[position:])
        return plaintexts

    def check_end_untrusted(self) -> None:
        if self._cause is None and self._partial:
            self._cause = f"the peer stopped within noise record {self._received}, {len(self._partial)} bytes of it"
        if self._cause is not None:
            raise WireError(self._cause)

    def close(self) -> bytes:
        """Return nothing: noise says no farewell. The muxer does, inside."""
        self._is_closed = True
        return b""

    def _complete_untrusted(self, view: memoryview, plaintexts: list[memoryview]) -> int:
        """Go on with the record that was begun; return how many bytes of `view` it took."""
        partial, position = self._partial, 0
        if len(partial) < LENGTH_SIZE:
            position = min(LENGTH_SIZE - len(partial), len(view))
            partial += view[:position]
            if len(partial) < LENGTH_SIZE:
                return position
        missing = LENGTH_SIZE + (partial[0] << 8 | partial[1]) - len(partial)
        part = view[position : position + missing]
        partial += part
        if len(part) == missing:
            self._partial = bytearray()
            self._open_untrusted(memoryview(partial)[LENGTH_SIZE:], plaintexts)
        return position + len(part)

    def _open_untrusted(self, record: memoryview, plaintexts: list[memoryview]) -> None:
        size = len(record) - TAG_SIZE
        if size < 0:
            self._cause = f"noise record {self._received} of {len(record)} bytes, expected at least {TAG_SIZE}"
        elif self._received >= MAX_NONCE:
            self._cause = "the peer sent more noise records than its key allows"
        if self._cause is not None:
            raise WireError(self._cause)
        plaintext = record[:size]
        try:
            if size >= _LARGE:
                plaintext = memoryview(self._opener.decrypt(nonce(self._received), record, None))
            else:
                self._opener.decrypt_into(nonce(self._received), record, None, plaintext)
        except InvalidTag:
            self._cause = f"noise record {self._received} is forged, damaged, replayed or out of order"
            raise WireError(self._cause) from None
        self._received += 1
        if size:
            plaintexts.append(plaintext)
