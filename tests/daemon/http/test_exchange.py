"""Heads of answers: what a value can and cannot do to the lines around it."""

from __future__ import annotations

import pytest

from zwerm.daemon.http.exchange import serialize_head


def test_a_head_is_a_status_line_headers_and_an_empty_line() -> None:
    head = serialize_head(404, [("Content-Type", "text/plain"), ("X", "ü")])
    lines = head.decode().split("\r\n")
    assert lines[:3] == ["HTTP/1.1 404 Not Found", "Content-Type: text/plain", "X: ü"]
    assert lines[3].startswith("Date: ")
    assert lines[3].endswith(" GMT")
    assert lines[-2:] == ["", ""]


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\r\n\r\n<html>", "a\0b"])
def test_a_line_break_in_a_value_does_not_end_its_line(value: str) -> None:
    head = serialize_head(200, [("X", value), ("Y", "1")])
    lines = head.decode().split("\r\n")
    assert len(lines) == 7
    assert lines[1].startswith("X: a ")
    assert lines[2] == "Y: 1"
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\0" not in head


def test_bytes_that_are_no_text_survive() -> None:
    assert b"X: \xff\r\n" in serialize_head(200, [("X", "\udcff")])
