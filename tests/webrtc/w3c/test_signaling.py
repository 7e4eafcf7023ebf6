"""The table of WebRTC 1.0 section 4.3.1."""

from __future__ import annotations

import pytest

from zwerm.webrtc import InvalidStateError, NotSupportedError, RTCSessionDescription
from zwerm.webrtc.w3c.signaling import Side, Signaling

OFFER, ANSWER = (RTCSessionDescription("v=0\r\n", kind) for kind in ("offer", "answer"))


@pytest.mark.parametrize(("first", "second"), [(Side.LOCAL, Side.REMOTE), (Side.REMOTE, Side.LOCAL)], ids=str)
def test_an_offer_is_pending_until_it_is_answered(first: Side, second: Side) -> None:
    signaling = Signaling()
    assert signaling.apply(first, OFFER)
    assert not signaling.apply(first, OFFER)
    assert (signaling.state, signaling.of(first), signaling.of(second)) == (f"have-{first.value}-offer", OFFER, None)
    assert signaling.apply(second, ANSWER)
    assert (signaling.state, signaling.pending) == ("stable", {})
    assert signaling.current == {first: OFFER, second: ANSWER}


@pytest.mark.parametrize("side", Side, ids=lambda side: side.value)
def test_what_does_not_come_next_is_refused(side: Side) -> None:
    signaling = Signaling()
    with pytest.raises(InvalidStateError, match="answer in signaling state stable"):
        signaling.apply(side, ANSWER)
    signaling.apply(side, OFFER)
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    for wrong_side, wrong in ((side, ANSWER), (other, OFFER)):
        with pytest.raises(InvalidStateError):
            signaling.check(wrong_side, wrong.type)
    signaling.close()
    with pytest.raises(InvalidStateError, match="closed"):
        signaling.check(other, "answer")


@pytest.mark.parametrize("kind", ["pranswer", "rollback"])
def test_what_is_not_there_yet_says_so(kind: str) -> None:
    with pytest.raises(NotSupportedError):
        Signaling().check(Side.LOCAL, kind)
