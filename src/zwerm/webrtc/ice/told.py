"""What the caller was told last; the difference to how things stand is the next event."""

from __future__ import annotations

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.events import (
    ConnectionState,
    ConnectionStateChanged,
    GatheringState,
    GatheringStateChanged,
    RestartNeeded,
    RoleChanged,
    SelectedPairChanged,
)
from zwerm.webrtc.ice.outbox import Outbox
from zwerm.webrtc.ice.session import Session
from zwerm.webrtc.ice.standing import state_of

_ALIVE = (ConnectionState.CONNECTED, ConnectionState.COMPLETED, ConnectionState.DISCONNECTED)


class Told:
    """The state of an agent as its events have it."""

    def __init__(self, role: Role, outbox: Outbox) -> None:
        self.state = ConnectionState.NEW
        self.gathering = GatheringState.NEW
        self.pair: SelectedPairChanged | None = None
        self.pair_changes = 0
        self._role = role
        self._outbox = outbox
        self._has_asked = False  # for a restart, in this generation

    def update(self, session: Session, previous: Session | None, gathering: GatheringState, now: Instant) -> None:
        """Tell what has changed. With events waiting that nobody takes, it is told another time."""
        if self._outbox.is_full:
            return
        if session.role is not self._role:
            self._role = session.role
            self._outbox.tell(RoleChanged(session.role))
        if gathering is not self.gathering:
            self.gathering = gathering
            self._outbox.tell(GatheringStateChanged(gathering))
        self._update_pair(session if session.selected is not None or previous is None else previous)
        state, cause = _state_of(session, previous, now)
        if state is ConnectionState.NEW and self.state is not ConnectionState.NEW:
            state = ConnectionState.CHECKING  # a restart; a connection is new once
        if state is not self.state:
            self.state = state
            self._outbox.tell(ConnectionStateChanged(state, cause))
            if state in (ConnectionState.DISCONNECTED, ConnectionState.FAILED):
                self.ask_for_restart(cause)

    def ask_for_restart(self, reason: str) -> None:
        """Once in each generation."""
        if not self._has_asked:
            self._has_asked = True
            self._outbox.tell(RestartNeeded(reason))

    def restarted(self) -> None:
        """A new generation: it may ask again."""
        self._has_asked = False

    def closed(self) -> None:
        self.state = ConnectionState.CLOSED
        self.pair = None
        self._outbox.tell(ConnectionStateChanged(ConnectionState.CLOSED))

    def _update_pair(self, session: Session) -> None:
        pair = session.selected
        if pair is None:
            self.pair = None
            return
        told = SelectedPairChanged(
            pair.local_candidate, pair.remote.candidate, pair.local.base.address, pair.remote.address
        )
        if told != self.pair:
            self.pair = told
            self.pair_changes += 1
            self._outbox.tell(told)


def _state_of(session: Session, previous: Session | None, now: Instant) -> tuple[ConnectionState, str]:
    """During a restart the old pair's state counts as long as it works and the new generation has no pair."""
    state, cause = state_of(session, now)
    if state not in _ALIVE and previous is not None:
        old_state, old_cause = state_of(previous, now)
        if old_state in _ALIVE:
            still = ConnectionState.DISCONNECTED if old_state is ConnectionState.DISCONNECTED else None
            return still or ConnectionState.CONNECTED, old_cause
    return state, cause
