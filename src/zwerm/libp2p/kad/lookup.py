"""One look-up: walking towards a key by asking ever nearer peers (ipfs specs, "Lookup Process").

Theory of operation. Candidates are peers that somebody named. In the first phase they are split over disjoint paths
(S/Kademlia section 4.3): each belongs to the path on which it was first named, a path asks only its own, and ends when
its `resilience` nearest that are alive have answered. So a liar leads astray one path and not the others. In the second
phase the paths are one list, and whoever of the `k` nearest has not been asked yet is. Then the look-up is over: every
one of the result has answered a moment ago.

A peer whose word has led to nobody is not believed: after `DISTRUST` of the peers that it alone named have failed, the
others it alone named are not asked. Who invents peers next to the key costs a few time-outs and no more.

Who is slow is passed over, and counts if it answers after all: a look-up among dead peers does not wait for each of
them as long as a request may take.

The look-up sends nothing. `next_peer` says whom to ask next; `answered`, `failed` and `slow` tell it how that went.
"""

from __future__ import annotations

import enum
from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Final

from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.key import Key, key_of

DISTRUST: Final = 3  # peers that one alone named and that failed, none having answered


class State(enum.Enum):
    """How far we are with a candidate."""

    HEARD = "named by somebody"
    ASKED = "a request is under way"
    SLOW = "has not answered for a while: it may yet, but nobody waits for it"
    ANSWERED = "answered"
    FAILED = "did not answer, or not sensibly"


class Candidate:
    """A peer that was named."""

    __slots__ = (
        "addresses",
        "broken_promises",
        "depth",
        "distance",
        "kept_promises",
        "path",
        "peer",
        "referrer",
        "state",
    )

    def __init__(
        self, peer: PeerId, addresses: tuple[bytes, ...], distance: int, path: int, referrer: Candidate | None
    ) -> None:
        self.peer = peer
        self.addresses = addresses
        self.distance = distance
        self.path = path
        self.referrer = referrer  # who alone named it; None: one of ours, or several did
        self.depth: int = 1 if referrer is None else referrer.depth + 1  # requests in a row that led to its answer
        self.state = State.HEARD
        self.kept_promises = 0  # peers that it named and that answered
        self.broken_promises = 0  # peers that it alone named and that failed

    @property
    def is_believed(self) -> bool:
        return self.kept_promises > 0 or self.broken_promises < DISTRUST

    def __lt__(self, other: Candidate) -> bool:
        return self.distance < other.distance


