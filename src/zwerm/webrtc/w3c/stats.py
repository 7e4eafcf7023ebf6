"""RTCStatsReport and the records in it (WebRTC 1.0 section 8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any


class RTCStats(Mapping[str, Any]):
    """One record of W3C webrtc-stats: `stats["bytesSent"]`, or `stats.bytesSent`; what is not known is not in it."""

    __slots__ = ("_members",)

    def __init__(self, type: str, id: str, timestamp: float, /, **members: Any) -> None:  # noqa: A002 - the W3C's names
        """Take what is known; None says that it is not. `timestamp` is milliseconds since 1970."""
        known = {name: value for name, value in members.items() if value is not None}
        self._members = MappingProxyType({"id": id, "timestamp": timestamp, "type": type} | known)

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of copying and pickling, which ask before there are members
            raise AttributeError(name)
        try:
            return self._members[name]
        except KeyError:
            raise AttributeError(f"{self._members['type']} has no {name}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"RTCStats({dict(self._members)!r})"


class RTCStatsReport(Mapping[str, RTCStats]):
    """Records by their ids, which stay the same from report to report."""

    __slots__ = ("_records",)

    def __init__(self, records: Iterable[RTCStats]) -> None:
        self._records = MappingProxyType({record["id"]: record for record in records})

    def of_type(self, type: str) -> list[RTCStats]:  # noqa: A002 - the W3C's name
        """The records of one type, `"candidate-pair"` for example."""
        return [record for record in self._records.values() if record["type"] == type]

    def __getitem__(self, id: str) -> RTCStats:  # noqa: A002
        return self._records[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"RTCStatsReport({list(self._records.values())!r})"
