"""Sections: lines looked up, put and taken away."""

import pytest

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.sdp.line import parse_lines
from zwerm.webrtc.sdp.section import Section
from zwerm.webrtc.sdp.values import Connection, Direction, Setup

TEXT = (
    "c=IN IP4 192.0.2.1\na=sendonly\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=ice-options:trickle ice2\n"
    "a=fingerprint:sha-1 " + ":".join(["AB"] * 20) + "\na=setup:actpass\na=x-unknown:1\na=x-unknown:2\na=rtcp-mux\n"
)


def section(text: str = TEXT) -> Section:
    return Section(parse_lines(text))


def test_attributes_are_found_in_order() -> None:
    read = section()
    assert read.attributes("x-unknown") == ["1", "2"]
    assert read.attribute("x-unknown") == "1"
    assert read.attribute("rtcp-mux") == ""
    assert read.has("rtcp-mux")
    assert read.attribute("missing") is None
    assert read.find("c") == "IN IP4 192.0.2.1"
    assert read.find("b") is None


def test_what_both_levels_may_have() -> None:
    read = section()
    assert read.connection == Connection("IN", "IP4", "192.0.2.1")
    assert read.direction is Direction.SENDONLY
    assert (read.ice_ufrag, read.ice_pwd) == ("abcd", "0123456789012345678901")
    assert read.ice_options == ("trickle", "ice2")
    assert [len(one.digest) for one in read.fingerprints] == [20]
    assert read.setup is Setup.ACTPASS
    assert read.header_extensions == []
    assert str(read) == TEXT


def test_options_of_ice_may_stand_between_commas() -> None:
    assert section("a=ice-options:ice2,trickle\n").ice_options == ("ice2", "trickle")


def test_nothing_is_there_in_an_empty_section() -> None:
    empty = Section()
    assert empty.connection is empty.direction is empty.ice_ufrag is empty.ice_pwd is empty.setup is None
    assert empty.fingerprints == []
    assert empty.ice_options == ()


def test_lines_are_put_and_taken_away() -> None:
    written = section("a=mid:0\n")
    written.add_attribute("rtcp-mux")
    written.add_attribute("sctp-port", 5_000)
    written.add("b", "AS:30")
    assert str(written) == "a=mid:0\na=rtcp-mux\r\na=sctp-port:5000\r\nb=AS:30\r\n"
    written.remove_attributes("mid")
    assert not written.has("mid")


@pytest.mark.parametrize(("kind", "value"), [("a", "x\r\na=y"), ("a", "x\ny"), ("aa", "x"), ("A", "x"), ("a", "\0")])
def test_nothing_but_one_line_can_be_put(kind: str, value: str) -> None:
    written = Section()
    with pytest.raises(LocalProtocolError):
        written.add(kind, value)
    assert written.lines == []


def test_malformed_values_are_refused_when_they_are_read() -> None:
    with pytest.raises(WireError):
        _ = section("a=setup:both\n").setup
    for wrong in ("a=ice-ufrag:\n", "a=ice-ufrag:" + "x" * 257 + "\n"):
        with pytest.raises(WireError):
            _ = section(wrong).ice_ufrag
    with pytest.raises(WireError):
        _ = section("a=fingerprint:sha-256 AB\n").fingerprints
