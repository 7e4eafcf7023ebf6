"""One block that is wanted, and one peer that blocks are asked of: what the client knows of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from zwerm.core.machine import Instant
from zwerm.ipfs.bitswap.config import ClientConfig
from zwerm.ipfs.bitswap.message import Entry, WantType
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.ipfs.bitswap.session import Session

PeerT = TypeVar("PeerT")

_SMOOTHING: Final = 0.3  # weight of the newest measurement of a rate
_REFILL: Final = 0.75  # of a full window that may be left when more is asked for: many wants go in one message
_SHORTEST: Final = 1e-4  # seconds between two messages, for a rate


class Want(Generic[PeerT]):
    """A block that some session waits for."""

    __slots__ = ("asked_for", "asked_of", "cid", "holders", "key", "refused", "sessions", "silent", "told")

    def __init__(self, cid: CID) -> None:
        self.cid = cid
        self.key = cid.multihash
        self.sessions: dict[int, Session[PeerT]] = {}
        self.told: set[PeerT] = set()  # peers that have it on their copy of our wantlist
        self.holders: set[PeerT] = set()  # peers that said they have it
        self.refused: set[PeerT] = set()  # peers that said they have not, or did not answer
        self.silent: set[PeerT] = set()  # of those, who may yet give it: asked, and unheard since
        self.asked_of: Peer[PeerT] | None = None  # whom the block itself is asked of
        self.asked_for = 0  # the session that had it asked


class Peer(Generic[PeerT]):
    """A peer that speaks bitswap: what is asked of it, what is still to be told, how fast it gives."""

    __slots__ = (
        "blocks",
        "blocks_seen",
        "heard",
        "is_blamed",
        "is_filled",
        "knows_have",
        "last_message",
        "load",
        "outbox",
        "peer",
        "rate",
        "round_trip",
        "sessions",
        "told",
        "unasked",
        "window",
    )

    def __init__(self, peer: PeerT, config: ClientConfig, *, knows_have: bool, now: Instant) -> None:
        self.peer = peer
        self.knows_have = knows_have  # bitswap 1.2
        self.blocks: dict[bytes, Want[PeerT]] = {}  # asked of it, the first asked first
        self.load: dict[int, int] = {}  # how many of them each session had asked
        self.told: set[bytes] = set()  # multihashes of all live wants it was told of
        self.outbox: dict[bytes, Entry] = {}  # what it has to be told
        self.sessions: dict[int, Session[PeerT]] = {}  # that it is a member of
        self.window = config.window
        self.round_trip = 0.0  # seconds, as far as known
        self.rate = config.window / config.ahead  # blocks a second, a guess until some came
        self.blocks_seen = 0
        self.heard: Instant = now  # when bytes came last, or it was first asked after being idle
        self.last_message: Instant = now  # when blocks came last, or it was first asked after being idle
        self.is_filled = False  # as much is asked of it as may be, or was until lately
        self.is_blamed = False  # it misbehaved, and is asked for nothing
        self.unasked = 0  # bytes of blocks that nobody asked for

    def has_room(self, session: int) -> bool:
        """Whether it may be asked for another block: its window is not full, or others than `session` fill it."""
        if self.is_blamed:
            return False
        if len(self.blocks) <= self.window * _REFILL:
            self.is_filled = False
        if not self.is_filled and len(self.blocks) < self.window:
            return True
        self.is_filled = True
        if len(self.blocks) < self.window and session in self.load:
            return False
        own = self.load.get(session, 0)
        return own < self.window // (len(self.load) + (not own))

    @property
    def backlog(self) -> float:
        """Seconds until it has given what is asked of it."""
        return len(self.blocks) / self.rate

    def ask(self, want: Want[PeerT], session: int, now: Instant) -> None:
        """Ask for the block, which nobody is asked for, on behalf of a session."""
        if not self.blocks:
            self.heard = self.last_message = now
        self.blocks[want.key] = want
        want.asked_of = self
        want.asked_for = session
        self.load[session] = self.load.get(session, 0) + 1
        self.tell(want, WantType.BLOCK)

    def forget(self, want: Want[PeerT]) -> None:
        """Count no longer on it for the block, if it was asked for it."""
        if want.asked_of is not self:
            return
        del self.blocks[want.key]
        want.asked_of = None
        left = self.load[want.asked_for] - 1
        if left:
            self.load[want.asked_for] = left
        else:
            del self.load[want.asked_for]

    def tell(self, want: Want[PeerT], kind: WantType) -> None:
        """Put a want on its copy of our wantlist."""
        want.told.add(self.peer)
        self.told.add(want.key)
        priority = 1 if kind is WantType.HAVE else 2
        self.outbox[want.key] = Entry(want.cid, priority, kind, send_dont_have=self.knows_have)

    def take_back(self, want: Want[PeerT]) -> None:
        """Cancel what it was told and has not answered."""
        self.forget(want)
        want.told.discard(self.peer)
        if want.key not in self.told:
            return
        self.told.discard(want.key)
        queued = self.outbox.get(want.key)
        if queued is not None and not queued.cancel:
            del self.outbox[want.key]  # it never heard of it; if it did, in another form, the answer is harmless
        else:
            self.outbox[want.key] = Entry(want.cid, cancel=True)

    def slow_down(self, config: ClientConfig) -> None:
        """It has been silent: count on little until it gives something."""
        self.rate = min(self.rate, 1 / config.patience)
        self.window = config.window_min

    def measure(self, blocks: int, config: ClientConfig, now: Instant) -> None:
        """Learn from so many blocks that came in one message."""
        rate = blocks / max(now - self.last_message, _SHORTEST)
        self.rate = rate if not self.blocks_seen else self.rate + _SMOOTHING * (rate - self.rate)
        self.last_message = now
        self.blocks_seen += blocks
        self.window = min(max(int(self.rate * config.ahead), config.window_min), config.window_max)
