"""Two sessions that talk to each other as texts, and what tests ask of descriptions."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

from zwerm.webrtc.connection.description import Local
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.jsep.transceiver import Transceiver
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Direction

VECTORS: Final = Path(__file__).parents[2] / "vectors" / "sdp"
OFFER, PRANSWER, ANSWER = "offer", "pranswer", "answer"


def side(number: int) -> Local:
    """What a side says of itself; another number is another side, or another generation of ICE."""
    fingerprint = Fingerprint(HashFunction.SHA_256, bytes([number % 2]) * 32)
    return Local(number, Credentials.random(Random(number)), ("ice2", "trickle"), fingerprint, 65_536)


LEFT, RIGHT = side(0), side(1)


def session(*, data: bool = True, media: str = "", is_bundle_only: bool = False) -> Session:
    """A session that wants data channels and transceivers: "a" of audio, "v" of video."""
    made = Session(is_bundle_only=is_bundle_only)
    made.wants_data = data
    for letter in media:
        made.transceivers.append(Transceiver({"a": "audio", "v": "video"}[letter], Direction.SENDRECV))
    return made


def offer(left: Session, right: Session, local: Local = LEFT) -> str:
    """Carry an offer."""
    text = left.create_offer(local)
    left.set_local(OFFER, text)
    right.set_remote(OFFER, text)
    return text


def answer(right: Session, left: Session, local: Local = RIGHT, kind: str = ANSWER) -> str:
    """Carry its answer."""
    text = right.create_answer(local)
    right.set_local(kind, text)
    left.set_remote(kind, text)
    return text


def exchange(
    left: Session, right: Session, sides: tuple[Local, Local] = (LEFT, RIGHT)
) -> tuple[SessionDescription, SessionDescription]:
    """Carry both."""
    offered = offer(left, right, sides[0])
    answered = answer(right, left, sides[1])
    return SessionDescription.parse(offered), SessionDescription.parse(answered)


def sections(description: SessionDescription | str) -> list[tuple[str, str | None, str]]:
    """Kind, mid, and direction of each section; "rejected" where it is."""
    if isinstance(description, str):
        description = SessionDescription.parse(description)
    description.check()
    return [
        (
            one.kind,
            one.mid,
            "rejected" if one.is_rejected else ("data" if one.is_data_channel else one.effective_direction.value),
        )
        for one in description.media
    ]


def vector(name: str) -> str:
    return (VECTORS / f"{name}.sdp").read_text()
