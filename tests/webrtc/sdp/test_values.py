"""Values of SDP as records: the examples of the documents, there and back, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.sdp.values import (
    Connection,
    Direction,
    Feedback,
    FormatParameters,
    Group,
    HeaderExtension,
    MediaStreamId,
    Origin,
    Rid,
    RtpMap,
    Simulcast,
    SourceAttribute,
    number,
    tokens,
)

RECORDS: list[tuple[str, Any]] = [
    ("jdoe 372439 372440 IN IP4 198.51.100.1", Origin("jdoe", 372_439, 372_440, "IN", "IP4", "198.51.100.1")),
    ("IN IP4 233.252.0.1/127/3", Connection("IN", "IP4", "233.252.0.1/127/3")),
    ("IN IP6 ::1", Connection("IN", "IP6", "::1")),
    ("BUNDLE a1 v1 d1", Group("BUNDLE", ("a1", "v1", "d1"))),
    ("BUNDLE", Group("BUNDLE", ())),
    ("111 opus/48000/2", RtpMap(111, "opus", 48_000, "2")),
    ("99 h263-1998/90000", RtpMap(99, "h263-1998", 90_000)),
    ("96 profile-level-id=42e016;max-mbps=108000", FormatParameters("96", "profile-level-id=42e016;max-mbps=108000")),
    ("webrtc-datachannel max-message-size=100000", FormatParameters("webrtc-datachannel", "max-message-size=100000")),
    ("* nack pli", Feedback("*", "nack", "pli")),
    ("96 transport-cc", Feedback("96", "transport-cc")),
    ("1 URI-toffset", HeaderExtension(1, "URI-toffset")),
    ("4/recvonly http://example.com/x short", HeaderExtension(4, "http://example.com/x", Direction.RECVONLY, "short")),
    ("314159 cname:user@example.com", SourceAttribute(314_159, "cname", "user@example.com")),
    ("314159 ready", SourceAttribute(314_159, "ready")),
    ("314159 label:", SourceAttribute(314_159, "label", "")),
    ("47a017a4 d1", MediaStreamId("47a017a4", "d1")),
    ("-", MediaStreamId("-")),
    ("1 send pt=97;max-width=1280", Rid("1", "send", "pt=97;max-width=1280")),
    ("h recv", Rid("h", "recv")),
    ("send 1,2,3;~4,~5 recv 6;~7,~8", Simulcast((("1", "2", "3"), ("~4", "~5")), (("6",), ("~7", "~8")))),
    ("recv h;l", Simulcast((), (("h",), ("l",)))),
]  # fmt: skip

KINDS = [
    Origin, Connection, Group, RtpMap, FormatParameters, Feedback, HeaderExtension, SourceAttribute, MediaStreamId, Rid,
    Simulcast,
]  # fmt: skip


@pytest.mark.parametrize(("text", "record"), RECORDS, ids=[text for text, _ in RECORDS])
def test_examples_are_read_and_written(text: str, record: Any) -> None:
    assert type(record).from_text(text) == record
    assert str(record) == text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(text=st.text(st.sampled_from("aB1 9/:;,=*~-.sendrcv"), max_size=40))
def test_anything_is_refused_or_means_the_same_when_written(kind: Any, text: str) -> None:
    try:
        record = kind.from_text(text)
    except WireError:
        return
    assert kind.from_text(str(record)) == record


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Origin, "- 1 2 IN IP4"),
        (Origin, "- x 2 IN IP4 0.0.0.0"),
        (Origin, "- 18446744073709551616 2 IN IP4 0.0.0.0"),
        (Connection, "IN IP4"),
        (Group, ""),
        (Group, "BUNDLE a\u00e9"),
        (RtpMap, "128 opus/48000"),
        (RtpMap, "111 opus"),
        (RtpMap, "111 opus/48000000000"),
        (FormatParameters, ""),
        (Feedback, "96"),
        (HeaderExtension, "5000 x"),
        (HeaderExtension, "1/up x"),
        (SourceAttribute, "4294967296 cname:x"),
        (MediaStreamId, ""),
        (MediaStreamId, "a b c"),
        (Rid, "h both"),
        (Rid, "h! send"),
        (Simulcast, ""),
        (Simulcast, "send"),
        (Simulcast, "send h send l"),
        (Simulcast, "up h"),
        (Simulcast, "send h;;l"),
    ],
)
def test_what_no_grammar_allows_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(WireError):
        kind.from_text(text)


def test_format_parameters_are_read_as_pairs() -> None:
    parameters = FormatParameters("96", "Level-Asymmetry-Allowed=1; packetization-mode=1;useinbandfec;;x=a=b")
    assert parameters.to_dict() == {
        "level-asymmetry-allowed": "1",
        "packetization-mode": "1",
        "useinbandfec": "",
        "x": "a=b",
    }


def test_numbers_have_an_end() -> None:
    assert number("65535", 65_535, "port") == 65_535
    for text in ("65536", "-1", "", "1.0", "٣", "9" * 30):
        with pytest.raises(WireError):
            number(text, 65_535, "port")
    assert tokens("a b", "x") == ("a", "b")
