"""Protecting records ourselves: AEAD, sequence numbers, nonces, replay (RFC 6347 section 4.1, RFC 5288, RFC 7905).

OpenSSL costs 8 to 9 microseconds a record through its Python binding, most of it not cryptography; the AEAD of
`cryptography` does it in one. `docs/dtls.md` says when these objects may stand in for OpenSSL, and proves that the
nonces of the two never meet: OpenSSL counts its explicit nonces up from where it began, we count ours up from the
opposite point of the 64-bit circle.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from zwerm.core.errors import ResourceLimitError
from zwerm.webrtc.dtls.record import DTLS_1_2, HEADER_SIZE, MAX_SEQUENCE, ContentType, Record
from zwerm.webrtc.dtls.replay import ReplayWindow
from zwerm.webrtc.dtls.suite import DirectionKeys, Suite

EPOCH: Final = 1  # of everything after the one handshake; renegotiation is refused, so there is no other
MAX_RUN: Final = 64  # datagrams of one system call, the kernel's own limit for UDP_SEGMENT
MAX_RUN_SIZE: Final = 65_000  # bytes of them, below the largest UDP payload
OPPOSITE: Final = 1 << 63  # half the circle of 64-bit nonces
MAX_PLAINTEXT: Final = 16_384  # RFC 5246 section 6.2.1

_HEADER: Final = struct.Struct(">BHQH")  # type, version, epoch and sequence number in one, length
_GCM_HEADER: Final = struct.Struct(">BHQHQ")  # the same and the explicit nonce
_ADDITIONAL: Final = struct.Struct(">QBHH")  # RFC 5246 section 6.2.3.3: number, type, version, length of the plaintext
_GCM_NONCE: Final = struct.Struct(">4sQ")
# To look these up costs as much as they do.
_pack_gcm_header: Final = _GCM_HEADER.pack
_pack_nonce: Final = _GCM_NONCE.pack
_pack_additional: Final = _ADDITIONAL.pack
_unpack_header_from: Final = _HEADER.unpack_from
_EPOCH_BITS: Final = EPOCH << 48
_APPLICATION_DATA: Final = int(ContentType.APPLICATION_DATA)
_CIRCLE: Final = (1 << 64) - 1


class Run(NamedTuple):
    """Datagrams for one system call: all of `segment_size` bytes but the last, which may be shorter."""

    data: bytes
    segment_size: int | None  # None: one datagram


class Other(NamedTuple):
    """A genuine record that is not application data."""

    content_type: int
    plaintext: bytes
    position: int  # payloads that came before it


class Sealer:
    """Writes the records of one side, one record a datagram.

    Invariants: no two records have the same sequence number; with AES-GCM no two have the same explicit nonce, and none
    has one that OpenSSL used, as long as `first_nonce` is the first that OpenSSL used and it counts up from there.
    """

    __slots__ = ("_encrypt", "_fixed_iv", "_is_gcm", "_nonce", "_overhead", "sequence", "suite")

    def __init__(self, suite: Suite, keys: DirectionKeys, *, sequence: int, first_nonce: int) -> None:
        """Start at record `sequence`; `first_nonce` matters for AES-GCM only."""
        self.suite = suite
        self.sequence = sequence  # of the next record
        self._encrypt: Callable[[bytes, bytes, bytes], bytes] = suite.aead(keys.key).encrypt
        self._fixed_iv = keys.fixed_iv
        self._is_gcm = suite.explicit_nonce_size > 0
        self._overhead: int = suite.overhead
        self._nonce = (first_nonce + OPPOSITE) & _CIRCLE  # of the next record

    def seal(self, content_type: ContentType, fragment: bytes) -> bytes:
        """Protect one fragment.

        Raises:
            ResourceLimitError: every sequence number was used; the connection has to be closed.
        """
        self._reserve(1)
        number = _EPOCH_BITS | self.sequence
        self.sequence += 1
        additional = _ADDITIONAL.pack(number, content_type, DTLS_1_2, len(fragment))
        length = len(fragment) + self._overhead
        if self._is_gcm:
            nonce = self._nonce
            self._nonce = (nonce + 1) & _CIRCLE
            header = _GCM_HEADER.pack(content_type, DTLS_1_2, number, length, nonce)
            return header + self._encrypt(_GCM_NONCE.pack(self._fixed_iv, nonce), fragment, additional)
        header = _HEADER.pack(content_type, DTLS_1_2, number, length)
        return header + self._encrypt(_counted_nonce(self._fixed_iv, number), fragment, additional)

    def seal_batch(self, payloads: Sequence[bytes]) -> list[Run]:
        """Protect application data with AES-GCM, payloads of one size in one run.

        Raises:
            ResourceLimitError: the sequence numbers do not last for all; nothing was changed.
        """
        self._reserve(len(payloads))
        runs: list[Run] = []
        parts: list[bytes] = []
        number, nonce, fixed_iv = _EPOCH_BITS | self.sequence, self._nonce, self._fixed_iv
        encrypt, overhead = self._encrypt, self._overhead
        run_size = room = 0  # payload bytes of the run's first; how many more may join it
        for payload in payloads:
            size = len(payload)
            if not room or size > run_size:
                if parts:
                    runs.append(_run(parts, run_size + overhead))
                    parts = []
                run_size = size
                room = min(MAX_RUN, MAX_RUN_SIZE // (size + overhead + HEADER_SIZE))
            room = room - 1 if size == run_size else 0  # a shorter one ends the run
            parts.append(_pack_gcm_header(_APPLICATION_DATA, DTLS_1_2, number, size + overhead, nonce))
            additional = _pack_additional(number, _APPLICATION_DATA, DTLS_1_2, size)
            parts.append(encrypt(_pack_nonce(fixed_iv, nonce), payload, additional))
            number += 1
            nonce = (nonce + 1) & _CIRCLE
        if parts:
            runs.append(_run(parts, run_size + overhead))
        self.sequence, self._nonce = number - _EPOCH_BITS, nonce
        return runs

    def _reserve(self, count: int) -> None:
        if self.sequence + count > MAX_SEQUENCE:
            raise ResourceLimitError(f"{self.sequence} records written, DTLS counts to {MAX_SEQUENCE}")


def _run(parts: list[bytes], fragment_size: int) -> Run:
    return Run(b"".join(parts), fragment_size + HEADER_SIZE if len(parts) > 2 else None)


def _counted_nonce(fixed_iv: bytes, number: int) -> bytes:
    """RFC 7905 section 2: the number, padded on the left, XORed into the fixed part."""
    return (int.from_bytes(fixed_iv, "big") ^ number).to_bytes(12, "big")


class Opener:
    """Reads the records of one side. What is no genuine record is dropped and counted, and changes nothing else."""

    __slots__ = ("_decrypt", "_fixed_iv", "_is_gcm", "_overhead", "forged", "replayed", "strange", "window")

    def __init__(self, suite: Suite, keys: DirectionKeys) -> None:
        self.window = ReplayWindow()
        self.forged = 0  # records that did not decrypt
        self.replayed = 0  # records that were seen before, or are older than the window
        self.strange = 0  # records of another epoch or version, cut short or too long
        self._decrypt: Callable[[bytes, bytes, bytes], bytes] = suite.aead(keys.key).decrypt
        self._fixed_iv = keys.fixed_iv
        self._is_gcm = suite.explicit_nonce_size > 0
        self._overhead: int = suite.overhead

    def open_datagrams(self, datagrams: Iterable[bytes], payloads: list[bytes]) -> list[Other]:
        """Open every record of untrusted datagrams.

        Appends the application data to `payloads`, in the order it came, and returns the rest.
        """
        others: list[Other] = []
        header_size, overhead = HEADER_SIZE, self._overhead
        for datagram in datagrams:
            size = len(datagram)
            offset = 0
            while size - offset >= header_size:
                content_type, version, number, length = _unpack_header_from(datagram, offset)
                start = offset + header_size
                offset = start + length
                if offset > size or length < overhead or version != DTLS_1_2:
                    self.strange += 1
                    break
                plaintext = self.open_record(content_type, number, datagram[start:offset])
                if not plaintext:  # not genuine; or empty, which carries nothing
                    continue
                if content_type == _APPLICATION_DATA:
                    payloads.append(plaintext)
                else:
                    others.append(Other(content_type, plaintext, len(payloads)))
        return others

    def open_record(self, content_type: int, number: int, fragment: bytes) -> bytes | None:
        """Open one untrusted record; None when it is not genuine or not new.

        `number` is epoch and sequence number in one; `fragment` has at least the size of the overhead.
        """
        sequence = number - _EPOCH_BITS
        size = len(fragment) - self._overhead
        if not 0 <= sequence <= MAX_SEQUENCE or size > MAX_PLAINTEXT:
            self.strange += 1
            return None
        window = self.window
        if not window.is_new(sequence):
            self.replayed += 1
            return None
        additional = _pack_additional(number, content_type, DTLS_1_2, size)
        try:
            if self._is_gcm:
                plaintext = self._decrypt(self._fixed_iv + fragment[:8], fragment[8:], additional)
            else:
                plaintext = self._decrypt(_counted_nonce(self._fixed_iv, number), fragment, additional)
        except InvalidTag:
            self.forged += 1
            return None
        window.mark(sequence)
        return plaintext


def unseal(suite: Suite, keys: DirectionKeys, record: Record) -> bytes | None:
    """Open one record by itself, whatever was opened before; None when the keys are not its."""
    if len(record.fragment) < suite.overhead:
        return None
    number = record.epoch << 48 | record.sequence
    return Opener(suite, keys).open_record(record.content_type, number, record.fragment)


def explicit_nonce(fragment: bytes) -> int:
    """The nonce that stands in a record of AES-GCM; of other suites, bytes that mean nothing."""
    return int.from_bytes(fragment[:8], "big")


def group(records: Iterable[bytes]) -> list[Run]:
    """Join records that are ready, one a datagram, into runs of one size."""
    runs: list[Run] = []
    joined: list[bytes] = []
    for record in records:
        size = len(joined[0]) if joined else 0
        is_full = len(joined) == MAX_RUN or (len(joined) + 1) * size > MAX_RUN_SIZE
        if joined and (is_full or len(record) > size or len(joined[-1]) < size):
            runs.append(Run(b"".join(joined), size if len(joined) > 1 else None))
            joined = []
        joined.append(record)
    if joined:
        runs.append(Run(b"".join(joined), len(joined[0]) if len(joined) > 1 else None))
    return runs
