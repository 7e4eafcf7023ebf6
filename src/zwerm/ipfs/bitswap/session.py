"""A session: wants that belong together, so that who had one block is asked for the next first.

A session begins by asking many peers whether they have its first blocks, and the most promising one for the blocks
themselves. Who has one becomes a member. From then on each block is asked of one member, the one that will be
through with it first; what a member refuses goes to the next. When all members refuse, everybody is asked again and
providers are looked for.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from zwerm.core.machine import Instant
from zwerm.ipfs.bitswap.config import ClientConfig
from zwerm.ipfs.bitswap.want import Peer, Want
from zwerm.multiformats.cid import CID

PeerT = TypeVar("PeerT")


@dataclasses.dataclass(slots=True)
class Share:
    """What one source gave to a session."""

    blocks: int = 0
    size: int = 0  # bytes


class Verdict(enum.Enum):
    """What becomes of a session now."""

    WAIT = "somebody may still give what it wants"
    SEARCH = "others have to be found"
    GIVE_UP = "nobody has it, and nobody else can be asked"


class Session(Generic[PeerT]):
    """The state of one session; `Client` has the rules."""

    def __init__(self, number: int, root: CID | None, now: Instant) -> None:
        self.number = number
        self.root = root  # of the content all this is about, where it is known: what has providers is often only that
        self.live: dict[bytes, Want[PeerT]] = {}
        self.pending: deque[Want[PeerT]] = deque()  # asked of nobody; may hold wants that are not live any more
        self.stuck: dict[bytes, Want[PeerT]] = {}  # refused by every member
        self.members: dict[PeerT, Peer[PeerT]] = {}
        self.suggested: set[PeerT] = set()  # providers that are not connected yet
        self.tried: dict[PeerT, None] = {}  # everybody it asked, in order
        self.shares: dict[PeerT, Share] = {}
        self.duplicates = 0  # blocks that came more than once
        self.progress: Instant = now  # when a block came last, or wants came to a session without any
        self.searches = 0  # begun since a block came last
        self.searching = False
        self.next_search: Instant = now
        self.holds = 0  # others that are trying: while there are, it is not given up
        self.hopeless_since: Instant | None = None

    def next_pending(self) -> Iterator[Want[PeerT]]:
        """Yield the wants to ask for, the first first; each is taken off when the next is asked for."""
        while self.pending:
            want = self.pending[0]
            if want.key in self.live and want.asked_of is None and want.key not in self.stuck:
                yield want
                if self.pending and self.pending[0] is want:
                    self.pending.popleft()
            else:
                self.pending.popleft()

    def note(self, peer: PeerT, size: int) -> None:
        share = self.shares.setdefault(peer, Share())
        share.blocks += 1
        share.size += size

    def restart(self, config: ClientConfig, now: Instant) -> None:
        """A block came, or the first wants: patience begins anew."""
        self.progress = now
        self.searches = 0
        self.hopeless_since = None
        self.next_search = now + config.search_after

    def judge(self, config: ClientConfig, now: Instant, *, can_search: bool, has_peers: bool) -> Verdict:
        """Say whether to wait, to look for providers or to give up; remember since when it looks bad."""
        if not self.live or self.searching:
            return Verdict.WAIT
        asked = self._is_asked()
        patience = config.patience / 2 if self.shares else config.search_after
        if can_search and (not asked or now - self.progress >= patience):
            due = self.next_search if self.searches or asked else now
            if due <= now:
                return Verdict.SEARCH
        if asked or self.holds:
            self.hopeless_since = None
            return Verdict.WAIT
        if self.hopeless_since is None:
            self.hopeless_since = now
        alone = not (has_peers or self.tried) and (self.searches > 0 or not can_search)
        is_silence = any(want.silent for want in self.live.values())  # nobody said no: a link may be away for a minute
        patience = config.silence if is_silence else config.patience
        return Verdict.GIVE_UP if alone or now - self.hopeless_since >= patience else Verdict.WAIT

    def _is_asked(self) -> bool:
        """Whether somebody has yet to answer about one of the wants."""
        if any(want.asked_of is not None for want in self.live.values()):
            return True
        return any(not want.told <= want.refused for want in self.stuck.values())

    def begin_search(self, config: ClientConfig, now: Instant) -> tuple[CID, ...]:
        """Return what to look for: a block that nobody gives, and the root it belongs to."""
        cid = next(iter(self.stuck.values() or self.live.values())).cid
        self.searching = True
        self.next_search = now + min(config.search_again * 2**self.searches, config.search_longest)
        self.searches += 1
        return (cid,) if self.root is None or self.root == cid else (cid, self.root)