class Lookup:
    """The state of one walk."""

    __slots__ = (
        "_by_peer",
        "_in_flight",
        "_is_merged",
        "_k",
        "_limit",
        "_local",
        "_paths",
        "_resilience",
        "_target",
        "_width",
        "is_over",
        "requests",
    )

    def __init__(
        self,
        target: Key,
        local: PeerId,
        *,
        k: int = 20,
        alpha: int = 10,
        resilience: int = 3,
        paths: int = 1,
        max_candidates: int = 1_024,
    ) -> None:
        self._target = target
        self._local = local
        self._k = k
        self._width = alpha
        self._resilience = resilience
        self._limit = max_candidates
        self._by_peer: dict[PeerId, Candidate] = {}
        self._paths: list[list[Candidate]] = [[] for _ in range(max(1, paths))]
        self._in_flight = [0] * len(self._paths)
        self._is_merged = len(self._paths) == 1
        self.is_over = False
        self.requests = 0  # asked so far

    def seed(self, peers: Iterable[tuple[PeerId, tuple[bytes, ...]]]) -> None:
        """Begin with peers that we know ourselves, the nearest first; they are dealt to the paths in turn."""
        for number, (peer, addresses) in enumerate(peers):
            self._add(peer, addresses, number % len(self._paths), None)
        self._settle()

    def next_peer(self) -> Candidate | None:
        """Return whom to ask now, and count it as asked; None when there is nobody at the moment, or ever."""
        if self.is_over or sum(self._in_flight) >= self._width:
            return None
        share = self._width if self._is_merged else max(1, self._width // len(self._paths))
        for path in range(len(self._paths)):
            if self._in_flight[path] < share:
                for candidate in self._nearest(path, self._k):
                    if candidate.state is State.HEARD:
                        candidate.state = State.ASKED
                        self._in_flight[path] += 1
                        self.requests += 1
                        return candidate
        return None

    def answered(self, peer: PeerId, named: Iterable[tuple[PeerId, tuple[bytes, ...]]]) -> None:
        """A peer that was asked answered, and named others; of these at most `k` are taken."""
        candidate = self._landed(peer, State.ANSWERED)
        if candidate is None:
            return
        if candidate.referrer is not None:
            candidate.referrer.kept_promises += 1
        for number, (other, addresses) in enumerate(named):
            if number == self._k:
                break
            self._add(other, addresses, candidate.path, candidate)
        self._settle()

    def failed(self, peer: PeerId) -> None:
        """A peer that was asked did not answer, or sent what cannot be read."""
        candidate = self._landed(peer, State.FAILED)
        if candidate is None:
            return
        if candidate.referrer is not None:
            candidate.referrer.broken_promises += 1
        self._settle()

    def slow(self, peer: PeerId) -> None:
        """A peer that was asked is taking its time; `answered` or `failed` may follow."""
        if self._landed(peer, State.SLOW) is not None:
            self._settle()

    def stop(self) -> None:
        """Ask nobody any more. Idempotent."""
        self.is_over = True

    def closest(self) -> list[Candidate]:
        """The `k` nearest that answered, nearest first."""
        answered = [candidate for candidate in self._by_peer.values() if candidate.state is State.ANSWERED]
        answered.sort()
        return answered[: self._k]

    def candidate(self, peer: PeerId) -> Candidate | None:
        return self._by_peer.get(peer)

    def _add(self, peer: PeerId, addresses: tuple[bytes, ...], path: int, referrer: Candidate | None) -> None:
        if peer == self._local:
            return
        known = self._by_peer.get(peer)
        if known is not None:
            if known.referrer is not None and known.referrer is not referrer:
                known.referrer = None  # two say so; its depth stays that of the first
            if addresses and not known.addresses:
                known.addresses = addresses
            return
        candidate = Candidate(peer, addresses, key_of(peer.multihash) ^ self._target, path, referrer)
        if len(self._by_peer) >= self._limit and not self._forget_farthest(candidate):
            return
        self._by_peer[peer] = candidate
        insort(self._paths[0 if self._is_merged else path], candidate)

    def _forget_farthest(self, newcomer: Candidate) -> bool:
        """Make room for a nearer one; False when the newcomer is the farthest itself."""
        for path in self._paths:
            if path and path[-1].state is State.HEARD and newcomer < path[-1]:
                del self._by_peer[path.pop().peer]
                return True
        return False

    def _landed(self, peer: PeerId, state: State) -> Candidate | None:
        candidate = self._by_peer.get(peer)
        if candidate is None or candidate.state not in (State.ASKED, State.SLOW):
            return None
        if candidate.state is State.ASKED:
            self._in_flight[0 if self._is_merged else candidate.path] -= 1
        candidate.state = state
        return candidate

    def _nearest(self, path: int, count: int) -> Sequence[Candidate]:
        """The nearest of a path that may still be alive and that are worth asking."""
        found: list[Candidate] = []
        for candidate in self._paths[path]:
            if candidate.state is State.FAILED or candidate.state is State.SLOW:
                continue
            if candidate.state is State.HEARD and candidate.referrer and not candidate.referrer.is_believed:
                continue
            found.append(candidate)
            if len(found) == count:
                break
        return found

    def _settle(self) -> None:
        """Go to the next phase, or to the end, when this one has done its work."""
        if not self._is_merged and all(map(self._is_path_over, range(len(self._paths)))):
            self._is_merged = True
            self._paths = [sorted(self._by_peer.values())]
            self._in_flight = [sum(self._in_flight)]
        if self._is_merged:
            nearest = self._nearest(0, self._k)
            self.is_over |= all(candidate.state is State.ANSWERED for candidate in nearest)

    def _is_path_over(self, path: int) -> bool:
        return all(candidate.state is State.ANSWERED for candidate in self._nearest(path, self._resilience))
