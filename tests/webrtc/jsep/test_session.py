"""Offer and answer between two sessions, and with what browsers wrote."""

from __future__ import annotations

import re

import pytest

from tests.webrtc.jsep.two import (
    ANSWER,
    LEFT,
    OFFER,
    PRANSWER,
    RIGHT,
    answer,
    exchange,
    offer,
    sections,
    session,
    side,
    vector,
)
from zwerm.core.errors import WireError
from zwerm.webrtc import InvalidAccessError, InvalidStateError, OperationError
from zwerm.webrtc.dtls.event import Role
from zwerm.webrtc.jsep.events import TrackAdded, TrackRemoved, TransceiverAdded, TransceiverRemoved
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.jsep.signaling import Side
from zwerm.webrtc.jsep.transceiver import Transceiver
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Direction


def test_data_channels_are_agreed_on_and_the_answerer_begins() -> None:
    left, right = session(), session(data=False)
    offered, answered = exchange(left, right)
    assert sections(offered) == sections(answered) == [("application", "0", "data")]
    assert offered.bundle == answered.bundle == ("0",)
    assert (left.role, right.role) == (Role.SERVER, Role.CLIENT)
    assert left.remote is not None
    assert right.remote is not None
    assert (left.remote.credentials, right.remote.credentials) == (RIGHT.credentials, LEFT.credentials)
    assert not left.is_negotiation_needed()
    assert not right.is_negotiation_needed()


def test_transceivers_come_in_the_order_they_were_made_and_data_last() -> None:
    left, right = session(media="vav"), session(data=False)
    offered, answered = exchange(left, right)
    assert sections(offered) == [
        ("video", "0", "sendrecv"),
        ("audio", "1", "sendrecv"),
        ("video", "2", "sendrecv"),
        ("application", "3", "data"),
    ]
    assert [one[2] for one in sections(answered)] == ["inactive", "inactive", "inactive", "data"]
    assert offered.bundle == answered.bundle == ("0", "1", "2", "3")
    assert [one.mid for one in left.transceivers] == [one.mid for one in right.transceivers] == ["0", "1", "2"]
    assert [one.current_direction for one in left.transceivers] == [Direction.INACTIVE] * 3


def test_what_the_program_of_the_answerer_wants_is_what_flows() -> None:
    """Nothing flows that nobody asked for; the direction is both sides' wish (RFC 9429 section 5.3.1)."""
    left, right = session(media="a"), session(data=False)
    offer(left, right)
    assert right.take_events() == [TransceiverAdded(right.transceivers[0]), TrackAdded(right.transceivers[0])]
    right.transceivers[0].direction = Direction.RECVONLY
    answer(right, left)
    assert left.transceivers[0].current_direction is Direction.SENDONLY
    assert right.transceivers[0].current_direction is Direction.RECVONLY
    assert left.take_events() == []  # nothing comes from there


@pytest.mark.parametrize("used", [True, False], ids=["by addTrack", "by addTransceiver"])
def test_only_what_add_track_made_meets_an_offered_section(used: bool) -> None:
    left, right = session(media="a"), session(data=False, media="a")
    right.transceivers[0].is_from_track = used
    _, answered = exchange(left, right)
    assert len(right.transceivers) == (1 if used else 2)
    assert sections(answered)[0][2] == ("sendrecv" if used else "inactive")
    assert right.is_negotiation_needed() is not used


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize("kind", ["data", "media"])
def test_offers_of_browsers_are_answered_section_by_section(browser: str, kind: str) -> None:
    text = vector(f"{browser}-{kind}-offer")
    ours = session(data=False)
    ours.set_remote(OFFER, text)
    answered = ours.create_answer(RIGHT)
    ours.set_local(ANSWER, answered)
    offered, parsed = SessionDescription.parse(text), SessionDescription.parse(answered)
    assert [(one[0], one[1]) for one in sections(parsed)] == [(one.kind, one.mid) for one in offered.media]
    assert [one[2] for one in sections(parsed)] == (["data"] if kind == "data" else ["inactive", "inactive", "data"])
    assert parsed.bundle == offered.bundle
    assert ours.remote is not None
    assert (ours.remote.mid, ours.remote.has_data) == ("0", True)
    for one, theirs in zip(parsed.media, offered.media, strict=True):
        assert set(one.formats) <= set(theirs.formats)
        assert {extension.id for extension in one.header_extensions} <= {x.id for x in theirs.header_extensions}


