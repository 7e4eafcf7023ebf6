"""Traces: what happened, in the order it did, the newest kept."""

import json

from zwerm.core.trace import Recorder


def test_records_of_two_machines_stand_in_one_order() -> None:
    recorder = Recorder()
    alice, bob = recorder.source("alice/sctp"), recorder.source("bob/sctp")
    alice(1.0, "chunk sent", tsn=7)
    bob(1.1, "chunk received", tsn=7)
    alice(1.2, "chunk sent", tsn=8)
    assert [(record.time, record.source, record.name) for record in recorder] == [
        (1.0, "alice/sctp", "chunk sent"),
        (1.1, "bob/sctp", "chunk received"),
        (1.2, "alice/sctp", "chunk sent"),
    ]
    assert [record.fields["tsn"] for record in recorder.named("chunk sent")] == [7, 8]


def test_a_field_may_have_any_name() -> None:
    recorder = Recorder()
    recorder.source("x")(0.0, "done", now=3, name="y", what="z")
    assert next(iter(recorder)).fields == {"now": 3, "name": "y", "what": "z"}


def test_the_oldest_are_forgotten_and_counted() -> None:
    recorder = Recorder(limit=2)
    trace = recorder.source("x")
    for number in range(5):
        trace(float(number), "tick")
    assert [record.time for record in recorder] == [3.0, 4.0]
    assert (len(recorder), recorder.forgotten) == (2, 3)


def test_a_record_is_one_line_of_json() -> None:
    recorder = Recorder()
    recorder.source("x")(0.5, "request sent", transaction_id=b"\x01\xff", attempt=1, last=None)
    line = next(iter(recorder)).to_json()
    assert "\n" not in line
    assert json.loads(line) == {
        "time": 0.5, "source": "x", "name": "request sent", "transaction_id": "01ff", "attempt": 1, "last": None,
    }  # fmt: skip
