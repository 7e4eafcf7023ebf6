"""Flights: what OpenSSL wrote, numbered anew, and sent again until the peer answers (RFC 6347 section 4.2.4).

OpenSSL's timer counts seconds of the wall clock and cannot be told the time, so it is not used. A flight is kept here
and sent again when the connection's timer says so, each time under new record sequence numbers, as the RFC wants it and
as replay windows need it. Records of epoch 0 are not protected and are given another number in place. The one record of
epoch 1 in a flight that waits for an answer is a client's Finished: its plaintext is sealed again, under numbers that
OpenSSL is made to leave out afterwards (`Handshake.skip`).

What OpenSSL itself sends again, when a call happens to come after its timer has run out, is recognized by the number of
a message that was sent before, and dropped.
"""

from __future__ import annotations

from zwerm.webrtc.dtls.record import HANDSHAKE_HEADER_SIZE, ContentType, Record, pack, parse_datagram
from zwerm.webrtc.dtls.records import Sealer, explicit_nonce, unseal
from zwerm.webrtc.dtls.suite import DirectionKeys, Suite


class Flights:
    """Everything that OpenSSL writes passes here."""

    def __init__(self, mtu: int) -> None:
        self.sealer: Sealer | None = None
        self.first_protected: Record | None = None  # the first record of epoch 1 that OpenSSL wrote
        self.protected_sequence = -1  # the last of epoch 1 that OpenSSL wrote
        self._mtu = mtu
        self._sequence = 0  # of the next record of epoch 0
        self._message_sequence = -1  # the highest message number sent
        self._flight: list[Record] = []
        self._keys: tuple[Suite, DirectionKeys] | None = None

    def take(self, output: bytes) -> list[bytes]:
        """Take records that OpenSSL wrote in one go; return datagrams to send.

        A burst with a new handshake message is a new flight, which `resend` repeats from now on.
        """
        records = list(parse_datagram(output))
        for record in records:
            if record.epoch > 0:
                self.first_protected = self.first_protected or record
                self.protected_sequence = max(self.protected_sequence, record.sequence)
        numbers = [number for record in records if (number := _message_sequence(record)) is not None]
        if numbers and min(numbers) <= self._message_sequence:
            records = [record for record in records if record.content_type is ContentType.ALERT]
        elif numbers:
            self._message_sequence = max(numbers)
            self._flight = records
        return list(pack(map(self._numbered, records), self._mtu))

    def protect(self, suite: Suite, keys: DirectionKeys) -> Sealer:
        """Be told the keys that we write with. OpenSSL has written a record with them."""
        nonce = 0 if self.first_protected is None else explicit_nonce(self.first_protected.fragment)
        self._keys = suite, keys
        self.sealer = Sealer(suite, keys, sequence=self.protected_sequence + 1, first_nonce=nonce)
        return self.sealer

    @property
    def is_waiting(self) -> bool:
        """Whether there is a flight to repeat."""
        return bool(self._flight)

    def resend(self) -> list[bytes]:
        """The current flight under new numbers; datagrams."""
        records = [sent for record in self._flight if (sent := self._numbered(record, again=True))]
        return list(pack(records, self._mtu))

    def finish(self) -> None:
        """The handshake is over: nothing is repeated by us."""
        self._flight = []

    def _numbered(self, record: Record, *, again: bool = False) -> bytes:
        if record.epoch == 0:
            self._sequence += 1
            return record._replace(sequence=self._sequence - 1).serialize()
        if self.sealer is None:
            return b"" if again else record.serialize()
        if record.sequence >= self.sealer.sequence:  # a number that we have not used, and now will not
            self.sealer.sequence = record.sequence + 1
            return record.serialize()
        plaintext = None if self._keys is None else unseal(*self._keys, record)
        return b"" if plaintext is None else self.sealer.seal(record.content_type, plaintext)


def _message_sequence(record: Record) -> int | None:
    """The number of the handshake message in a record; None where there is none, or it cannot be read."""
    if record.epoch > 0 or record.content_type is not ContentType.HANDSHAKE:
        return None
    is_whole = len(record.fragment) >= HANDSHAKE_HEADER_SIZE
    return int.from_bytes(record.fragment[4:6], "big") if is_whole else None
