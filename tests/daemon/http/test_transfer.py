"""Uploads in progress, told to listeners: a few times a second, with an end, and nothing of what is small and quick."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import pytest

from zwerm.daemon.http import transfer as module
from zwerm.daemon.http.transfer import Transfer

MEBIBYTE = 1024 * 1024


@pytest.fixture
def told() -> list[dict]:
    return []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=50.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def begin(told: list[dict], clock: SimpleNamespace) -> Callable[..., Transfer]:
    def publish(name: str, data: dict) -> None:
        assert name == "transfer"
        told.append(data)

    def begin(length: str | None = None) -> Transfer:
        headers = {} if length is None else {"Content-Length": length}
        return Transfer(
            SimpleNamespace(events=SimpleNamespace(publish=publish)), "photos", SimpleNamespace(headers=headers)
        )

    return begin


def test_a_small_and_quick_upload_is_not_told(begin: Callable[..., Transfer], told: list[dict]) -> None:
    with begin("10") as upload:
        upload.progress(10)
    assert told == []


def test_progress_is_told_four_times_a_second_and_the_end_once(
    begin: Callable[..., Transfer], told: list[dict], clock: SimpleNamespace
) -> None:
    with begin("1000") as upload:
        for _ in range(10):
            clock.now += 0.125
            upload.progress(100)
    assert [(event["state"], event["done"]) for event in told] == [
        ("running", 200),
        ("running", 400),
        ("running", 600),
        ("running", 800),
        ("running", 1000),
        ("done", 1000),
    ]
    assert {event["id"] for event in told} == {told[0]["id"]}
    assert told[-1] | {"id": 0} == {
        "id": 0,
        "direction": "in",
        "name": "photos",
        "done": 1000,
        "total": 1000,
        "state": "done",
        "rate": 800,
    }


def test_a_large_one_is_told_though_it_was_quick(begin: Callable[..., Transfer], told: list[dict]) -> None:
    with begin() as upload:
        upload.name = "known better"
        upload.progress(MEBIBYTE)
    assert [(event["state"], event["name"], event["total"]) for event in told] == [("done", "known better", None)]


def test_one_that_breaks_off_has_failed(begin: Callable[..., Transfer], told: list[dict]) -> None:
    def break_off(upload: Transfer) -> None:
        upload.progress(MEBIBYTE)
        raise ConnectionError

    with pytest.raises(ConnectionError), begin("x") as upload:
        break_off(upload)
    assert [(event["state"], event["total"]) for event in told] == [("failed", None)]


def test_two_uploads_are_told_apart(begin: Callable[..., Transfer], told: list[dict]) -> None:
    for _ in range(2):
        with begin() as upload:
            upload.progress(MEBIBYTE)
    assert len({event["id"] for event in told}) == 2


async def test_chunks_are_passed_on_and_counted(begin: Callable[..., Transfer], told: list[dict]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(MEBIBYTE)

    with begin() as upload:
        assert [len(chunk) async for chunk in upload.counted(chunks())] == [MEBIBYTE] * 3
    assert told[-1]["done"] == 3 * MEBIBYTE
