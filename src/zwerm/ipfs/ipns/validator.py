"""Which records of a name may be believed, and which of several is the newest: what every router asks.

Routers (DHT, pubsub, delegated) know keys and values; this is their `ipns` namespace. Never an older for a newer:
the sequence decides, then the end of life, then the bytes, so that all who have the same records choose the same one
(specs.ipfs.tech, "IPNS Record", "Record Verification").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.name import from_routing_key
from zwerm.ipfs.ipns.record import Record


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
