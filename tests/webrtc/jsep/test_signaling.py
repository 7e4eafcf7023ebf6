"""The table of WebRTC 1.0 section 4.3.1: every state, either side, every kind of description."""

from __future__ import annotations

import pytest

from zwerm.webrtc import InvalidStateError
from zwerm.webrtc.jsep.signaling import Description, Side, Signaling
from zwerm.webrtc.sdp.description import SessionDescription

# state: what the local side may set, what the remote side may set
ALLOWED = {
    "stable": ({"offer"}, {"offer"}),
    "have-local-offer": ({"offer", "rollback"}, {"answer", "pranswer", "rollback"}),
    "have-remote-offer": ({"answer", "pranswer", "rollback"}, {"offer", "rollback"}),
    "have-local-pranswer": ({"answer", "pranswer"}, set()),
    "have-remote-pranswer": (set(), {"answer", "pranswer"}),
    "closed": (set(), set()),
}
KINDS = ("offer", "pranswer", "answer", "rollback")


def described(kind: str, name: str = "") -> Description:
    return Description(kind, f"v=0\r\ns={name}\r\n", SessionDescription())


def reach(state: str) -> Signaling:
    signaling = Signaling()
    steps = {
        "have-local-offer": [(Side.LOCAL, "offer")],
        "have-remote-offer": [(Side.REMOTE, "offer")],
        "have-local-pranswer": [(Side.REMOTE, "offer"), (Side.LOCAL, "pranswer")],
        "have-remote-pranswer": [(Side.LOCAL, "offer"), (Side.REMOTE, "pranswer")],
    }
    for side, kind in steps.get(state, []):
        signaling.apply(side, described(kind))
    if state == "closed":
        signaling.close()
    assert signaling.state == state
    return signaling


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
@pytest.mark.parametrize("state", ALLOWED)
def test_what_may_come_next_is_what_the_table_says(state: str, side: Side, kind: str) -> None:
    signaling = reach(state)
    is_allowed = kind in ALLOWED[state][list(Side).index(side)]
    assert signaling.allows(side, kind) is is_allowed
    if not is_allowed:
        with pytest.raises(InvalidStateError, match=f"a {side.value} {kind} in signaling state {state}"):
            signaling.check(side, kind)
        assert signaling.state == state


@pytest.mark.parametrize("first", list(Side), ids=lambda side: side.value)
def test_an_offer_is_pending_until_it_is_answered(first: Side) -> None:
    signaling, offer, early, answer = Signaling(), described("offer"), described("pranswer"), described("answer")
    assert signaling.apply(first, offer)
    assert not signaling.apply(first, offer)
    assert (signaling.of(first), signaling.of(first.other)) == (offer, None)
    assert signaling.apply(first.other, early)
    assert not signaling.apply(first.other, early)
    assert (signaling.pending, signaling.current) == ({first: offer, first.other: early}, {})
    assert signaling.apply(first.other, answer)
    assert (signaling.state, signaling.pending) == ("stable", {})
    assert signaling.current == {first: offer, first.other: answer}


@pytest.mark.parametrize("first", list(Side), ids=lambda side: side.value)
def test_a_rollback_brings_back_what_was_agreed(first: Side) -> None:
    signaling = Signaling()
    signaling.apply(Side.LOCAL, described("offer", "one"))
    signaling.apply(Side.REMOTE, described("answer", "one"))
    agreed = dict(signaling.current)
    signaling.apply(first, described("offer", "two"))
    signaling.rollback()
    assert (signaling.state, signaling.pending, signaling.current) == ("stable", {}, agreed)
    with pytest.raises(InvalidStateError):
        signaling.rollback()
