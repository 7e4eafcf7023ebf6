"""A description of the other side is refused and changes nothing, or is answered section by section; work goes on."""

from tests.fuzz.inputs import text
from tests.webrtc.jsep.two import ANSWER, LEFT, OFFER, PRANSWER, RIGHT, answer, exchange, offer, session, vector
from zwerm.core.errors import WireError
from zwerm.webrtc.jsep.checks import check_answer
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.w3c.errors import InvalidAccessError, OperationError

_REFUSALS = (WireError, InvalidAccessError, OperationError)  # what `setRemoteDescription` makes an error of
_LEFT, _RIGHT = session(media="av"), session(media="a")
_TEXTS = [
    vector("chromium-data-offer"),
    vector("chromium-data-answer"),
    vector("firefox-data-offer"),
    vector("firefox-data-answer"),
    vector("sip-phone"),
    offer(_LEFT, _RIGHT),
    answer(_RIGHT, _LEFT),
]
SEEDS = [bytes([choice]) + one.encode()[:3_000] for one in _TEXTS for choice in (0, 3, 6)]


def fuzz(data: bytes) -> None:
    """The first byte: its last bit an answer to ours, or an offer; then whether something was agreed before."""
    choice, sdp = data[0] if data else 0, text(data[1:])
    ours = session(media="a" if choice & 4 else "", is_bundle_only=bool(choice & 8))
    if choice & 2:
        exchange(ours, session(media="a"))
    kind = OFFER
    if choice & 1:
        ours.set_local(OFFER, ours.create_offer(LEFT))
        kind = PRANSWER if choice & 16 else ANSWER
    before = _standing(ours)
    try:
        ours.set_remote(kind, sdp)
    except _REFUSALS:
        assert _standing(ours) == before
        if not choice & 1:
            ours.create_offer(LEFT)
        return
    if kind == OFFER:
        answered = ours.create_answer(RIGHT)
        ours.set_local(ANSWER, answered)
        parsed = SessionDescription.parse(answered)
        parsed.check()
        check_answer(parsed, SessionDescription.parse(sdp))
    ours.take_events()
    if ours.signaling.state == "stable":
        again = ours.create_offer(LEFT)
        SessionDescription.parse(again).check()
        ours.set_local(OFFER, again)
        ours.rollback()
        assert ours.signaling.state == "stable"


def _standing(ours: Session) -> tuple[object, ...]:
    """What a refused description must leave alone."""
    transceivers = [(one.mid, one.direction, one.current_direction) for one in ours.transceivers]
    return ours.signaling.state, ours.remote, ours.role, ours.transport, transceivers
