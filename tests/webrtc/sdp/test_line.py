"""Lines of SDP: what is one, what is refused, and that nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.sdp.line import MAX_LINE, MAX_LINES, MAX_SIZE, Line, parse_lines


@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_lines_are_read_with_their_ending(ending: str) -> None:
    assert parse_lines(f"v=0{ending}a=mid:0{ending}") == [Line("v", "0", ending), Line("a", "mid:0", ending)]


@given(st.text(st.sampled_from("av=0:\r\n \tz"), max_size=60))
def test_what_is_read_is_written_as_it_was(text: str) -> None:
    try:
        lines = parse_lines(text)
    except WireError:
        return
    assert "".join(map(str, lines)) == text


def test_a_last_line_without_ending_and_blank_lines_are_kept() -> None:
    for text in ("v=0", "v=0\r\n\r\n", "v=0\n\n\na=x", "v=0\r"):
        assert "".join(map(str, parse_lines(text))) == text
    assert parse_lines("") == []


@pytest.mark.parametrize(
    "text",
    ["v0\n", "v", "=0\n", "V=0\n", " v=0\n", "vv=0\n", "v=0\x00\n", "a=x\ry\n", "a=\x1b[2J\n", "a=\x7f\n", "v=0\n\r"],
    ids=[
        "no equals sign", "a letter alone", "no letter", "a capital", "a space before", "two letters", "a zero byte",
        "a carriage return inside", "an escape sequence", "delete", "a lone carriage return at the end",
    ],
)  # fmt: skip
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        parse_lines(text)


def test_tabs_and_any_letters_of_the_world_are_allowed() -> None:
    assert parse_lines("s=Grüße\tнебо \udcff\n")[0].value == "Grüße\tнебо \udcff"


def test_sizes_are_limited() -> None:
    assert len(parse_lines("a=" + "x" * (MAX_LINE - 2))) == 1
    assert len(parse_lines("a=\n" * MAX_LINES)) == MAX_LINES
    for text in ("a=" + "x" * (MAX_LINE - 1), "a=\n" * (MAX_LINES + 1), "\n" * (MAX_SIZE + 1)):
        with pytest.raises(WireError):
            parse_lines(text)


def test_an_attribute_has_a_name_and_a_value() -> None:
    line, flag, other = parse_lines("a=fmtp:96 a:b\na=rtcp-mux\nb=AS:30\n")
    assert (line.name, line.attribute_value) == ("fmtp", "96 a:b")
    assert (flag.name, flag.attribute_value) == ("rtcp-mux", "")
    assert other.name == ""
