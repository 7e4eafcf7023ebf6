"""The checklist (RFC 8445 section 6.1.2): which pairs there are, and which is checked next.

Candidates may come in any order and at any time (RFC 8838 section 12): each new one is paired with those of the other
side that are here. A path, that is one base and one remote address, is tried by one pair only; of two candidates that
would share it the one with the higher priority stays, unless the other's check is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.pair import BaseKind, LocalCandidate, Pair, PairState, Path, RemoteCandidate

_OPPOSITE = {
    TcpType.ACTIVE: TcpType.PASSIVE,
    TcpType.PASSIVE: TcpType.ACTIVE,
    TcpType.SIMULTANEOUS_OPEN: TcpType.SIMULTANEOUS_OPEN,
}


class Checklist:
    """The pairs of one generation."""

    def __init__(self, role: Role, max_pairs: int) -> None:
        self.role = role
        self._max_pairs = max_pairs
        self._pairs: dict[Path, Pair] = {}
        self._triggered: deque[Pair] = deque()

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)

    def by_priority(self) -> list[Pair]:
        return sorted(self._pairs.values(), key=lambda pair: pair.priority(self.role), reverse=True)

    def find(self, path: Path) -> Pair | None:
        return self._pairs.get(path)

    def valid(self) -> list[Pair]:
        return [pair for pair in self._pairs.values() if pair.is_valid]

    def pair_up(self, local: LocalCandidate, remote: RemoteCandidate) -> Pair | None:
        """Make the pair of two candidates, if they go together and there is room (sections 6.1.2.2 to 6.1.2.5)."""
        if not _match(local, remote):
            return None
        pair = Pair(local, remote)
        known = self._pairs.get(pair.path)
        if known is not None:
            if known.state not in (PairState.FROZEN, PairState.WAITING) or known.is_triggered:
                return None
            if known.priority(self.role) >= pair.priority(self.role):
                return None
            self.remove(known)
        elif len(self._pairs) >= self._max_pairs and not self._make_room(pair):
            return None
        self._pairs[pair.path] = pair
        self._set_first_state(pair)
        return pair

    def insert(self, pair: Pair) -> bool:
        """Add a pair that a request of the other side made known; False when there is no room."""
        if len(self._pairs) >= self._max_pairs and not self._make_room(pair):
            return False
        self._pairs[pair.path] = pair
        pair.state = PairState.WAITING
        return True

    def remove(self, pair: Pair) -> None:
        self._pairs.pop(pair.path, None)
        self._unqueue(pair)
        if pair.state in (PairState.WAITING, PairState.IN_PROGRESS):
            self.unfreeze(pair.foundation)

    def set_stream(self, pair: Pair, stream: int | None) -> None:
        """A connection for `pair` was opened or lost: its path is another one."""
        self._pairs.pop(pair.path, None)
        pair.stream = stream
        self._pairs[pair.path] = pair

    def trigger(self, pair: Pair) -> None:
        """Let `pair` be the next one checked (RFC 8445 section 7.3.1.4)."""
        if not pair.is_triggered:
            pair.is_triggered = True
            self._triggered.append(pair)
        if not pair.is_valid:
            pair.state = PairState.WAITING

    @property
    def is_triggered(self) -> bool:
        """Whether a triggered check waits."""
        return bool(self._triggered)

    def has_work(self) -> bool:
        """Whether there is a pair to check."""
        return bool(self._triggered) or any(
            pair.state in (PairState.FROZEN, PairState.WAITING) for pair in self._pairs.values()
        )

    def next_pair(self) -> Pair | None:
        """The pair to check now (RFC 8445 section 6.1.4.2); it leaves the queue, its state is the caller's to set."""
        if self._triggered:
            pair = self._triggered.popleft()
            pair.is_triggered = False
            return pair
        waiting = [pair for pair in self._pairs.values() if pair.state is PairState.WAITING]
        if not waiting:
            self._thaw()
            waiting = [pair for pair in self._pairs.values() if pair.state is PairState.WAITING]
        return max(waiting, key=lambda pair: pair.priority(self.role), default=None)

    def unfreeze(self, foundation: tuple[str, str]) -> None:
        """A pair of that foundation succeeded, or is out of the way: the others may be tried (section 7.2.5.3.3)."""
        for pair in self._pairs.values():
            if pair.state is PairState.FROZEN and pair.foundation == foundation:
                pair.state = PairState.WAITING

    def active(self) -> int:
        """How many pairs wait for a check or for its answer."""
        return sum(pair.state in (PairState.WAITING, PairState.IN_PROGRESS) for pair in self._pairs.values())

    def _set_first_state(self, pair: Pair) -> None:
        """Of the pairs of one foundation the best waits and the others are frozen (section 6.1.2.6, RFC 8838 12)."""
        same = [other for other in self._pairs.values() if other.foundation == pair.foundation and other is not pair]
        if any(other.is_valid for other in same):
            pair.state = PairState.WAITING
            return
        busy = [other for other in same if other.state in (PairState.WAITING, PairState.IN_PROGRESS)]
        if not busy:
            pair.state = PairState.WAITING
        elif all(other.state is PairState.WAITING and not other.is_triggered for other in busy) and all(
            other.priority(self.role) < pair.priority(self.role) for other in busy
        ):
            for other in busy:
                other.state = PairState.FROZEN
            pair.state = PairState.WAITING

    def _thaw(self) -> None:
        """Nothing waits: take the best pair of each foundation that is not being checked."""
        busy = {pair.foundation for pair in self._pairs.values() if pair.state is PairState.IN_PROGRESS}
        for pair in self.by_priority():
            if pair.state is PairState.FROZEN and pair.foundation not in busy:
                pair.state = PairState.WAITING
                busy.add(pair.foundation)

    def _make_room(self, pair: Pair) -> bool:
        """Drop what matters least: a failed pair, else the lowest that is not under way and stands below `pair`."""
        failed = [other for other in self._pairs.values() if other.state is PairState.FAILED]
        idle = [other for other in self._pairs.values() if other.state in (PairState.FROZEN, PairState.WAITING)]
        worst = min(failed or idle, key=lambda other: other.priority(self.role), default=None)
        if worst is None or (not failed and worst.priority(self.role) >= pair.priority(self.role)):
            return False
        self.remove(worst)
        return True

    def _unqueue(self, pair: Pair) -> None:
        if pair.is_triggered:
            pair.is_triggered = False
            self._triggered.remove(pair)


def _match(local: LocalCandidate, remote: RemoteCandidate) -> bool:
    """Whether the two speak one transport and one family; link-local IPv6 reaches only its own kind (6.1.2.2)."""
    if local.candidate.component != remote.candidate.component:
        return False
    if local.base.kind is BaseKind.TCP:
        tcp_type = local.base.tcp_type
        if tcp_type is None or tcp_type is TcpType.PASSIVE or remote.candidate.tcp_type is not _OPPOSITE[tcp_type]:
            return False  # a passive one does not check: the other side comes (RFC 6544 section 6.2)
    elif not remote.candidate.is_udp:
        return False
    ours, theirs = local.base.address[0], remote.address[0]
    if (":" in ours) != (":" in theirs):
        return False
    return ":" not in ours or _is_link_local(ours) == _is_link_local(theirs)


def _is_link_local(host: str) -> bool:
    return host[:3].lower() in ("fe8", "fe9", "fea", "feb")
