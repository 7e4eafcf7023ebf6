"""What descriptions of browsers and of ours mean for a transport."""

from __future__ import annotations

from pathlib import Path

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.connection.description import (
    Local,
    Remote,
    role_for_answer,
    role_for_offer,
    setup_of,
    with_candidates,
)
from zwerm.webrtc.dtls.event import Role
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.sections import add_data, begin
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Setup

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
LOCAL = Local(
    7, Credentials("ufrag", "password" * 3), ("ice2", "trickle"), Fingerprint(HashFunction.SHA_256, bytes(32)), 1_000
)
CANDIDATE = Candidate.from_text("candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host")


def read(name: str) -> SessionDescription:
    return SessionDescription.parse((VECTORS / f"{name}.sdp").read_text())


def offer() -> str:
    description = begin(LOCAL, 2, ("data",))
    add_data(description, LOCAL, "data", Setup.ACTPASS)
    return str(description)


def test_an_offer_means_to_the_other_side_what_was_written() -> None:
    description = SessionDescription.parse(
        with_candidates(SessionDescription.parse(offer()), [CANDIDATE], index=0, has_ended=True)
    )
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


def test_a_description_without_sections_takes_no_candidates_and_means_nothing() -> None:
    written = str(begin(LOCAL, 1, ()))
    assert "m=" not in written
    assert "group" not in written
    assert with_candidates(SessionDescription.parse(written), [CANDIDATE], index=0, has_ended=True) == written
    assert Remote.from_description(SessionDescription.parse(written)) is None


@pytest.mark.parametrize("name", ["chromium-data-offer", "firefox-data-offer", "chromium-data-answer"])
def test_descriptions_of_browsers_are_understood(name: str) -> None:
    remote = Remote.from_description(read(name))
    assert remote is not None
    assert remote.setup is (Setup.ACTPASS if name.endswith("offer") else Setup.ACTIVE)
    assert "trickle" in remote.ice_options
    assert remote.max_message_size > 65_536


def test_the_transport_of_media_alone_has_no_data() -> None:
    description = read("chromium-media-offer")
    remote = Remote.read(description, "0", description.media[0], None)
    assert (remote.mid, remote.has_data, remote.max_message_size) == ("0", False, 65_536)


@pytest.mark.parametrize(
    ("line", "size"),
    [("a=max-message-size:1000", 1_000), ("a=max-message-size:0", 0), ("a=x", 65_536)],
    ids=["a number", "0, which is any", "absent"],
)
def test_the_size_of_messages_is_as_it_is_said(line: str, size: int) -> None:
    """RFC 8841 section 6."""
    remote = Remote.from_description(SessionDescription.parse(offer().replace("a=max-message-size:1000", line)))
    assert remote is not None
    assert remote.max_message_size == size


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=ice-pwd", "a=was"),
        ("a=ice-pwd:", "a=ice-pwd:short\r\na=was:"),
        ("a=fingerprint", "a=was"),
        ("a=sctp-port:5000", "a=sctp-port:0"),
        ("a=sctp-port", "a=was"),
        ("a=setup:actpass", "a=setup:maybe"),
    ],
    ids=["no password", "a short password", "no fingerprint", "port 0", "no port", "no setup we know"],
)
def test_what_a_connection_cannot_do_without_is_demanded(old: str, new: str) -> None:
    description = SessionDescription.parse(offer().replace(old, new))
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
