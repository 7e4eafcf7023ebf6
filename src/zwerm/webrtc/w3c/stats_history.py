"""The statistics of a connection over time, and what happened meanwhile: what chrome://webrtc-internals dumps.

Pure: reports and moments come in, a structure for JSON comes out. Everything is a ring, so a connection of a week takes
no more than one of ten minutes. What reads the dumps of browsers reads ours (docs/statistics.md).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from zwerm.webrtc.w3c.stats import RTCStats, RTCStatsReport

MAX_SAMPLES: Final = 600  # ten minutes of one a second
MAX_EVENTS: Final = 1_000  # entries of the log
MAX_VALUE: Final = 65_536  # characters of one entry: a description has a few thousand
MAX_RECORDS: Final = 512  # that are followed at once; of more, those that came last are not

_APART: Final = ("id", "type")  # they name a series, and stay the same


class Entry(NamedTuple):
    """One thing that happened."""

    wall: float  # seconds since 1970
    type: str  # the name of a method or event
    value: str


class Series:
    """One record over time. A member that a report does not have is None there, so that all are of one length."""

    def __init__(self, type: str, size: int) -> None:  # noqa: A002 - the W3C's name
        self.type = type
        self.timestamps: deque[float] = deque(maxlen=size)
        self.members: dict[str, deque[Any]] = {}
        self._size = size

    def add(self, record: RTCStats) -> None:
        """Append what a record says."""
        for name in record:
            if name not in _APART and name not in self.members:
                self.members[name] = deque([None] * len(self.timestamps), maxlen=self._size)
        self.timestamps.append(record["timestamp"])
        for name, values in self.members.items():
            values.append(record.get(name))

    def dump(self, name: str) -> dict[str, Any]:
        """Each member with its values as text, as webrtc-internals writes them."""
        span = {"startTime": _text(self.timestamps[0] / 1_000), "endTime": _text(self.timestamps[-1] / 1_000)}
        return {
            f"{name}-{member}": span | {"statsType": self.type, "values": compact(list(values))}
            for member, values in (*self.members.items(), ("type", [self.type] * len(self.timestamps)))
        }


class StatsHistory:
    """What is kept of one connection."""

    def __init__(
        self, configuration: Mapping[str, Any], *, samples: int = MAX_SAMPLES, events: int = MAX_EVENTS
    ) -> None:
        """`configuration` is shown as it is: it has no secrets in it."""
        self._configuration = configuration
        self._samples = samples
        self._series: dict[str, Series] = {}
        self._log: deque[Entry] = deque(maxlen=events)

    def add(self, report: RTCStatsReport) -> None:
        """Keep a report; records that were of no report for as long as samples are kept are forgotten."""
        newest = max((record["timestamp"] for record in report.values()), default=0.0)
        for name, record in report.items():
            if name not in self._series and len(self._series) >= MAX_RECORDS:
                self._forget_one(newest)
                if len(self._series) >= MAX_RECORDS:
                    continue
            self._series.setdefault(name, Series(record["type"], self._samples)).add(record)

    def log(self, type: str, value: str, wall: float) -> None:  # noqa: A002 - the dump's name
        """Keep that something happened, at seconds since 1970; a long value is cut."""
        self._log.append(Entry(wall, type, value[:MAX_VALUE]))

    def dump(self) -> dict[str, Any]:
        """The part of one connection."""
        stats: dict[str, Any] = {}
        for name, series in self._series.items():
            stats |= series.dump(name)
        return {
            "pid": os.getpid(),
            "rtcConfiguration": compact(dict(self._configuration)),
            "stats": stats,
            "updateLog": [{"type": one.type, "value": one.value, "timestamp": one.wall * 1_000} for one in self._log],
            "url": "",
        }

    def _forget_one(self, newest: float) -> None:
        """Forget the record that has not been seen for longest, if it is not of the present."""
        oldest = min(self._series, key=lambda name: self._series[name].timestamps[-1])
        if self._series[oldest].timestamps[-1] < newest:
            del self._series[oldest]


def dump(histories: Iterable[StatsHistory], user_agent: str, wall: float) -> dict[str, Any]:
    """A whole dump, made at seconds since 1970, as chrome://webrtc-internals writes it; `json.dumps` makes the file."""
    connections = {f"1-{number}": history.dump() for number, history in enumerate(histories, 1)}
    return {
        "timestamp": round(wall * 1_000),
        "getUserMedia": [],
        "PeerConnections": connections,
        "UserAgent": user_agent,
    }


def compact(value: object) -> str:
    """JSON as JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _text(wall: float) -> str:
    """As JavaScript's `toISOString`."""
    return dt.datetime.fromtimestamp(wall, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
