"""Who is online at the other processes of the service: what each of them said of its own sessions."""

from __future__ import annotations

from typing import Any, NamedTuple

from zwerm.calls.sessions import Party, Presence, Session


class Away(NamedTuple):
    """A session of another process."""

    party: Party
    process: str
    presence: Presence
    is_connected: bool


def described(session: Session) -> list[Any]:
    """How a session is told to the others."""
    party = session.party
    return [
        party.device,
        party.name,
        party.key,
        party.label,
        session.presence.value,
        session.connection is not None,
    ]


def away(process: str, given: list[Any]) -> Away:
    """Read what `described` wrote."""
    endpoint, name, key, label, presence, is_connected = given
    return Away(Party(name, endpoint, key, label), process, Presence(presence), is_connected)


class Elsewhere:
    """The sessions of all other processes."""

    def __init__(self) -> None:
        self._by_endpoint: dict[str, Away] = {}
        self._by_name: dict[str, dict[str, Away]] = {}

    def put(self, new: Away) -> Away | None:
        """Note a session; return what was known of it."""
        endpoint, name = new.party.device, new.party.name
        old = self._by_endpoint.get(endpoint)
        self._by_endpoint[endpoint] = new
        if name is not None:
            self._by_name.setdefault(name, {})[endpoint] = new
        return old

    def remove(self, endpoint: str, process: str | None = None) -> Away | None:
        """Forget a session, unless it is at another process by now."""
        old = self._by_endpoint.get(endpoint)
        if old is None or (process is not None and old.process != process):
            return None
        del self._by_endpoint[endpoint]
        if old.party.name is not None:
            mine = self._by_name[old.party.name]
            del mine[endpoint]
            if not mine:
                del self._by_name[old.party.name]
        return old

    def find(self, endpoint: str) -> Away | None:
        return self._by_endpoint.get(endpoint)

    def of(self, name: str) -> list[Away]:
        """The sessions of a user."""
        return list(self._by_name.get(name, {}).values())

    def at(self, process: str) -> list[Away]:
        """The sessions of a process."""
        return [each for each in self._by_endpoint.values() if each.process == process]

    def __len__(self) -> int:
        return len(self._by_endpoint)
