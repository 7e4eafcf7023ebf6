"""A report is a mapping of records, and nothing in it can be changed."""

from __future__ import annotations

import copy

import pytest

from zwerm.webrtc import RTCStats, RTCStatsReport

TRANSPORT = RTCStats("transport", "T01", 1_700_000_000_000.5, bytesSent=5, dtlsCipher=None)
CHANNEL = RTCStats("data-channel", "D1", 1_700_000_000_000.5, label="chat")


def test_members_are_read_by_name_both_ways() -> None:
    assert TRANSPORT["bytesSent"] == TRANSPORT.bytesSent == 5
    assert (TRANSPORT.type, TRANSPORT.id, TRANSPORT.timestamp) == ("transport", "T01", 1_700_000_000_000.5)
    assert dict(TRANSPORT) == {"id": "T01", "timestamp": 1_700_000_000_000.5, "type": "transport", "bytesSent": 5}


def test_what_is_not_known_is_not_there() -> None:
    assert "dtlsCipher" not in TRANSPORT
    with pytest.raises(AttributeError, match="transport has no dtlsCipher"):
        _ = TRANSPORT.dtlsCipher
    with pytest.raises(KeyError):
        _ = TRANSPORT["dtlsCipher"]


def test_a_record_is_a_value() -> None:
    with pytest.raises(TypeError):
        TRANSPORT["bytesSent"] = 6  # type: ignore[index]
    with pytest.raises(AttributeError):
        TRANSPORT.bytesSent = 6
    assert "'bytesSent': 5" in repr(TRANSPORT)
    with pytest.raises(AttributeError):
        copy.copy(TRANSPORT).__getattr__("_nothing")


def test_a_report_is_a_mapping_by_id() -> None:
    report = RTCStatsReport([TRANSPORT, CHANNEL])
    assert list(report) == ["T01", "D1"]
    assert (len(report), report["D1"], report.get("D2")) == (2, CHANNEL, None)
    assert report.of_type("data-channel") == [CHANNEL]
    assert report.of_type("codec") == []
    assert repr(report) == f"RTCStatsReport([{TRANSPORT!r}, {CHANNEL!r}])"
