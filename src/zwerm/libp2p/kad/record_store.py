"""Records that others put here (ipfs specs, "Value Storage and Retrieval"): valid ones only, none for a newer one.

Limits: bytes of all, of one, and keys that one peer may have put. A record holds 48 hours after it was put last.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.validator import Namespaces


class OlderRecord(RemoteProtocolError):
    """A better record is here already."""


class _Stored(NamedTuple):
    value: bytes
    put_by: PeerId
    expiry: Instant


class RecordStore:
    """Records by key."""

    def __init__(self, config: KadConfig, validators: Namespaces) -> None:
        self._config = config
        self._validators = validators
        self._records: dict[bytes, _Stored] = {}  # the one put last stands last
        self._counts: Counter[PeerId] = Counter()
        self._size = 0

    def __len__(self) -> int:
        return len(self._records)

    def put(self, key: bytes, value: bytes, sender: PeerId, now: Instant) -> None:
        """Keep an untrusted record.

        Raises:
            WireError: not valid.
            OlderRecord: see there.
            ResourceLimitError: a limit is reached. Nothing was changed in any of these cases.
        """
        if len(value) > self._config.max_record_size:
            raise WireError(f"record of {len(value)} bytes, expected at most {self._config.max_record_size}")
        self._validators.validate(key, value)
        self._sweep(now)
        known = self._records.get(key)
        if known is not None and self._is_valid(key, known, now):
            if self._validators.is_better(key, known.value, value):
                raise OlderRecord(f"a better record of {key[:64]!r} is here")
            sender = known.put_by  # who brings a record up to date does not take it over
        elif self._counts[sender] >= self._config.max_records_per_peer:
            limit = self._config.max_records_per_peer
            raise ResourceLimitError(f"{limit + 1} records of one peer, the limit is {limit}")
        growth = len(key) + len(value) - (len(key) + len(known.value) if known else 0)
        if self._size + growth > self._config.max_record_bytes:
            raise ResourceLimitError(
                f"{self._size + growth} bytes of records, the limit is {self._config.max_record_bytes}"
            )
        if known is not None:
            self._forget(key)
        self._records[key] = _Stored(value, sender, now + self._config.record_validity)
        self._counts[sender] += 1
        self._size += len(key) + len(value)

    def doubt(self, key: bytes, value: bytes) -> str | None:
        """Return what is odd about a valid record, in words."""
        return self._validators.doubt(key, value)

    def find(self, key: bytes, now: Instant) -> bytes | None:
        """Return the record, unless it has expired or is not valid any more."""
        stored = self._records.get(key)
        if stored is None or not self._is_valid(key, stored, now):
            return None
        return stored.value

    def _is_valid(self, key: bytes, stored: _Stored, now: Instant) -> bool:
        if stored.expiry <= now:
            return False
        try:
            self._validators.validate(key, stored.value)
        except WireError:
            return False
        return True

    def _sweep(self, now: Instant) -> None:
        while self._records:
            key = next(iter(self._records))
            if self._records[key].expiry > now:
                return
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        stored = self._records.pop(key)
        self._size -= len(key) + len(stored.value)
        self._counts[stored.put_by] -= 1
        if not self._counts[stored.put_by]:
            del self._counts[stored.put_by]
