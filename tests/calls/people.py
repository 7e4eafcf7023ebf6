"""People and their devices for tests of the machines: no store, no sockets, a clock that is a number."""

from __future__ import annotations

import json
from typing import Any

from zwerm.calls.limits import CallsConfig
from zwerm.calls.message import parse_event
from zwerm.calls.sessions import Cut, Party, Session, Wake
from zwerm.calls.switchboard import Switchboard

KEY = "B" + "A" * 86


def party(name: str | None, device: str = "1") -> Party:
    return Party(name, f"{name or 'guest'}-{device}", KEY, f"{name or 'guest'}'s {device}")


class Exchange:
    """A switchboard and what it says to everybody; each event is held against the schema."""

    def __init__(self, config: CallsConfig | None = None) -> None:
        self.now = 1_000.0
        self.board = Switchboard(config or CallsConfig())
        self.effects: list[Any] = []
        self.heard: dict[str, list[dict[str, Any]]] = {}  # by endpoint
        self.cuts: list[Cut] = []
        self.connections = 0

    def come(self, who: Party) -> Session:
        """Open a session, on a new connection."""
        session = Session(who, who.device, who.name, f"secret-of-{who.device}", self.board.config)
        self.board.sessions.open(session, self.connection(), self.now)
        self.settle()
        return session

    def connection(self) -> str:
        self.connections += 1
        return f"c{self.connections}"

    def settle(self) -> None:
        """Carry everything to where it goes."""
        self.board.pump(self.now)
        while (effect := self.board.next_event()) is not None:
            if isinstance(effect, Wake):
                while (text := self.board.sessions.next_text(effect.endpoint, self.now)) is not None:
                    self.heard.setdefault(effect.endpoint, []).append(parse_event(text))
            elif isinstance(effect, Cut):
                self.cuts.append(effect)
            else:
                self.effects.append(effect)

    def drop(self, session: Session) -> None:
        """Its connection breaks."""
        assert session.connection is not None
        self.board.sessions.lost(session.party.device, session.connection, self.now)
        self.settle()

    def resume(self, session: Session, number: int) -> Session | None:
        found = self.board.sessions.resume(session.secret, session.device, number, self.connection(), self.now)
        self.settle()
        return found

    def run(self, seconds: float) -> None:
        """Let time pass, deadline by deadline; everybody who has a connection and is asked answers."""
        end = self.now + seconds
        while (due := self.board.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            self.board.handle_timeout(self.now)
            self.settle()
            for endpoint, heard in self.heard.items():
                if {"type": "ping"} in heard:
                    heard.remove({"type": "ping"})
                    self.board.sessions.heard(endpoint, self.now)
        self.now = end

    def take(self, who: Party) -> list[dict[str, Any]]:
        """What an endpoint heard since the last time, without the numbers."""
        events = [dict(event) for event in self.heard.pop(who.device, [])]
        for event in events:
            event.pop("seq", None)
        return events

    def types(self, who: Party) -> list[str]:
        return [str(event["type"]) for event in self.take(who)]


def number_of(text: str) -> int:
    return int(json.loads(text)["seq"])
