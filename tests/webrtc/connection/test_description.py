"""Offers and answers of data channels: what we write, and what browsers' descriptions mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.connection.description import (
    Local,
    Remote,
    answer,
    offer,
    role_for_answer,
    role_for_offer,
    setup_of,
    with_candidates,
)
from zwerm.webrtc.dtls.event import Role
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Setup

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
LOCAL = Local(
    7, Credentials("ufrag", "password" * 3), ("ice2", "trickle"), Fingerprint(HashFunction.SHA_256, bytes(32)), 1_000
)
CANDIDATE = Candidate.from_text("candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host")


def read(name: str) -> SessionDescription:
    return SessionDescription.parse((VECTORS / f"{name}.sdp").read_text())


def test_an_offer_means_to_the_other_side_what_was_written() -> None:
    written = with_candidates(str(offer(LOCAL, 2, mid="data")), [CANDIDATE], has_ended=True)
    description = SessionDescription.parse(written)
    description.check()
    assert description.bundle == ("data",)
    assert Remote.from_description(description) == Remote(
        mid="data",
        credentials=LOCAL.credentials,
        ice_options=LOCAL.ice_options,
        is_lite=False,
        fingerprints=(LOCAL.fingerprint,),
        setup=Setup.ACTPASS,
        max_message_size=1_000,
        candidates=(CANDIDATE,),
        has_ended=True,
    )


def test_an_offer_of_nothing_has_no_section_and_takes_no_candidates() -> None:
    written = str(offer(LOCAL, 1, mid=None))
    assert "m=" not in written
    assert with_candidates(written, [CANDIDATE], has_ended=True) == written
    assert Remote.from_description(SessionDescription.parse(written)) is None


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize("kind", ["data", "media"])
def test_offers_of_browsers_are_answered_section_by_section(browser: str, kind: str) -> None:
    offered = read(f"{browser}-{kind}-offer")
    written = answer(LOCAL, 1, offered, Setup.ACTIVE)
    written.check()
    assert [one.mid for one in written.media] == [one.mid for one in offered.media]
    assert [one.is_rejected for one in written.media] == [not one.is_data_channel for one in offered.media]
    assert set(written.bundle) == {one.mid for one in offered.media if one.is_data_channel}


@pytest.mark.parametrize("name", ["chromium-data-offer", "firefox-data-offer", "chromium-data-answer"])
def test_descriptions_of_browsers_are_understood(name: str) -> None:
    remote = Remote.from_description(read(name))
    assert remote is not None
    assert remote.setup is (Setup.ACTPASS if name.endswith("offer") else Setup.ACTIVE)
    assert "trickle" in remote.ice_options
    assert remote.max_message_size > 65_536


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=ice-pwd", "a=was"),
        ("a=ice-pwd:", "a=ice-pwd:short\r\na=was:"),
        ("a=fingerprint", "a=was"),
        ("a=sctp-port:5000", "a=sctp-port:5001"),
        ("a=sctp-port", "a=was"),
        ("a=setup:actpass", "a=setup:maybe"),
    ],
    ids=["no password", "a short password", "no fingerprint", "another port", "no port", "no setup we know"],
)
def test_what_a_connection_cannot_do_without_is_demanded(old: str, new: str) -> None:
    description = SessionDescription.parse(str(offer(LOCAL, 1, mid="0")).replace(old, new))
    with pytest.raises(WireError):
        Remote.from_description(description)


def test_roles_follow_setup() -> None:
    assert role_for_offer(Setup.ACTPASS) is role_for_offer(Setup.PASSIVE) is Role.CLIENT
    assert role_for_offer(Setup.ACTIVE) is role_for_answer(Setup.ACTIVE) is Role.SERVER
    assert role_for_answer(Setup.PASSIVE) is Role.CLIENT
    assert (setup_of(Role.CLIENT), setup_of(Role.SERVER)) == (Setup.ACTIVE, Setup.PASSIVE)
    for setup in (Setup.ACTPASS, Setup.HOLDCONN):
        with pytest.raises(WireError):
            role_for_answer(setup)
