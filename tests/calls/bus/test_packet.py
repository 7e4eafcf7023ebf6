"""What processes write to each other: what is no packet or note is a WireError and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.calls.bus.packet import MAX_NOTE, MAX_PACKET, MAX_PIECE, Packet, parse_note, pieces_of
from zwerm.core.errors import WireError

ME, OTHER = "00000001", "00000002"
TELL = {"kind": "tell", "endpoint": "d_1.2", "text": "é\n\u2028🎈", "left": 1.5, "hops": 0}
PARTY = {"name": "ann", "device": "d_1.2", "key": "k", "label": "l"}
DO = {"kind": "do", "number": 1, "party": PARTY, "user": "u", "peer": "::1", "message": {"type": "answer"}}
THERE = {"kind": "there", "sessions": [["d_1.2", None, "k", "l", "busy", True]], "all": True}
DONE = {"kind": "done", "number": 1, "value": None, "error": ["gone", "It is gone", 2.0]}


def test_a_packet_comes_back_as_it_was() -> None:
    packet = Packet(ME, {OTHER: 7}, 3, [*pieces_of(TELL), *pieces_of(DO)])
    assert Packet.parse(packet.serialize()) == packet


@pytest.mark.parametrize("note", [TELL, DO, THERE, DONE], ids=lambda note: note["kind"])
def test_a_note_comes_back_as_it_was(note: dict[str, Any]) -> None:
    (line,) = pieces_of(note)
    assert parse_note(line[1:]) == note


def test_a_long_note_goes_in_pieces() -> None:
    note = TELL | {"text": "x" * (2 * MAX_PIECE)}
    lines = pieces_of(note)
    assert [line[0] for line in lines] == ["+", "+", "."]
    assert max(map(len, lines)) <= MAX_PIECE + 1
    assert parse_note("".join(line[1:] for line in lines)) == note


HEAD = {"from": ME, "acks": {}, "first": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        json.dumps(HEAD | {"from": "../../all"}).encode(),
        json.dumps(HEAD | {"first": 0}).encode(),
        json.dumps(HEAD | {"first": True}).encode(),
        json.dumps(HEAD | {"more": 1}).encode(),
        json.dumps(HEAD | {"acks": {OTHER: -1}}).encode(),
        json.dumps(HEAD | {"acks": {f"{n:08x}": 1 for n in range(300)}}).encode(),
        json.dumps(HEAD).encode() + b"\nnote",
        json.dumps(HEAD).encode() + b"\n." * 5_000,
        json.dumps(HEAD).encode() + b"\n." + b"x" * (MAX_PIECE + 1),
        json.dumps(HEAD).encode() + b" " * MAX_PACKET,
    ],
    ids=[
        "empty",
        "no text",
        "no object",
        "deep",
        "a sender that is none",
        "line 0",
        "line true",
        "another field",
        "a negative number",
        "too many processes",
        "no mark",
        "too many lines",
        "a long line",
        "too large",
    ],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        Packet.parse(data)


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"kind": "tell"},
        {"kind": ["tell"]},
        TELL | {"more": 1},
        TELL | {"hops": True},
        TELL | {"text": 1},
        THERE | {"sessions": [["d_1.2", None, "k", "l", "dancing", True]]},
        THERE | {"sessions": [["d_1.2"]]},
        DO | {"party": PARTY | {"device": None}},
        DO | {"message": {}},
        DONE | {"error": ["gone"]},
        [TELL],
    ],
    ids=str,
)
def test_what_is_no_note_is_refused(note: Any) -> None:
    with pytest.raises(WireError):
        parse_note(json.dumps(note))


def test_an_endless_note_is_refused() -> None:
    with pytest.raises(WireError):
        parse_note(json.dumps(TELL | {"text": "x" * MAX_NOTE}))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (Packet.parse, lambda raw: parse_note(raw.decode(errors="replace"))):
        with contextlib.suppress(WireError):
            parse(data)