def test_a_section_that_both_refused_is_used_again() -> None:
    left, right = session(media="av"), session(data=False)
    exchange(left, right)
    gone = left.transceivers[0]
    gone.is_stopping = True
    assert left.is_negotiation_needed()
    offered, answered = exchange(left, right)
    assert sections(offered)[0] == sections(answered)[0] == ("audio", "0", "rejected")
    assert gone.is_stopped
    assert TransceiverRemoved(gone) in left.take_events()
    assert len(left.transceivers) == len(right.transceivers) == 1
    left.transceivers.append(Transceiver("video", Direction.SENDONLY))
    offered, answered = exchange(left, right)
    assert [one[1] for one in sections(offered)] == ["3", "1", "2"]
    assert sections(offered)[0] == ("video", "3", "sendonly")
    assert sections(answered)[0] == ("video", "3", "inactive")
    assert not left.is_negotiation_needed()


def test_a_refused_section_stays_refused_while_nothing_needs_its_place() -> None:
    left, right = session(media="a"), session(data=False)
    exchange(left, right)
    right.transceivers[0].is_stopping = True
    assert right.is_negotiation_needed()
    exchange(left, right)
    assert not left.transceivers
    offered, answered = exchange(right, left, (RIGHT, LEFT))
    assert sections(offered)[0] == sections(answered)[0] == ("audio", "0", "rejected")
    assert offered.bundle == ("1",)


def test_max_bundle_offers_new_sections_without_a_transport_of_their_own() -> None:
    left, right = session(media="av", is_bundle_only=True), session(data=False)
    offered, answered = exchange(left, right)
    assert [one.has("bundle-only") for one in offered.media] == [False, True, True]
    assert [one.port for one in offered.media] == [9, 0, 0]
    assert not any(one.is_rejected for one in answered.media)
    again = SessionDescription.parse(left.create_offer(LEFT))
    assert not any(one.has("bundle-only") for one in again.media)


def test_simulcast_is_offered_and_what_the_answer_takes_is_kept() -> None:
    left, right = session(data=False, media="v"), session(data=False)
    left.transceivers[0].rids = ("h", "m", "l")
    text = offer(left, right)
    (medium,) = SessionDescription.parse(text).media
    assert [str(rid) for rid in medium.rids] == ["h send", "m send", "l send"]
    assert str(medium.simulcast) == "send h;m;l"
    answered = right.create_answer(RIGHT)
    left.set_remote(ANSWER, answered + "a=rid:h recv\r\na=rid:l recv\r\na=simulcast:recv h;l\r\n")
    assert left.transceivers[0].rids == ("h", "l")


def test_an_offer_to_receive_simulcast_asks_us_for_its_encodings() -> None:
    right = session(data=False)
    right.set_remote(
        OFFER, vector("chromium-media-offer").replace("simulcast:send", "simulcast:recv").replace(" send\n", " recv\n")
    )
    video = right.transceivers[1]
    assert video.rids == ("h", "m", "l")
    right.rollback()
    assert right.transceivers == []


def test_a_provisional_answer_may_change_until_the_last_one() -> None:
    left, right = session(media="a"), session(data=False)
    offer(left, right)
    answer(right, left, kind=PRANSWER)
    assert (left.signaling.state, right.signaling.state) == ("have-remote-pranswer", "have-local-pranswer")
    assert (left.role, right.role) == (Role.SERVER, Role.CLIENT)
    assert left.transceivers[0].current_direction is Direction.INACTIVE
    right.transceivers[0].direction = Direction.SENDRECV
    for one in (left, right):
        with pytest.raises(InvalidStateError):
            one.rollback()
        with pytest.raises(InvalidStateError):
            one.create_offer(LEFT)
    answer(right, left)
    assert left.signaling.state == right.signaling.state == "stable"
    assert left.transceivers[0].current_direction is Direction.SENDRECV
    assert TrackAdded(left.transceivers[0]) in left.take_events()


def test_the_other_sides_track_goes_when_it_stops_sending() -> None:
    left, right = session(media="a"), session(data=False)
    exchange(left, right)
    right.take_events()
    left.transceivers[0].direction = Direction.RECVONLY
    assert left.is_negotiation_needed()
    exchange(left, right)
    assert right.take_events() == []  # it was not taken, so nothing can go
    right.transceivers[0].direction = Direction.RECVONLY
    left.transceivers[0].direction = Direction.SENDONLY
    exchange(left, right)
    assert [type(event) for event in right.take_events()] == [TrackAdded]
    left.transceivers[0].direction = Direction.INACTIVE
    exchange(left, right)
    assert [type(event) for event in right.take_events()] == [TrackRemoved]


# Rollback.


def test_an_offer_of_ours_that_is_taken_back_leaves_nothing() -> None:
    left = session(media="a")
    text = left.create_offer(LEFT)
    left.set_local(OFFER, text)
    assert left.transceivers[0].mid == "0"
    left.rollback()
    assert (left.transceivers[0].mid, left.transport, left.signaling.state) == (None, None, "stable")
    assert left.is_negotiation_needed()
    assert sections(left.create_offer(LEFT)) == sections(text)


