"""The metrics page: every family with help and type, counters that add up, labels that cannot break out."""

from __future__ import annotations

import re
from types import SimpleNamespace

from zwerm.daemon.metrics import Metrics


def page(metrics: Metrics, **storage: float) -> dict[str, float]:
    """Parse the page, strictly, as Prometheus does."""
    values: dict[str, float] = {}
    families: list[str] = []
    for line in metrics.render(storage).decode().splitlines():
        if match := re.fullmatch(r"# HELP (\S+) \S.*", line):
            families.append(match[1])
        elif match := re.fullmatch(r"# TYPE (\S+) (gauge|counter|histogram)", line):
            assert match[1] == families[-1]
        else:
            match = re.fullmatch(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.e+]+|\+Inf)', line)
            assert match, line
            assert match[1].startswith(families[-1])
            values[match[1] + (match[2] or "")] = float(match[3])
    assert len(families) == len(set(families))
    return values


def metrics() -> Metrics:
    return Metrics(SimpleNamespace(identity="peer"))


def answered(metrics: Metrics, listener: str, status: int, *seconds: float) -> None:
    for each in seconds:
        metrics.observe(listener, SimpleNamespace(status=status), each)


def test_requests_are_counted_by_listener_and_status() -> None:
    counters = metrics()
    answered(counters, "api", 200, 0.01, 0.01)
    answered(counters, "api", 500, 0.01)
    answered(counters, "gateway", 200, 0.01)
    found = page(counters)
    assert counters.requests == 4
    assert found['zwerm_http_requests_total{listener="api",status="200"}'] == 2
    assert found['zwerm_http_requests_total{listener="api",status="500"}'] == 1
    assert found['zwerm_http_requests_total{listener="gateway",status="200"}'] == 1


def test_times_fall_into_buckets_that_grow_to_the_count() -> None:
    counters = metrics()
    answered(counters, "api", 200, 0.001, 0.0011, 0.3, 99.0)
    found = page(counters)
    name = "zwerm_http_request_seconds"
    buckets = [value for key, value in found.items() if key.startswith(f"{name}_bucket")]
    assert buckets == [1, 2, 2, 2, 3, 3, 3, 3, 4]
    assert found[f'{name}_bucket{{listener="api",le="+Inf"}}'] == found[f'{name}_count{{listener="api"}}'] == 4
    assert abs(found[f'{name}_sum{{listener="api"}}'] - 99.3021) < 1e-9


def test_the_node_and_the_process_are_described() -> None:
    found = page(metrics(), blocks=3, storage_limit_bytes=10_000_000_000, something_new=1.5)
    assert found["zwerm_blocks"] == 3
    assert found["zwerm_storage_limit_bytes"] == 1e10
    assert found["zwerm_something_new"] == 1.5
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["process_open_fds"] > 0
    assert found["process_cpu_seconds_total"] > 0


def test_a_label_cannot_end_its_line() -> None:
    counters = metrics()
    answered(counters, 'a"} 1\nevil 2\\', 200, 0.1)
    assert 'zwerm_http_requests_total{listener="a\\"} 1\\nevil 2\\\\",status="200"}' in page(counters)


def test_where_there_is_no_proc_the_page_is_whole_all_the_same(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no /proc here")

    monkeypatch.setattr("zwerm.daemon.metrics.open", refuse, raising=False)
    monkeypatch.setattr("zwerm.daemon.metrics.os.listdir", refuse)
    found = page(metrics())
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["process_open_fds"] == 0
