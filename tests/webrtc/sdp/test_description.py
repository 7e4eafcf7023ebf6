"""Whole descriptions: what browsers, telephones and cameras wrote, and what is refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.sdp.samples import BROWSERS, NAMES, read
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.fingerprint import HashFunction
from zwerm.webrtc.sdp import description
from zwerm.webrtc.sdp.description import MAX_MEDIA, SessionDescription
from zwerm.webrtc.sdp.values import Direction, Setup, Simulcast

MINIMAL = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
DATA = MINIMAL + "a=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n"


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_read_checked_and_written_byte_for_byte(name: str) -> None:
    text = read(name)
    parsed = SessionDescription.parse(text)
    parsed.check()
    assert str(parsed) == text
    assert parsed.to_bytes() == text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_samples_with_any_line_ending_mean_the_same(name: str, ending: str) -> None:
    text = read(name).replace("\r\n", "\n").replace("\n", ending)
    parsed = SessionDescription.parse(text)
    assert str(parsed) == text
    assert [medium.formats for medium in parsed.media] == [
        medium.formats for medium in SessionDescription.parse(read(name)).media
    ]


@pytest.mark.parametrize("name", NAMES)
def test_samples_cut_anywhere_are_read_or_refused(name: str) -> None:
    text = read(name)
    for size in range(0, len(text), 31):
        try:
            parsed = SessionDescription.parse(text[:size])
            assert str(parsed) == text[:size]
            parsed.check()
        except WireError:
            continue


@pytest.mark.parametrize("name", BROWSERS)
def test_browsers_say_all_that_a_connection_needs(name: str) -> None:
    parsed = SessionDescription.parse(read(name))
    assert parsed.bundle == tuple(medium.mid for medium in parsed.media)
    for medium in parsed.media:
        ufrag, pwd = medium.effective_ice or ("", "")
        assert len(ufrag) >= 4
        assert len(pwd) >= 22
        assert [one.function for one in medium.effective_fingerprints] == [HashFunction.SHA_256]
        assert medium.effective_setup is (Setup.ACTPASS if "offer" in name else Setup.ACTIVE)
        assert "trickle" in medium.effective_ice_options
        assert not medium.is_rejected


@pytest.mark.parametrize("name", [name for name in BROWSERS if "data" in name])
def test_data_channels_of_browsers(name: str) -> None:
    (medium,) = SessionDescription.parse(read(name)).media
    assert medium.is_data_channel
    assert (medium.sctp_port, medium.formats) == (5_000, ("webrtc-datachannel",))
    assert medium.max_message_size == (262_144 if "chromium" in name else 1_073_741_823)
    assert medium.candidates
    assert all(candidate.is_name for candidate in medium.candidates if "chromium" in name)


@pytest.mark.parametrize("name", [name for name in BROWSERS if "media-offer" in name])
def test_media_of_browsers(name: str) -> None:
    audio, video, data = SessionDescription.parse(read(name)).media
    assert (audio.kind, video.kind, data.kind) == ("audio", "video", "application")
    assert audio.effective_direction is Direction.RECVONLY
    assert video.effective_direction is Direction.SENDONLY
    assert "opus" in {one.encoding for one in audio.rtp_maps}
    assert {"VP8", "VP9", "rtx"} <= {one.encoding for one in video.rtp_maps}
    assert {one.payload_type for one in video.rtp_maps} == {int(one) for one in video.formats}
    assert ("nack", "pli") in {(one.kind, one.parameters) for one in video.feedback}
    assert [one.id for one in video.rids] == ["h", "m", "l"]
    assert video.simulcast == Simulcast(send=(("h",), ("m",), ("l",)))
    assert video.media_stream_ids
    assert "urn:ietf:params:rtp-hdrext:sdes:mid" in {one.uri for one in video.header_extensions}
    assert video.has_rtcp_mux
    assert any("apt" in one.to_dict() for one in video.format_parameters)


def test_a_telephone_without_ice_and_with_a_direction_for_the_session() -> None:
    parsed = SessionDescription.parse(read("sip-phone"))
    (medium,) = parsed.media
    assert medium.effective_direction is Direction.SENDRECV
    assert medium.effective_connection == parsed.connection
    assert medium.effective_ice is None
    assert medium.candidates == medium.sources == []
    assert medium.simulcast is medium.mid is medium.sctp_port is None
    assert (medium.port, medium.port_count, medium.protocol) == (49_170, 1, "RTP/AVP")


def test_a_camera_with_its_own_order_and_attributes() -> None:
    parsed = SessionDescription.parse(read("rtsp-camera"))
    assert parsed.attribute("control") == "*"
    video, audio, metadata = parsed.media
    assert video.rtp_maps[0].encoding == "H264"
    assert video.format_parameters[0].to_dict()["packetization-mode"] == "1"
    assert audio.rtp_maps[0].clock_rate == 8_000
    assert metadata.kind == "application"


def test_ports_groups_and_levels() -> None:
    text = (
        MINIMAL + "c=IN IP4 192.0.2.1\r\na=ice-lite\r\na=extmap-allow-mixed\r\na=inactive\r\na=end-of-candidates\r\n"
        "m=video 49170/2 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\na=bundle-only\r\na=sendrecv\r\n"
        "a=ssrc-group:FID 1 2\r\na=ssrc:1 cname:x\r\n"
    )
    parsed = SessionDescription.parse(text)
    assert parsed.is_ice_lite
    assert parsed.allows_mixed_extensions
    assert parsed.bundle == ()
    assert parsed.name == "-"
    assert [(medium.port, medium.port_count) for medium in parsed.media] == [(49_170, 2), (0, 1), (0, 1)]
    assert [medium.is_rejected for medium in parsed.media] == [False, True, False]
    assert parsed.media[0].effective_direction is Direction.INACTIVE
    assert parsed.media[2].effective_direction is Direction.SENDRECV
    assert parsed.media[0].has_end_of_candidates
    assert parsed.media[2].source_groups[0].members == ("1", "2")
    assert parsed.media[2].sources[0].value == "x"


def test_the_sctp_of_the_drafts_is_read() -> None:
    text = MINIMAL + "m=application 9 DTLS/SCTP 5000\r\na=sctpmap:5000 webrtc-datachannel 1024\r\n"
    (medium,) = SessionDescription.parse(text).media
    assert medium.is_data_channel
    assert medium.sctp_port == 5_000
    assert medium.max_message_size == 65_536


def test_credentials_of_two_levels_are_not_mixed() -> None:
    text = MINIMAL + "a=ice-ufrag:aaaa\r\na=ice-pwd:" + "p" * 22 + "\r\nm=audio 9 X 0\r\na=ice-ufrag:bbbb\r\n"
    assert SessionDescription.parse(text).media[0].effective_ice == ("aaaa", "p" * 22)


def test_a_candidate_that_cannot_be_read_is_passed_over_and_kept_in_the_text() -> None:
    text = DATA + "a=candidate:1 1 warp 1 x 1 typ far\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    parsed = SessionDescription.parse(text)
    assert [one.address for one in parsed.media[0].candidates] == ["192.0.2.1"]
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o=- 1 1 IN IP4 x\r\n",
        "v=1\r\n",
        MINIMAL + "m=audio\r\n",
        MINIMAL + "m=audio 9\r\n",
        MINIMAL + "m=audio 65536 RTP/AVP 0\r\n",
        MINIMAL + "m=audio -1 RTP/AVP 0\r\n",
        MINIMAL + "m=audio 9/x RTP/AVP 0\r\n",
        MINIMAL + "m=audio 9 RTP/AVP 0\r\n" * (MAX_MEDIA + 1),
        "\r\n" + MINIMAL,
    ],
    ids=[
        "nothing", "no version", "another version", "no port", "no protocol", "a port too large", "a negative port",
        "a count that is none", "too many media", "a blank line first",
    ],
)  # fmt: skip
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        SessionDescription.parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "a=mid:a b", "a=sctp-port:70000", "a=sctpmap:", "a=max-message-size:x", "a=setup:x", "a=rtpmap:x", "a=ssrc:x",
        "a=simulcast:x", "a=rid:x", "a=extmap:x", "a=fingerprint:x", "a=msid:", "a=rtcp-fb:x", "c=IN", "a=ssrc-group:",
        "a=mid:0",
    ],
)  # fmt: skip
def test_check_finds_what_is_malformed(line: str) -> None:
    parsed = SessionDescription.parse(f"{DATA}m=audio 9 RTP/AVP 0\r\n{line}\r\n")
    with pytest.raises(WireError):
        parsed.check()


@pytest.mark.parametrize("line", ["o=-", "a=group:", "a=group:BUNDLE 1"])
def test_check_finds_what_is_malformed_in_the_session(line: str) -> None:
    with pytest.raises(WireError):
        SessionDescription.parse(f"v=0\r\n{line}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n").check()


def test_only_so_many_candidates_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MAX_CANDIDATES", 3)
    parsed = SessionDescription.parse(DATA + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 5)
    assert len(parsed.media[0].candidates) == 3


def test_a_description_is_written() -> None:
    fingerprint = Certificate.generate(now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).fingerprint()
    written = SessionDescription()
    for kind, value in (("v", "0"), ("o", "- 1 2 IN IP4 127.0.0.1"), ("s", "-"), ("t", "0 0")):
        written.add(kind, value)
    written.add_attribute("group", "BUNDLE 0")
    medium = written.add_media("application", 9, "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    medium.add("c", "IN IP4 0.0.0.0")
    medium.add_attribute("mid", "0")
    medium.add_attribute("fingerprint", fingerprint)
    medium.add_attribute("sctp-port", 5_000)
    again = SessionDescription.parse(str(written))
    again.check()
    assert again.media[0].fingerprints == [fingerprint]
    assert again.bundle == ("0",)
    assert (again.medium("0") or pytest.fail("no medium")).sctp_port == 5_000
    assert again.medium("1") is None
    with pytest.raises(LocalProtocolError):
        written.add_media("audio", 9, "RTP/AVP", ["0\r\na=evil"])
    with pytest.raises(WireError):
        written.add_media("audio", 70_000, "RTP/AVP", [0])
    assert len(written.media) == 1


@given(st.lists(st.sampled_from([*read(NAMES[0]).splitlines(keepends=True), "m=audio 9 RTP/AVP 0\n", "z=?\n"])))
def test_lines_in_any_order_are_kept(lines: list[str]) -> None:
    text = "v=0\r\n" + "".join(lines)
    assert str(SessionDescription.parse(text)) == text
