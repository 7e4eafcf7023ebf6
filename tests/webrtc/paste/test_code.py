"""What a connection code holds: every field survives, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.paste.code import MAX_CANDIDATES, Code, Kind, Place

ICE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NAME = "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local"
PLACES = (
    Place(Kind.HOST, "192.0.2.1", 50_000),
    Place(Kind.HOST, "2001:db8::1", 1),
    Place(Kind.HOST, NAME, 65_535),
    Place(Kind.REFLEXIVE, "203.0.113.7", 3_478),
    Place(Kind.RELAYED, "2001:db8::ffff", 49_152),
)
FIREFOX = Code("a1b2c3d4", "0123456789abcdef" * 2, bytes(range(32)), PLACES)
CHROMIUM = Code("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+", bytes(32), ())

places = st.builds(
    Place,
    st.sampled_from(Kind),
    st.ip_addresses().map(str) | st.uuids().map(lambda one: f"{one}.local"),
    st.integers(1, 65_535),
)
codes = st.builds(
    Code,
    st.text(ICE, min_size=4, max_size=63),
    st.text(ICE, min_size=22, max_size=63),
    st.binary(min_size=32, max_size=32),
    st.lists(places, max_size=MAX_CANDIDATES).map(tuple),
)


@given(codes)
def test_every_code_survives(code: Code) -> None:
    assert Code.parse(code.serialize()) == code


def test_a_code_of_a_browser_takes_less_than_a_hundred_bytes() -> None:
    code = Code("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+", bytes(32), PLACES[2:4])
    assert len(code.serialize()) == 2 + 21 + 32 + 19 + 7


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        code = Code.parse(data)
    except WireError:
        return
    assert code.serialize() == data


@pytest.mark.parametrize("code", [FIREFOX, CHROMIUM], ids=["firefox", "chromium"])
def test_a_code_cut_short_within_a_field_is_refused(code: Code) -> None:
    data = code.serialize()
    boundaries = {len(Code(code.ufrag, code.password, code.fingerprint, code.places[:n]).serialize()) for n in range(9)}
    for size in range(len(data)):
        if size not in boundaries:
            with pytest.raises(WireError):
                Code.parse(data[:size])


def test_more_candidates_than_a_code_has_are_refused() -> None:
    data = CHROMIUM.serialize() + PLACES[0].serialize() * (MAX_CANDIDATES + 1)
    with pytest.raises(WireError):
        Code.parse(data)
    Code.parse(data[: -len(PLACES[0].serialize())])


@pytest.mark.parametrize(
    ("ufrag", "password", "fingerprint"),
    [
        ("abc", "x" * 22, bytes(32)),
        ("abcd", "x" * 21, bytes(32)),
        ("abcd", "x" * 64, bytes(32)),
        ("ab-d", "x" * 22, bytes(32)),
        ("abcd", "x" * 22, bytes(20)),
    ],
    ids=["short ufrag", "short password", "long password", "character", "fingerprint"],
)
def test_what_no_code_can_say_is_refused(ufrag: str, password: str, fingerprint: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        Code(ufrag, password, fingerprint, ())


@pytest.mark.parametrize(
    "damage",
    [b"\x03" + bytes(30), b"\x40\x18", b"\x04\x15", b"\x00\x00"],
    ids=["cut short", "long ufrag", "short password", "nothing"],
)
def test_sizes_that_make_no_sense_are_refused(damage: bytes) -> None:
    with pytest.raises(WireError):
        Code.parse(damage + bytes(80))


def test_a_candidate_of_an_unknown_kind_or_without_a_port_is_refused() -> None:
    for tail in (b"\x30" + bytes(6), b"\x03" + bytes(18), b"\x00\xc0\x00\x02\x01\x00\x00"):
        with pytest.raises(WireError):
            Code.parse(CHROMIUM.serialize() + tail)
