"""How a generation stands, and why it does not stand better: the states of RFC 8445 and the W3C from what is known."""

from __future__ import annotations

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.events import ConnectionState
from zwerm.webrtc.ice.session import Session


def state_of(session: Session, now: Instant) -> tuple[ConnectionState, str]:
    """The state, and a sentence for a person where it is none to wish for."""
    selected, consent = session.selected, session.consent
    if selected is None or consent is None:
        return _state_without_pair(session, now)
    if consent.is_expired(now):
        return ConnectionState.FAILED, "the other side did not answer for 30 s: consent has expired"
    if consent.is_suspect(now):
        return ConnectionState.DISCONNECTED, "the other side does not answer"
    if selected.is_nominated and _is_finished(session):
        return ConnectionState.COMPLETED, ""
    return ConnectionState.CONNECTED, ""


def _state_without_pair(session: Session, now: Instant) -> tuple[ConnectionState, str]:
    config = session.config
    if session.remote is None or session.checking_since is None:
        return ConnectionState.NEW, ""
    if session.lost_at is not None:
        if now - session.lost_at < config.consent_timeout:
            return ConnectionState.DISCONNECTED, "the path is gone, and there is no other"
        return ConnectionState.FAILED, f"no path for {config.consent_timeout:.0f} s"
    waited = now - session.checking_since
    is_tried = config.lite or not any(pair.is_unfinished for pair in session.checklist)
    if waited >= config.connect_timeout and is_tried:
        return ConnectionState.FAILED, f"no path found in {config.connect_timeout:.0f} s"
    if waited >= config.minimum_checking and not config.lite and _is_finished(session):
        tried = len(session.checklist)
        return ConnectionState.FAILED, f"none of {tried} pairs works" if tried else "no pair to try"
    return ConnectionState.CHECKING, ""


def _is_finished(session: Session) -> bool:
    """Whether no more pairs will come, and all there are were tried."""
    return (
        session.local_is_complete
        and not session.nomination.more_may_come
        and not any(pair.is_unfinished for pair in session.checklist)
    )
