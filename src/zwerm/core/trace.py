"""What happened inside a machine, as records that a person, a test or `zwerm internals` reads.

A machine takes `trace: Trace | None = None` and calls it where a reader would want to know why:

    if self._trace:
        self._trace(now, "rto expired", rto=self._rto, outstanding=len(self._sent))

None costs one comparison. A trace sees everything, so its values hold sizes and names, never keys or payload.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeAlias

from zwerm.core.machine import Instant

Value: TypeAlias = str | int | float | bool | bytes | None


class Trace(Protocol):
    """A sink of records. It never raises, and returns soon: machines call it in the middle of things."""

    def __call__(self, now: Instant, name: str, /, **fields: Value) -> None: ...


class Record(NamedTuple):
    """One thing that happened."""

    time: Instant
    source: str  # whose: "alice/sctp"
    name: str  # what, in words: "rto expired"
    fields: dict[str, Value]

    def to_json(self) -> str:
        """One line of JSON; bytes are written in hex."""
        fields = {key: value.hex() if isinstance(value, bytes) else value for key, value in self.fields.items()}
        return json.dumps({"time": self.time, "source": self.source, "name": self.name} | fields)


class Recorder:
    """Keeps the last `limit` records, of many machines in the order they came."""

    __slots__ = ("_records", "forgotten")

    forgotten: int  # records that fell out at the old end

    def __init__(self, limit: int = 10_000) -> None:
        self._records: deque[Record] = deque(maxlen=limit)
        self.forgotten = 0

    def source(self, name: str) -> Trace:
        """Return the trace to give to the machine called `name`."""

        def trace(now: Instant, what: str, /, **fields: Value) -> None:
            self.forgotten += len(self._records) == self._records.maxlen
            self._records.append(Record(now, name, what, fields))

        return trace

    def named(self, name: str) -> list[Record]:
        """The records of one kind, oldest first."""
        return [record for record in self._records if record.name == name]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)
