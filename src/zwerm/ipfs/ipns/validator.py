"""Which records of a name may be believed, and which of several is the newest: what every router asks.

Routers (DHT, pubsub, delegated) know keys and values; this is their `ipns` namespace. Never an older for a newer:
the sequence decides, then the end of life, then the bytes, so that all who have the same records choose the same one
(specs.ipfs.tech, "IPNS Record", "Record Verification").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import timestamp
from zwerm.ipfs.ipns.name import from_routing_key
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.timestamp import SECOND

LIFE: Final = 10 * 365 * 86_400 * SECOND  # nanoseconds; who promises to be right for longer than ten years is not
SEQUENCE: Final = 2**63  # from here on: nobody counts so far, not even in nanoseconds since 1970


def check(name: PeerId, encoded: bytes, now: int) -> Record:
    """Return an untrusted record as one of `name` that is alive.

    Args:
        name: whose it should be.
        encoded: as it came.
        now: nanoseconds since 1970.

    Raises:
        WireError: see `Record`; a RecordRefused or RecordExpired when the form is right.
    """
    record = Record.parse(encoded)
    record.verify(name, now)
    return record


def newest(records: Sequence[Record]) -> Record | None:
    """Return the record to believe; None of none."""
    return max(records, key=lambda record: record.rank, default=None)


def doubt(record: Record, now: int) -> str | None:
    """Return what about a valid record is from the future, in words; None: nothing.

    It counts all the same, since its name's holder signed it: only that one can replace it, with a greater sequence.
    `now`: nanoseconds since 1970.
    """
    if record.sequence >= SEQUENCE:
        return f"an IPNS record with sequence {record.sequence}, expected less than {SEQUENCE}"
    if record.validity > now + LIFE:
        years = LIFE // (365 * 86_400 * SECOND)
        end = timestamp.serialize(record.validity).decode()
        return f"an IPNS record that ends at {end}, expected at most {years} years from now"
    return None


class IpnsValidator:
    """The `ipns` namespace of a router for values. Reads the wall clock it was given."""

    namespace = "ipns"

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` gives nanoseconds since 1970."""
        self._clock = clock

    def validate(self, key: bytes, value: bytes) -> None:
        """Refuse what must not be stored or passed on under `key`. Both are untrusted.

        Raises:
            WireError: no record of that key's, or one past its end of life.
        """
        check(from_routing_key(key), value, self._clock())

    def doubt(self, _key: bytes, value: bytes) -> str | None:
        """Return what is from the future in a valid record, as `doubt` above."""
        return doubt(Record.parse(value), self._clock())

    def select(self, key: bytes, values: Sequence[bytes]) -> int:
        """Return the index of the best of `values`, at least one; invalid ones lose against any other.

        Raises:
            WireError: none is valid.
        """
        name, now = from_routing_key(key), self._clock()
        best: tuple[tuple[int, int, bytes], int] | None = None
        refused: WireError | None = None
        for index, value in enumerate(values):
            try:
                rank = check(name, value, now).rank
            except WireError as error:
                refused = error
                continue
            if best is None or rank > best[0]:
                best = rank, index
        if best is None:
            raise refused or WireError("no record to choose from")
        return best[1]
