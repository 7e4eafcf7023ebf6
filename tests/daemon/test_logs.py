"""Log lines: one a line for people, one JSON object a line for programs, with their fields."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from zwerm.daemon import logs

log = logging.getLogger("zwerm.test")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("zwerm", "asyncio")]
    before = [(one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def configured(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, form, stream)
    return stream


def test_a_line_for_people_has_time_level_place_message_and_fields() -> None:
    stream = configured("text")
    log.warning("%d ports\nare taken", 2, extra={"port": 5001, "who": "kubo"})
    time, rest = stream.getvalue().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert rest == "warning test: 2 ports are taken port=5001 who=kubo\n"


def test_a_line_for_programs_is_one_object() -> None:
    stream = configured("json")
    log.error("lost\nit", extra={"path": io.StringIO})
    log.info("second")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first | {"time": ""} == {
        "time": "",
        "level": "error",
        "logger": "zwerm.test",
        "message": "lost\nit",
        "path": "<class '_io.StringIO'>",
    }
    assert second["message"] == "second"


@pytest.mark.parametrize("form", ["text", "json"])
def test_where_an_error_came_from_is_kept(form: str) -> None:
    stream = configured(form)
    try:
        raise ValueError("broken")
    except ValueError as error:
        log.error("failed", exc_info=error)
    assert "Traceback" in stream.getvalue()
    assert "ValueError: broken" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1 or form == "text"


def test_the_level_holds_back_what_is_below() -> None:
    stream = configured("text", "warning")
    log.info("not this")
    log.warning("this")
    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == ["this"]


def test_the_last_call_counts_and_nothing_is_said_twice() -> None:
    first, second = configured("text"), configured("text")
    log.info("once")
    logging.getLogger("asyncio").warning("the loop's too")
    logging.getLogger("asyncio").info("not this")
    assert first.getvalue() == ""
    assert [line.split(" ", 2)[2] for line in second.getvalue().splitlines()] == [
        "test: once",
        "asyncio: the loop's too",
    ]
