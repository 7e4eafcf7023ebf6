"""Numbers about the process and the node in Prometheus' text format (prometheus.io, "Text-based format" 0.0.4).

Counters are kept here; what the node knows anyway (blocks, bytes) is asked for when somebody scrapes.
"""

from __future__ import annotations

import os
import resource
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.turn import numbers as turn_numbers

if TYPE_CHECKING:
    from zwerm.node.node import Node

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)  # seconds


class Sample(NamedTuple):
    """One number."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""  # of the name: `_bucket`, `_sum`, `_count`


class Metrics:
    """The counters of one daemon."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._started = time.time()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._buckets: dict[str, list[int]] = {}

    @property
    def requests(self) -> int:
        """Answered HTTP requests so far."""
        return self._requests.total()

    def observe(self, listener: str, exchange: Exchange, seconds: float) -> None:
        """Count one answered request."""
        self._requests[listener, exchange.status] += 1
        self._seconds[listener] += seconds  # type: ignore[assignment]  # a Counter of floats works as well
        buckets = self._buckets.setdefault(listener, [0] * (len(_BUCKETS) + 1))
        buckets[bisect_left(_BUCKETS, seconds)] += 1

    def render(self, storage: Mapping[str, float]) -> bytes:
        """Return the page; `storage` holds the node's own numbers by name without prefix."""
        lines: list[str] = []
        for name, kind, help_text, samples in self._families(storage):
            lines.append(f"# HELP {name} {help_text}")
            lines.append(f"# TYPE {name} {kind}")
            for labels, value, suffix in samples:
                text = ",".join(f'{key}="{_escape(label)}"' for key, label in labels.items())
                lines.append(f"{name}{suffix}{{{text}}} {value:.16g}" if text else f"{name}{suffix} {value:.16g}")
        return "\n".join(lines).encode() + b"\n"

    def _families(self, storage: Mapping[str, float]) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
        import zwerm

        info = {"version": zwerm.__version__, "peer_id": str(self._node.identity)}
        yield "zwerm_info", "gauge", "What is running.", [Sample(info, 1)]
        yield (
            "zwerm_http_requests_total",
            "counter",
            "Answered HTTP requests.",
            [
                Sample({"listener": listener, "status": str(status)}, count)
                for (listener, status), count in sorted(self._requests.items())
            ],
        )
        yield "zwerm_http_request_seconds", "histogram", "Time to answer an HTTP request.", self._histogram()
        for name, value in storage.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            yield f"zwerm_{name}", kind, _STORAGE_HELP.get(name, "Of the node."), [Sample({}, value)]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        process = (
            ("start_time_seconds", "gauge", "Start of the process since 1970.", self._started),
            ("cpu_seconds_total", "counter", "CPU time used.", usage.ru_utime + usage.ru_stime),
            ("resident_memory_bytes", "gauge", "Memory in RAM.", _resident()),
            ("open_fds", "gauge", "Open file descriptors.", _descriptors()),
        )
        for name, kind, help_text, number in process:
            yield f"process_{name}", kind, help_text, [Sample({}, number)]

    def _histogram(self) -> Iterator[Sample]:
        for listener, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield Sample({"listener": listener, "le": bound}, total, "_bucket")
            yield Sample({"listener": listener}, self._seconds[listener], "_sum")
            yield Sample({"listener": listener}, total, "_count")


_STORAGE_HELP: Final = {
    "blocks": "Blocks in the store.",
    "storage_bytes": "Bytes that the store takes on the disk.",
    "storage_limit_bytes": "The limit storage.max; 0 means none.",
    "pins": "Pinned roots, direct and recursive.",
    "http_connections": "Open HTTP connections.",
    "http_active_requests": "HTTP requests being answered.",
    "gateway_sent_bytes": "Bytes of content sent by the gateway since the start.",
    **turn_numbers.HELP,
    "calls_connections": "Connections of clients of the calls service.",
    "calls_sessions": "Pages and programs that are signed in there.",
    "calls_users": "Users with a session there.",
    "calls_calls": "Calls that ring or go on.",
    "calls_rooms": "Rooms in which somebody is.",
}


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _resident() -> float:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _descriptors() -> float:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