def test_an_offer_that_is_taken_back_after_others_were_agreed_on_leaves_those() -> None:
    left, right = session(), session(data=False)
    exchange(left, right)
    before = (left.remote, left.role, left.transport)
    left.transceivers.append(late := Transceiver("video", Direction.SENDRECV))
    left.set_local(OFFER, left.create_offer(LEFT))
    assert late.mid == "1"
    left.rollback()
    assert (late.mid, left.remote, left.role, left.transport) == (None, *before)
    offered, _ = exchange(left, right)
    assert sections(offered)[1] == ("video", "1", "sendrecv")


def test_what_an_offer_brought_goes_with_it_unless_the_program_has_put_a_track_on_it() -> None:
    left, right = session(media="av"), session(data=False)
    offer(left, right)
    kept, gone = right.transceivers
    kept.is_from_track = True
    right.take_events()
    right.rollback()
    assert right.transceivers == [kept]
    assert (kept.mid, gone.is_stopped, right.remote) == (None, True, None)
    assert right.take_events() == [TrackRemoved(kept), TrackRemoved(gone), TransceiverRemoved(gone)]
    offer(left, right)  # it may come again, and meets what was kept
    assert right.transceivers[0] is kept
    assert kept.mid == "0"


def test_offers_that_cross_end_when_one_side_takes_its_own_back() -> None:
    left, right = session(media="a"), session(media="v")
    for one in (left, right):
        one.set_local(OFFER, one.create_offer(LEFT if one is left else RIGHT))
    ours = left.signaling.pending[Side.LOCAL].sdp
    with pytest.raises(InvalidStateError):
        right.set_remote(OFFER, ours)
    right.rollback()
    right.set_remote(OFFER, ours)
    answer(right, left)
    assert right.is_negotiation_needed()
    offered, _ = exchange(right, left, (RIGHT, LEFT))
    assert [one[0] for one in sections(offered)] == ["audio", "application", "video"]
    assert not right.is_negotiation_needed()
    assert not left.is_negotiation_needed()


# ICE restarts.


def test_new_credentials_in_an_offer_are_a_restart() -> None:
    left, right = session(), session(data=False)
    exchange(left, right)
    assert not right.restarts
    offer(left, right, side(2))
    assert right.restarts
    answer(right, left, side(3))
    assert not right.restarts
    assert left.remote is not None
    assert left.remote.credentials == side(3).credentials
    assert left.ufrags(Side.LOCAL) == {side(2).credentials.ufrag}


def test_an_answer_restarts_nothing_by_itself() -> None:
    left, right = session(), session(data=False)
    exchange(left, right)
    offer(left, right)
    text = right.create_answer(side(3))
    with pytest.raises(InvalidAccessError, match="restart"):
        left.set_remote(ANSWER, text)
    assert left.signaling.state == "have-local-offer"


# Candidates.


def test_a_candidate_belongs_to_the_section_that_stands_for_the_transport() -> None:
    right = session(data=False)
    with pytest.raises(InvalidStateError):
        right.generation_of("0", None, None)
    right.set_remote(OFFER, vector("chromium-media-offer"))
    ufrag = "3LaP"
    assert right.generation_of("0", None, None) == right.generation_of(None, 0, ufrag) == ufrag
    assert right.generation_of(None, None, None) == ufrag  # the end of all candidates
    assert right.generation_of("1", None, ufrag) is right.generation_of(None, 2, None) is None
    for mid, index, fragment in (("9", None, None), (None, 3, None), (None, -1, None), ("0", None, "other")):
        with pytest.raises(OperationError):
            right.generation_of(mid, index, fragment)


# What does not fit.


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("m=application", "m=audio", InvalidAccessError),
        ("BUNDLE 0 1", "BUNDLE 0", OperationError),
        ("a=rtcp-mux\r\n", "", InvalidAccessError),
        ("a=setup:active", "a=setup:actpass", WireError),
        ("a=ice-pwd", "a=was", WireError),
    ],
    ids=["another kind", "not bundled", "no mux", "no role", "no password"],
)
def test_an_answer_that_does_not_fit_changes_nothing(old: str, new: str, error: type[Exception]) -> None:
    left, right = session(media="a"), session(data=False)
    offer(left, right)
    text = right.create_answer(RIGHT)
    broken = text.replace(old, new)
    assert broken != text
    with pytest.raises(error):
        left.set_remote(ANSWER, broken)
    assert left.signaling.state == "have-local-offer"
    left.set_remote(ANSWER, text)
    assert left.signaling.state == "stable"


def test_an_answer_has_the_names_of_its_offer() -> None:
    left, right = session(media="a"), session(data=False)
    offer(left, right)
    text = right.create_answer(RIGHT).replace("BUNDLE 0 1", "BUNDLE 0 7").replace("mid:1", "mid:7")
    with pytest.raises(
        InvalidAccessError, match="section 1 of the answer is application '7', expected application '1'"
    ):
        left.set_remote(ANSWER, text)


