"""The client: what is wanted of whom (bitswap spec, "Interaction Pattern"), over all sessions.

Theory of operation. `want` gives blocks to a session; the session splits them over its members as `session.py` says,
each peer holding at most its window, which is about a second of its own work. `receive` is told of what came: blocks
by multihash (whoever calls has hashed and stored them) and presences. `next_message` gives what a peer must be told,
in as few messages as it is called. Events ask for providers, name peers that lie, and end wants that are hopeless.

Invariants: a live want stands in every session that wants it; it is asked as a block of one peer at a time
(`Want.asked_of`), and then stands in that peer's `blocks`. Peers are opaque and hashable.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from zwerm.core.bounded import LruCache
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.core.timers import TimerTable
from zwerm.ipfs.bitswap.config import ClientConfig
from zwerm.ipfs.bitswap.message import Message, Presence, WantType
from zwerm.ipfs.bitswap.session import Session, Verdict
from zwerm.ipfs.bitswap.want import Peer, Want
from zwerm.multiformats.cid import CID

PeerT = TypeVar("PeerT")

_TICK: Final = 0.5  # seconds between two looks at who is silent
_ENTRIES: Final = 1_024  # lines of a wantlist in one message
_WORTH_IT: Final = 0.25  # seconds of work, and of waiting, from which on a peer is relieved of some of it
_ROUND_TRIPS: Final = 6  # that the first answer of a peer may take: streams are opened both ways, and packets are lost
_IN_TRANSIT: Final = 6  # of the blocks asked of a peer, the oldest: they may be on their way, so nobody else is asked


@dataclasses.dataclass(frozen=True, slots=True)
class FindProviders:
    """Nobody who was asked gives these: find others, then call `search_ended`."""

    session: int
    cids: tuple[CID, ...]  # the first may be provided by itself, the second is the root it belongs to


@dataclasses.dataclass(frozen=True, slots=True)
class GaveUp:
    """Nobody has these and nobody else can be asked; the session wants them no longer."""

    session: int
    cids: tuple[CID, ...]


class Misbehaved(NamedTuple, Generic[PeerT]):
    """A peer sent what nobody asked for, in place of what was asked or too much of it. It is asked no more."""

    peer: PeerT
    reason: str


Event: TypeAlias = "FindProviders | GaveUp | Misbehaved[PeerT]"


class Timer(enum.Enum):
    """What `Client` waits for."""

    LOOK = "somebody may have been silent for too long"


class Client(Generic[PeerT]):
    """Everything that this node wants."""

    def __init__(self, config: ClientConfig | None = None, *, can_search: bool = True) -> None:
        """`can_search`: whether somebody answers `FindProviders`; without, and without peers, wants end at once."""
        self.config = config or ClientConfig()
        self.can_search = can_search
        self.expected = 0  # peers that are connected and may turn out to speak bitswap
        self.is_hopeful = False  # whether peers may come by themselves, so that wants without any wait for a while
        self.unasked = 0  # blocks that nobody asked for
        self.duplicates = 0  # blocks that came more than once
        self.duplicate_size = 0  # bytes
        self._wants: dict[bytes, Want[PeerT]] = {}
        self._peers: OrderedDict[PeerT, Peer[PeerT]] = OrderedDict()  # who gave a block last comes last
        self._sessions: dict[int, Session[PeerT]] = {}
        self._numbers = itertools.count(1)
        self._recent: LruCache[bytes, int] = LruCache(self.config.remembered)  # sessions by multihash
        self._events: deque[FindProviders | GaveUp | Misbehaved[PeerT]] = deque()
        self._ready: dict[PeerT, None] = {}  # peers with something in their outbox
        self._timers = TimerTable(Timer)

    # Peers

    def add_peer(self, peer: PeerT, now: Instant, *, knows_have: bool = True, round_trip: float | None = None) -> None:
        """A peer is connected that speaks bitswap; `knows_have`: version 1.2; `round_trip`: seconds, where known."""
        known = self._peers.get(peer)
        if known is not None:
            known.knows_have = knows_have
            known.round_trip = round_trip or known.round_trip
            return
        if len(self._peers) >= self.config.peers:
            return
        new = self._peers[peer] = Peer(peer, self.config, knows_have=knows_have, now=now)
        new.round_trip = round_trip or 0.0
        self._peers.move_to_end(peer, last=False)
        for session in self._sessions.values():
            if peer in session.suggested:
                session.suggested.discard(peer)
                self._join(session, new, now)
            elif session.live and len(session.members) < self.config.session_peers:
                self._offer(session, new, now)

    def remove_peer(self, peer: PeerT, now: Instant) -> None:
        """A peer is gone; what was asked of it is asked of others."""
        gone = self._peers.pop(peer, None)
        self._ready.pop(peer, None)
        if gone is None:
            return
        for key in gone.told:
            want = self._wants.get(key)
            if want is not None:
                want.told.discard(peer)
                want.holders.discard(peer)
                want.refused.discard(peer)
                want.silent.discard(peer)
                if want.asked_of is gone:
                    self._release(want)
        for session in gone.sessions.values():
            session.members.pop(peer, None)
        for session in list(self._sessions.values()):
            self._assign(session, now)
            self._reconsider(session, now)

    def heard(self, peer: PeerT, now: Instant) -> None:
        """Bytes came from a peer, be it the middle of a large message."""
        known = self._peers.get(peer)
        if known is not None:
            known.heard = now

    # Sessions

    def open_session(self, now: Instant, root: CID | None = None) -> int:
        """Begin a session; return its number.

        Raises:
            ResourceLimitError: as many as may be are open.
        """
        if len(self._sessions) >= self.config.sessions:
            raise ResourceLimitError(f"{len(self._sessions) + 1} bitswap sessions, the limit is {self.config.sessions}")
        number = next(self._numbers)
        self._sessions[number] = Session(number, root, now)
        return number

    def close_session(self, number: int, now: Instant) -> None:
        """Want nothing more in it. Idempotent."""
        session = self._sessions.pop(number, None)
        if session is None:
            return
        for want in list(session.live.values()):
            self._leave(session, want)
        for peer in session.members.values():
            peer.sessions.pop(number, None)
        self._fill_all(now)

    def session(self, number: int) -> Session[PeerT] | None:
        """Return what is known of a session, to look at."""
        return self._sessions.get(number)

    def want(self, number: int, cids: Iterable[CID], now: Instant) -> None:
        """Want blocks, the first soonest. Those that are wanted already are asked for once.

        Raises:
            LocalProtocolError: no such session.
            ResourceLimitError: more wants than the limit; those before it are wanted.
        """
        session = self._sessions.get(number)
        if session is None:
            raise LocalProtocolError(f"bitswap session {number} is not open")
        if not session.live:
            session.restart(self.config, now)
        for cid in cids:
            key = cid.multihash
            if key in session.live:
                continue
            want = self._wants.get(key)
            if want is None:
                if len(self._wants) >= self.config.wants:
                    raise ResourceLimitError(f"{len(self._wants) + 1} blocks wanted, the limit is {self.config.wants}")
                want = self._wants[key] = Want(cid)
            want.sessions[number] = session
            session.live[key] = want
            session.pending.append(want)
        self._assign(session, now)
        self._reconsider(session, now)
        self._arm(now)

    def cancel(self, number: int, cids: Iterable[CID], now: Instant) -> None:
        """Want these no longer in this session."""
        session = self._sessions.get(number)
        if session is None:
            return
        for cid in cids:
            want = session.live.get(cid.multihash)
            if want is not None:
                self._leave(session, want)
        self._fill_all(now)

    def suggest(self, number: int, peer: PeerT, now: Instant) -> None:
        """A peer is said to have what the session wants: ask it, at once or when it is connected."""
        session = self._sessions.get(number)
        if session is None:
            return
        known = self._peers.get(peer)
        if known is not None:
            self._join(session, known, now)
        elif len(session.suggested) < self.config.session_peers:
            session.suggested.add(peer)

    def search_ended(self, number: int, now: Instant) -> None:
        """The answer to `FindProviders`: everybody found was suggested, or could not be reached."""
        session = self._sessions.get(number)
        if session is not None:
            session.searching = False
            self._reconsider(session, now)

    def hold(self, number: int, now: Instant, change: int) -> None:
        """Count others who try to get what a session wants; while there are, it is not given up."""
        session = self._sessions.get(number)
        if session is not None:
            session.holds += change
            self._reconsider(session, now)

    # What comes

    def is_wanted(self, key: bytes) -> bool:
        """Whether a block is wanted; from any thread."""
        return key in self._wants

    def receive(
        self,
        peer: PeerT,
        blocks: Sequence[tuple[bytes, int]],
        presences: Iterable[Presence],
        now: Instant,
    ) -> None:
        """Take note of what a peer sent: multihashes and sizes of blocks, and what it has or has not. Never raises."""
        known = self._peers.get(peer)
        if known is None:
            for key, size in blocks:
                self.found(key, size, now, peer)
            return
        known.heard = now
        touched: dict[int, Session[PeerT]] = {}
        asked = bool(known.blocks)
        useful = sum(1 for key, _ in blocks if key in self._wants)
        if useful:
            known.measure(useful, self.config, now)
            self._peers.move_to_end(peer)
        for key, size in blocks:
            want = self._wants.get(key)
            if want is None:
                self._surplus(known, key, size, asked=asked)
                continue
            for session in want.sessions.values():
                self._add_member(session, known)
                session.note(peer, size)
                touched[session.number] = session
            self._fulfil(want, now, by=known)
        for presence in presences:
            want = self._wants.get(presence.cid.multihash)
            if want is not None and peer in want.told:
                touched.update(want.sessions)
                self._note_presence(known, want, has=presence.has)
        for session in touched.values():
            self._assign(session, now)
            self._reconsider(session, now)
        for session in list(known.sessions.values()):
            if session.number not in touched and known.has_room(session.number):
                self._assign(session, now)
        self._balance(known, now)
        self._note_outbox(known)

    def found(self, key: bytes, size: int, now: Instant, source: PeerT | None = None) -> None:
        """A block came from elsewhere; who was asked for it is told that it is not wanted any more."""
        want = self._wants.get(key)
        if want is None:
            return
        sessions = list(want.sessions.values())
        if source is not None:
            for session in sessions:
                session.note(source, size)
        self._fulfil(want, now)
        for session in sessions:
            self._assign(session, now)

    def _fulfil(self, want: Want[PeerT], now: Instant, by: Peer[PeerT] | None = None) -> None:
        self._recent.put(want.key, max(want.sessions, default=0))
        for session in want.sessions.values():
            session.live.pop(want.key, None)
            session.stuck.pop(want.key, None)
            session.restart(self.config, now)
        if by is not None:  # it takes the want off its list by itself
            by.told.discard(want.key)
            want.told.discard(by.peer)
            by.outbox.pop(want.key, None)
        self._drop(want)

    def _drop(self, want: Want[PeerT]) -> None:
        """Forget a want; who was told of it is told that it is over."""
        self._wants.pop(want.key, None)
        if want.asked_of is not None:
            want.asked_of.forget(want)
        for peer in list(want.told):
            known = self._peers.get(peer)
            if known is not None:
                known.take_back(want)
                self._note_outbox(known)

    def _surplus(self, peer: Peer[PeerT], key: bytes, size: int, *, asked: bool) -> None:
        """Judge a block that is not wanted: late, twice, or something that nobody ever asked for."""
        number = self._recent.find(key)
        if number is not None:
            self.duplicates += 1
            self.duplicate_size += size
            session = self._sessions.get(number)
            if session is not None:
                session.duplicates += 1
            return
        self.unasked += 1
        peer.unasked += size
        if asked:
            self._blame(peer, "it sent a block that is not what was asked for")
        elif peer.unasked > self.config.unasked:
            self._blame(peer, f"it sent {peer.unasked} bytes of blocks that nobody asked for")

    def _blame(self, peer: Peer[PeerT], reason: str) -> None:
        if len(self._events) < self.config.peers:
            self._events.append(Misbehaved(peer.peer, reason))
        for want in list(peer.blocks.values()):
            want.refused.add(peer.peer)
            peer.take_back(want)
            self._release(want)
        for session in list(peer.sessions.values()):
            session.members.pop(peer.peer, None)
        peer.sessions.clear()
        peer.is_blamed = True

    def _note_presence(self, peer: Peer[PeerT], want: Want[PeerT], *, has: bool) -> None:
        want.silent.discard(peer.peer)
        if has:
            want.holders.add(peer.peer)
            want.refused.discard(peer.peer)
            for session in want.sessions.values():
                self._add_member(session, peer)
                if session.stuck.pop(want.key, None) is not None:
                    session.pending.append(want)
            return
        want.holders.discard(peer.peer)
        want.refused.add(peer.peer)
        if want.asked_of is peer:
            self._release(want)

    # Who is asked

    def _release(self, want: Want[PeerT]) -> None:
        """Take a want from the peer it is asked of, and put it first in line."""
        if want.asked_of is not None:
            want.asked_of.forget(want)
        for session in want.sessions.values():
            if want.key not in session.stuck:
                session.pending.appendleft(want)

    def _leave(self, session: Session[PeerT], want: Want[PeerT]) -> None:
        session.live.pop(want.key, None)
        session.stuck.pop(want.key, None)
        want.sessions.pop(session.number, None)
        if not want.sessions:
            self._recent.put(want.key, session.number)
            self._drop(want)

    def _add_member(self, session: Session[PeerT], peer: Peer[PeerT]) -> bool:
        if peer.peer in session.members:
            return True
        if len(session.members) >= self.config.session_peers or peer.is_blamed:
            return False
        session.members[peer.peer] = peer
        session.tried.setdefault(peer.peer)
        peer.sessions[session.number] = session
        for want in [want for want in session.stuck.values() if peer.peer not in want.refused]:
            del session.stuck[want.key]
            session.pending.append(want)
        return True

    def _join(self, session: Session[PeerT], peer: Peer[PeerT], now: Instant) -> None:
        """Make a peer a member that is said to have the content."""
        if self._add_member(session, peer):
            self._assign(session, now)
            self._balance(peer, now)

    def _offer(self, session: Session[PeerT], peer: Peer[PeerT], now: Instant) -> None:
        """Ask a peer about some of the session's wants; the block itself when nobody else is asked for it."""
        if peer.is_blamed:
            return
        session.tried.setdefault(peer.peer)
        wants = [want for want in session.live.values() if peer.peer not in want.told and peer.peer not in want.refused]
        for want in wants[: self.config.offered]:
            if want.asked_of is None and peer.has_room(session.number):
                peer.ask(want, session.number, now)
            elif peer.knows_have:
                peer.tell(want, WantType.HAVE)
        self._note_outbox(peer)
        self._reconsider(session, now)

    def _assign(self, session: Session[PeerT], now: Instant) -> None:
        """Ask members for what is asked of nobody, until their windows are full."""
        if not session.members:
            if session.pending:
                self._broadcast(session, now)
            return
        for want in session.next_pending():
            best: Peer[PeerT] | None = None
            full = False
            for peer in session.members.values():
                if peer.peer in want.refused:
                    continue
                if not peer.has_room(session.number):
                    full = True
                elif best is None or _cost(peer, want) < _cost(best, want):
                    best = peer
            if best is not None:
                best.ask(want, session.number, now)
                self._note_outbox(best)
            elif full:
                return
            else:
                session.stuck[want.key] = want
                self._ask_everybody(session, want, now)

    def _broadcast(self, session: Session[PeerT], now: Instant) -> None:
        """Nobody is known to have anything of it: ask the peers that were most useful lately about the first wants."""
        for want in itertools.islice(session.next_pending(), self.config.offered):
            session.stuck[want.key] = want
            self._ask_everybody(session, want, now)

    def _ask_everybody(self, session: Session[PeerT], want: Want[PeerT], now: Instant) -> None:
        """Ask for a block of one peer and whether they have it of others, those that gave blocks lately first."""
        if want.asked_of is not None:
            return
        left, asked = self.config.broadcast, False
        for peer in reversed(self._peers.values()):
            if peer.peer in want.refused or peer.is_blamed:
                continue
            session.tried.setdefault(peer.peer)
            if not asked and peer.has_room(session.number):
                peer.ask(want, session.number, now)
                asked = True
            elif peer.knows_have and peer.peer not in want.told:
                peer.tell(want, WantType.HAVE)
            self._note_outbox(peer)
            left -= 1
            if not left:
                break

    def _balance(self, idle: Peer[PeerT], now: Instant) -> None:
        """Give a peer that has nothing to do a share of what is asked of a slower one."""
        if idle.blocks or idle.is_blamed:
            return
        for session in idle.sessions.values():
            slow = max(session.members.values(), key=lambda peer: peer.backlog)
            surplus = [
                want
                for want in itertools.islice(slow.blocks.values(), _IN_TRANSIT, None)
                if session.number in want.sessions and idle.peer not in want.refused
            ]
            share = int(len(surplus) * idle.rate / (idle.rate + slow.rate))
            worth_it = slow.backlog > max(2 / idle.rate, _WORTH_IT)
            if slow is idle or not share or not worth_it or now - slow.last_message < _WORTH_IT:
                continue
            for want in surplus[-share:][: idle.window]:
                slow.take_back(want)
                idle.ask(want, session.number, now)
            self._note_outbox(slow)
            self._note_outbox(idle)
            return

    def _fill_all(self, now: Instant) -> None:
        for session in self._sessions.values():
            if session.pending:
                self._assign(session, now)

    # When nobody answers

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Calling early, or again, changes nothing."""
        while self._timers.pop_expired(now) is not None:
            for peer in list(self._peers.values()):
                self._check_silence(peer, now)
                self._balance(peer, now)
            for session in list(self._sessions.values()):
                if session.live:
                    for want in list(session.stuck.values()):
                        self._ask_everybody(session, want, now)
                    self._assign(session, now)
                    self._reconsider(session, now)
            if any(session.live for session in self._sessions.values()):
                self._timers.arm(Timer.LOOK, now + _TICK)

    def _arm(self, now: Instant) -> None:
        if self._timers.next_timeout() is None and self._wants:
            self._timers.arm(Timer.LOOK, now + _TICK)

    def _check_silence(self, peer: Peer[PeerT], now: Instant) -> None:
        """Ask others for what a silent peer does not give; what only it may have stays asked of it."""
        if not peer.blocks:
            return
        silent = now - peer.heard
        limit = self.config.patience if peer.blocks_seen else min(self.config.search_after, self.config.patience)
        limit = max(limit, _ROUND_TRIPS * peer.round_trip)
        if silent < limit:
            return
        peer.slow_down(self.config)
        for want in list(peer.blocks.values()):
            others = (want.holders | _members(want)) - want.refused - {peer.peer}
            if others or silent >= self.config.patience:
                if silent >= self.config.patience:
                    want.refused.add(peer.peer)
                    if peer.knows_have or peer.blocks_seen:  # it would have said no
                        want.silent.add(peer.peer)
                if others:
                    want.silent.discard(peer.peer)
                    peer.take_back(want)
                self._release(want)
        self._note_outbox(peer)

    def _reconsider(self, session: Session[PeerT], now: Instant) -> None:
        """Look for providers, or give up, when the session gets nothing from anybody."""
        verdict = session.judge(
            self.config,
            now,
            can_search=self.can_search,
            has_peers=bool(self._peers or self.expected or self.is_hopeful),
        )
        if verdict is Verdict.SEARCH:
            self._events.append(FindProviders(session.number, session.begin_search(self.config, now)))
        elif verdict is Verdict.GIVE_UP:
            wants = list(session.live.values())
            for want in wants:
                self._leave(session, want)
            session.pending.clear()
            self._events.append(GaveUp(session.number, tuple(want.cid for want in wants)))

    # What goes out

    def _note_outbox(self, peer: Peer[PeerT]) -> None:
        if peer.outbox:
            self._ready[peer.peer] = None
        else:
            self._ready.pop(peer.peer, None)

    def next_peer(self) -> PeerT | None:
        """Return a peer that has to be told something; None when there is none. Asking again gives the same."""
        return next(iter(self._ready), None)

    def next_message(self, peer: PeerT) -> Message | None:
        """Return what a peer has to be told now; None when there is nothing."""
        known = self._peers.get(peer)
        self._ready.pop(peer, None)
        if known is None or not known.outbox:
            return None
        keys = list(itertools.islice(known.outbox, _ENTRIES))
        entries = [known.outbox.pop(key) for key in keys]
        self._note_outbox(known)
        return Message(entries)

    def next_event(self) -> FindProviders | GaveUp | Misbehaved[PeerT] | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        """When to call `handle_timeout`; None while nothing is wanted."""
        return self._timers.next_timeout()

    # To look at

    @property
    def wantlist(self) -> list[CID]:
        return [want.cid for want in self._wants.values()]

    @property
    def peers(self) -> list[PeerT]:
        return list(self._peers)


def _cost(peer: Peer[PeerT], want: Want[PeerT]) -> tuple[bool, float]:
    """Order the peers to ask: those that said they have the block, then who is through with it first."""
    return (bool(want.holders) and peer.peer not in want.holders, (len(peer.blocks) + 1) / peer.rate)


def _members(want: Want[PeerT]) -> set[PeerT]:
    return {peer for session in want.sessions.values() for peer in session.members}
