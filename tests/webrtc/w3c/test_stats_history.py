"""The history is a ring, and what it dumps has the form of chrome://webrtc-internals."""

from __future__ import annotations

import json
import os
from typing import Any

from zwerm.webrtc import RTCStats, RTCStatsReport
from zwerm.webrtc.w3c.stats_history import MAX_RECORDS, MAX_VALUE, StatsHistory, dump

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def report(second: int, *names: str, **members: Any) -> RTCStatsReport:
    return RTCStatsReport([RTCStats("transport", name, (START + second) * 1_000, **members) for name in names])


def values(history: StatsHistory, name: str) -> list[Any]:
    found: list[Any] = json.loads(history.dump()["stats"][name]["values"])
    return found


def test_a_dump_has_the_form_that_readers_of_browsers_dumps_expect() -> None:
    history = StatsHistory({"iceServers": []})
    history.add(report(0, "T01", bytesSent=1))
    history.add(report(1, "T01", bytesSent=5))
    history.log("createOffer", "", START + 0.25)
    assert json.loads(json.dumps(dump([history], "zwerm", START + 2))) == {
        "timestamp": 1_700_000_002_000,
        "getUserMedia": [],
        "PeerConnections": {
            "1-1": {
                "pid": os.getpid(),
                "rtcConfiguration": '{"iceServers":[]}',
                "url": "",
                "stats": {
                    "T01-timestamp": {
                        "startTime": "2023-11-14T22:13:20.000Z",
                        "endTime": "2023-11-14T22:13:21.000Z",
                        "statsType": "transport",
                        "values": "[1700000000000.0,1700000001000.0]",
                    },
                    "T01-bytesSent": {
                        "startTime": "2023-11-14T22:13:20.000Z",
                        "endTime": "2023-11-14T22:13:21.000Z",
                        "statsType": "transport",
                        "values": "[1,5]",
                    },
                    "T01-type": {
                        "startTime": "2023-11-14T22:13:20.000Z",
                        "endTime": "2023-11-14T22:13:21.000Z",
                        "statsType": "transport",
                        "values": '["transport","transport"]',
                    },
                },
                "updateLog": [{"type": "createOffer", "value": "", "timestamp": 1_700_000_000_250.0}],
            }
        },
        "UserAgent": "zwerm",
    }


def test_several_connections_are_told_apart() -> None:
    two = dump([StatsHistory({}), StatsHistory({})], "zwerm", START)
    assert list(two["PeerConnections"]) == ["1-1", "1-2"]


def test_a_member_that_comes_late_or_goes_keeps_its_place_in_time() -> None:
    history = StatsHistory({})
    history.add(report(0, "T01", a=1))
    history.add(report(1, "T01", a=2, b=7))
    history.add(report(2, "T01", b=8))
    assert values(history, "T01-a") == [1, 2, None]
    assert values(history, "T01-b") == [None, 7, 8]
    assert len(values(history, "T01-timestamp")) == 3


def test_only_the_newest_samples_are_kept() -> None:
    history = StatsHistory({}, samples=3)
    for second in range(10):
        history.add(report(second, "T01", a=second, **({"late": second} if second > 7 else {})))
    assert values(history, "T01-a") == [7, 8, 9]
    assert values(history, "T01-late") == [None, 8, 9]
    assert history.dump()["stats"]["T01-a"]["startTime"] == "2023-11-14T22:13:27.000Z"


def test_only_the_newest_events_are_kept_and_long_ones_are_cut() -> None:
    history = StatsHistory({}, events=2)
    for number in range(5):
        history.log("connectionstatechange", str(number), START)
    assert [entry["value"] for entry in history.dump()["updateLog"]] == ["3", "4"]
    history.log("addIceCandidate", "x" * (MAX_VALUE + 1), START)
    assert len(history.dump()["updateLog"][-1]["value"]) == MAX_VALUE


def test_records_are_bounded_and_those_of_the_past_make_room() -> None:
    history = StatsHistory({})
    history.add(report(0, *(f"A{number}" for number in range(MAX_RECORDS))))
    history.add(report(1, *(f"A{number}" for number in range(1, MAX_RECORDS)), "B", "C"))
    names = {name.rpartition("-")[0] for name in history.dump()["stats"]}
    assert len(names) == MAX_RECORDS
    assert "A0" not in names
    assert len(names & {"B", "C"}) == 1  # the other one found no room: all else is of the present