def test_an_answer_has_as_many_sections_as_its_offer_and_accepts_what_was_offered() -> None:
    left, right = session(media="a"), session(data=False)
    offer(left, right)
    text = right.create_answer(RIGHT)
    with pytest.raises(InvalidAccessError, match="1 sections, expected 2"):
        left.set_remote(ANSWER, text[: text.index("m=application")].replace("BUNDLE 0 1", "BUNDLE 0"))
    left.set_remote(ANSWER, text)
    left.transceivers[0].is_stopping = True
    left.set_local(OFFER, left.create_offer(LEFT))
    with pytest.raises(InvalidAccessError, match="was not offered"):
        left.set_remote(ANSWER, text)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text[: text.index("m=application")].replace("BUNDLE 0 1", "BUNDLE 0"), InvalidAccessError),
        (lambda text: text.replace("mid:0", "mid:x").replace("BUNDLE 0 1", "BUNDLE x 1"), InvalidAccessError),
        (lambda text: text.replace("01:01:01:01", "09:09:09:09").replace("00:00:00:00", "09:09:09:09"), OperationError),
        (lambda text: text.replace("sctp-port:5000", "sctp-port:5001"), OperationError),
    ],
    ids=["a section less", "another mid", "another certificate", "another port"],
)
def test_a_later_offer_goes_on_with_what_stands(change: object, error: type[Exception]) -> None:
    left, right = session(media="a"), session(data=False)
    exchange(left, right)
    text = right.create_offer(RIGHT)
    with pytest.raises(error):
        left.set_remote(OFFER, change(text))  # type: ignore[operator]
    assert left.signaling.state == "stable"
    left.set_remote(OFFER, text)


def test_sections_that_are_no_media_over_dtls_are_refused() -> None:
    text = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=mid:0\r\n"
        "m=image 5002 udptl t38\r\nc=IN IP4 192.0.2.1\r\na=mid:1\r\n"
    )
    ours = session(data=False)
    ours.set_remote(OFFER, text)
    answered = ours.create_answer(RIGHT)
    ours.set_local(ANSWER, answered)
    assert [one[2] for one in sections(answered)] == ["rejected", "rejected"]
    assert (ours.transceivers, ours.remote, ours.transport) == ([], None, None)


def test_data_channels_outside_the_bundle_are_taken_alone() -> None:
    text = vector("chromium-media-offer").replace("BUNDLE 0 1 2", "BUNDLE 0 1")
    ours = session(data=False)
    ours.set_remote(OFFER, text)
    answered = ours.create_answer(RIGHT)
    assert [one[2] for one in sections(answered)] == ["rejected", "rejected", "data"]
    assert SessionDescription.parse(answered).bundle == ()


def test_media_that_has_no_format_in_common_is_refused() -> None:
    text = vector("chromium-media-offer").replace("VP8", "VP88").replace("VP9", "VP99").replace("H264", "H265")
    ours = session(data=False)
    ours.set_remote(OFFER, text.replace("AV1", "AV2"))
    assert [one[2] for one in sections(ours.create_answer(RIGHT))] == ["inactive", "rejected", "data"]


def test_answers_and_offers_have_their_states() -> None:
    ours: Session = session()
    with pytest.raises(InvalidStateError):
        ours.create_answer(LEFT)
    ours.set_remote(OFFER, vector("firefox-data-offer"))
    with pytest.raises(InvalidStateError):
        ours.create_offer(LEFT)
    ours.close()
    with pytest.raises(InvalidStateError):
        ours.create_offer(LEFT)


@pytest.mark.parametrize("is_malformed", [True, False], ids=["malformed", "left out"])
def test_the_section_that_is_left_when_the_first_is_refused_need_not_say_who_is_there(is_malformed: bool) -> None:
    """RFC 9143 section 7.1.3: of a bundle the first section says it; credentials that are there have to be right."""
    left, right = session(media="a"), session(data=False)
    text = left.create_offer(LEFT)
    first, last = text.split("m=application")
    password = "a=ice-pwd:short" if is_malformed else "a=was"
    changed = re.sub(
        "a=rtpmap:.*", "a=rtpmap:99 unknown/8000", re.sub("m=audio.*", "m=audio 9 UDP/TLS/RTP/SAVPF 99", first)
    )
    changed += "m=application" + re.sub("a=ice-pwd:.*", password, last)
    if is_malformed:
        with pytest.raises(WireError):
            right.set_remote(OFFER, changed)
        assert right.signaling.state == "stable"
        return
    right.set_remote(OFFER, changed)
    answered = right.create_answer(RIGHT)
    right.set_local(ANSWER, answered)
    assert [one[2] for one in sections(answered)] == ["rejected", "data"]
    assert right.remote is not None
    assert right.remote.credentials == LEFT.credentials
