"""Multicast DNS names in place of addresses (draft-ietf-mmusic-mdns-ice-candidates): made, looked up, and waited for.

The network part is the caller's: it answers queries for our names and looks up those of the other side. A name that is
not registered in time is not signaled; one that is not resolved in time is no candidate.
"""

from __future__ import annotations

from random import Random

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.candidate import Candidate


def random_name(random: Random) -> str:
    """A name that says nothing: a version 4 UUID (RFC 9562) below .local (draft section 3.1.1)."""
    digits = f"{random.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}.local"


class OwnNames:
    """The names of our host addresses: one for each address, whatever the port (draft section 3.1.1)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names: dict[str, str] = {}  # by address
        self._due: dict[str, Instant] = {}  # names that wait to be registered
        self._registered: set[str] = set()

    def name_of(self, host: str, due: Instant) -> tuple[str, bool]:
        """The name of `host`, and whether it is new: then register it by `due`."""
        if host in self._names:
            return self._names[host], False
        name = self._names[host] = random_name(self._random)
        self._due[name] = due
        return name, True

    def is_registered(self, name: str) -> bool:
        return name in self._registered

    def is_waiting(self) -> bool:
        return bool(self._due)

    def registered(self, name: str, *, success: bool) -> bool:
        """Note how it went; False for a name that nobody waits for."""
        if self._due.pop(name, None) is None:
            return False
        if success:
            self._registered.add(name)
        return True

    def pop_expired(self, now: Instant) -> list[str]:
        """Give up what was to be registered by now."""
        expired = [name for name, due in self._due.items() if due <= now]
        for name in expired:
            del self._due[name]
        return expired

    def next_timeout(self) -> Instant | None:
        return min(self._due.values(), default=None)


class RemoteNames:
    """Candidates of the other side that wait for their name's address."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str, tuple[Instant, list[Candidate]]] = {}

    def add(self, candidate: Candidate, due: Instant) -> bool | None:
        """Let `candidate` wait; True when its name is to be looked up now, None when too many wait."""
        name = candidate.address.lower()
        known = self._waiting.get(name)
        if sum(len(candidates) for _, candidates in self._waiting.values()) >= self._limit:
            return None
        if known is not None:
            known[1].append(candidate)
            return False
        self._waiting[name] = (due, [candidate])
        return True

    def take(self, name: str) -> list[Candidate]:
        """The candidates that waited for `name`."""
        return self._waiting.pop(name.lower(), (0.0, []))[1]

    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def pop_expired(self, now: Instant) -> list[str]:
        """Drop the candidates whose time has ended; return their names."""
        expired = [name for name, (due, _) in self._waiting.items() if due <= now]
        for name in expired:
            del self._waiting[name]
        return expired

    def clear(self) -> None:
        self._waiting.clear()

    def next_timeout(self) -> Instant | None:
        return min((due for due, _ in self._waiting.values()), default=None)
