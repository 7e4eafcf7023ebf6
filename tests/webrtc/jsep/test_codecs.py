"""How formats are read, agreed on and numbered."""

from __future__ import annotations

import dataclasses

import pytest

from tests.webrtc.jsep.two import vector
from zwerm.core.errors import WireError
from zwerm.webrtc.jsep.codecs import AUDIO, VIDEO, Codec, agree, codecs_of, read_codecs, renumber
from zwerm.webrtc.sdp.description import MediaDescription, SessionDescription

H264 = next(codec for codec in VIDEO if codec.encoding == "H264")


def media(name: str) -> list[MediaDescription]:
    return SessionDescription.parse(vector(name)).media


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_what_browsers_offer_is_agreed_on_by_their_numbers(browser: str) -> None:
    audio, video = media(f"{browser}-media-offer")[:2]
    agreed = agree(AUDIO, read_codecs(audio))
    assert {codec.encoding.lower() for codec in agreed} == {"opus", "g722", "pcmu", "pcma"}
    assert [str(codec.payload_type) for codec in agreed] == [one for one in audio.formats if one in _numbers(agreed)]
    both = agree(VIDEO, read_codecs(video))
    assert both[0].encoding == "VP8"
    assert both[1].repaired == both[0].payload_type
    assert {"VP8", "VP9"} <= {codec.encoding for codec in both}
    assert len({codec.payload_type for codec in both}) == len(both)


def _numbers(codecs: list[Codec]) -> set[str]:
    return {str(codec.payload_type) for codec in codecs}


def test_the_order_is_the_offers_unless_the_program_prefers_one() -> None:
    offered = [dataclasses.replace(codec, payload_type=100 + place) for place, codec in enumerate(reversed(AUDIO))]
    assert [codec.encoding for codec in agree(AUDIO, offered)] == ["PCMA", "PCMU", "G722", "opus"]
    preferred = agree(AUDIO[:2], offered, is_ours_first=True)
    assert [(codec.encoding, codec.payload_type) for codec in preferred] == [("opus", 103), ("G722", 102)]


@pytest.mark.parametrize(
    ("parameters", "agrees"),
    [
        ("packetization-mode=1;profile-level-id=42e034", True),
        ("packetization-mode=1;profile-level-id=42c01f", True),
        ("packetization-mode=1;profile-level-id=42001f", False),
        ("packetization-mode=1;profile-level-id=640c1f", False),
        ("profile-level-id=42e01f", False),
        ("", False),
    ],
    ids=["another level", "another spelling", "baseline", "high", "mode 0", "nothing said"],
)
def test_h264_agrees_by_profile_and_packetization(parameters: str, agrees: bool) -> None:
    assert H264.agrees(dataclasses.replace(H264, parameters=parameters)) is agrees


def test_formats_of_fixed_numbers_need_no_rtpmap_and_others_are_passed_over() -> None:
    text = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 8 99\r\n"
    (medium,) = SessionDescription.parse(text).media
    assert [codec.encoding for codec in read_codecs(medium)] == ["PCMU", "PCMA"]
    (wrong,) = SessionDescription.parse(text.replace("99", "128")).media
    with pytest.raises(WireError):
        read_codecs(wrong)


def test_numbers_that_were_given_stay_and_none_stands_for_two() -> None:
    known = [Codec(96, "opus", 48_000, 2), Codec(120, "VP8", 90_000), Codec(124, "rtx", 90_000, None, "apt=120")]
    numbered = renumber(VIDEO, known)
    assert [codec.payload_type for codec in numbered[:2]] == [120, 124]
    assert numbered[1].repaired == 120
    assert 96 not in [codec.payload_type for codec in numbered]
    assert len({codec.payload_type for codec in numbered}) == len(VIDEO)
    for codec in numbered:
        assert codec.repaired in (None, *(one.payload_type for one in numbered))


def test_each_kind_has_its_formats() -> None:
    assert (codecs_of("audio"), codecs_of("video")) == (AUDIO, VIDEO)
