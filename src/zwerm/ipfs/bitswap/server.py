"""The decision engine: which peer is sent which blocks next (bitswap spec, "Interaction Pattern").

Wantlists come in with what the store knows of each block, tasks go out: one message for one peer, of at most
`ServerConfig.message` bytes. Peers take turns, one message each, and have `ServerConfig.at_once` under way until the
network takes one, so that a peer which reads slowly, or asks for much, keeps nobody else waiting. What is wanted and
not here stays on the wantlist, and is sent when it comes.

A peer that takes slowly gets its blocks one after the other, in messages that are worth about half a second: each is
stored there when it came, and little is lost when the link breaks off.

Peers are opaque and hashable. There is no time in it: nothing here waits for any.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from zwerm.core.bounded import LruCache
from zwerm.ipfs.bitswap.config import ServerConfig
from zwerm.ipfs.bitswap.ledger import Ledgers
from zwerm.ipfs.bitswap.message import Entry, Presence, WantType
from zwerm.multiformats.cid import CID

PeerT = TypeVar("PeerT")

_MEASURABLE: Final = 65_536  # bytes; what is less is taken by buffers, and says nothing of a peer
_SHORTEST: Final = 1e-4  # seconds


class Task(NamedTuple, Generic[PeerT]):
    """A message to make and send. `Server.sent` says when it is out, or `Server.remove_peer` that it never will be."""

    peer: PeerT
    blocks: list[CID]
    size: int  # bytes of the blocks
    presences: list[Presence]
    pending: int  # bytes that this peer still waits for


class _Want:
    """A line of a wantlist, for a block that is here or may come."""

    __slots__ = ("cid", "is_block", "order", "priority", "send_dont_have", "size")

    def __init__(self, entry: Entry, order: int) -> None:
        self.cid = entry.cid
        self.priority = entry.priority
        self.is_block = entry.want is WantType.BLOCK
        self.send_dont_have = entry.send_dont_have
        self.order = order
        self.size: int | None = None  # bytes; None: not here


class _Client:
    """A peer that wants something."""

    __slots__ = ("answers", "pending", "queue", "wants")

    def __init__(self) -> None:
        self.wants: dict[bytes, _Want] = {}  # by multihash
        self.queue: list[tuple[int, int, bytes]] = []  # blocks to send: minus priority, order, multihash
        self.answers: dict[bytes, Presence] = {}  # to send
        self.pending = 0  # bytes in `queue`

    @property
    def has_work(self) -> bool:
        return bool(self.queue or self.answers)


class Server(Generic[PeerT]):
    """Wantlists of all peers."""

    def __init__(self, config: ServerConfig | None = None, ledgers: Ledgers[PeerT] | None = None) -> None:
        self.config = config or ServerConfig()
        self.ledgers: Ledgers[PeerT] = ledgers or Ledgers(self.config.ledgers)
        self.refused = 0  # wants past a limit
        self.waited_for: set[bytes] = set()  # multihashes that are wanted and not here; other threads may look into it
        self._waiting: dict[bytes, set[PeerT]] = {}
        self._clients: dict[PeerT, _Client] = {}
        self._turns: OrderedDict[PeerT, None] = OrderedDict()  # with work and without a message under way
        self._busy: dict[PeerT, list[int]] = {}  # bytes of each message that is under way
        self._paces: LruCache[PeerT, float] = LruCache(self.config.ledgers)  # bytes a second that a peer takes
        self._in_flight = 0
        self._orders = itertools.count()

    def receive_wants(
        self, peer: PeerT, entries: Sequence[Entry], sizes: Mapping[bytes, int], *, full: bool = False
    ) -> None:
        """Take lines of a peer's wantlist.

        Args:
            peer: whose.
            entries: untrusted.
            sizes: bytes of those of the blocks that are here and may be given, by multihash.
            full: whether these replace all lines of before.
        """
        client = self._clients.get(peer)
        if client is None:
            if len(self._clients) >= self.config.peers:
                self.refused += len(entries)
                return
            client = self._clients[peer] = _Client()
        if full:
            self._forget(peer, client)
        for entry in entries:
            key = entry.cid.multihash
            if entry.cancel:
                self._cancel(peer, client, key)
            else:
                self._take(peer, client, entry, sizes.get(key))
        self._settle(peer, client)

    def _take(self, peer: PeerT, client: _Client, entry: Entry, size: int | None) -> None:
        key = entry.cid.multihash
        old = client.wants.get(key)
        if old is not None:
            if old.is_block and entry.want is WantType.HAVE and old.size is not None:
                return  # the block itself is on its way
            self._cancel(peer, client, key)
        elif len(client.wants) >= self.config.wants:
            self.refused += 1
            if entry.send_dont_have:
                self._answer(client, entry.cid, has=False)
            return
        want = _Want(entry, next(self._orders))
        if size is None:
            client.wants[key] = want
            self._waiting.setdefault(key, set()).add(peer)
            self.waited_for.add(key)
            if want.send_dont_have:
                self._answer(client, want.cid, has=False)
            return
        self._supply(client, key, want, size)

    def _supply(self, client: _Client, key: bytes, want: _Want, size: int) -> None:
        """Answer a want with what is here."""
        if not want.is_block and size > self.config.small:
            self._answer(client, want.cid, has=True)
            return
        want.size = size
        client.wants[key] = want
        client.answers.pop(key, None)
        client.pending += size
        heapq.heappush(client.queue, (-want.priority, want.order, key))

    def _answer(self, client: _Client, cid: CID, *, has: bool) -> None:
        if len(client.answers) < self.config.answers:
            client.answers[cid.multihash] = Presence(cid, has)
        else:
            self.refused += 1

    def _cancel(self, peer: PeerT, client: _Client, key: bytes) -> None:
        """Take a line away. What stands of it in the queue is passed over when its turn comes."""
        client.answers.pop(key, None)
        want = client.wants.pop(key, None)
        if want is None:
            return
        if want.size is not None:
            client.pending -= want.size
            if len(client.queue) > 2 * self.config.wants:
                client.queue = [item for item in client.queue if _is_live(client, item)]
                heapq.heapify(client.queue)
        else:
            self._stop_waiting(peer, key)

    def _stop_waiting(self, peer: PeerT, key: bytes) -> None:
        peers = self._waiting.get(key)
        if peers is not None:
            peers.discard(peer)
            if not peers:
                del self._waiting[key]
                self.waited_for.discard(key)

    def _forget(self, peer: PeerT, client: _Client) -> None:
        for key, want in client.wants.items():
            if want.size is None:
                self._stop_waiting(peer, key)
        client.wants.clear()
        client.queue.clear()
        client.answers.clear()
        client.pending = 0

    def _settle(self, peer: PeerT, client: _Client) -> None:
        """Give the peer its place among the turns, or none."""
        if client.has_work and len(self._busy.get(peer, ())) < self._at_once(peer):
            self._turns.setdefault(peer)
        else:
            self._turns.pop(peer, None)
        if not client.has_work and not client.wants and peer not in self._busy:
            self._clients.pop(peer, None)

    def _at_once(self, peer: PeerT) -> int:
        """Messages under way to a peer; one when it is slow, so that the first block is not the last to be whole."""
        pace = self._paces.find(peer)
        is_slow = pace is not None and pace * self.config.worth < self.config.first
        return 1 if is_slow else self.config.at_once

    def _size_of_message(self, peer: PeerT) -> int:
        pace = self._paces.find(peer)
        wanted = self.config.first if pace is None else int(pace * self.config.worth)
        return min(wanted, self.config.message)

    def blocks_came(self, sizes: Mapping[bytes, int]) -> None:
        """Blocks are here now, with their bytes by multihash: send them to those who wait."""
        for key in self.waited_for.intersection(sizes):
            self.waited_for.discard(key)
            for peer in self._waiting.pop(key, ()):
                client = self._clients[peer]
                self._supply(client, key, client.wants.pop(key), sizes[key])
                self._settle(peer, client)

    def next_task(self) -> Task[PeerT] | None:
        """Return the next message to make; None when nobody is owed one, or enough are under way."""
        while self._turns and self._in_flight < self.config.in_flight:
            peer, _ = self._turns.popitem(last=False)
            client = self._clients[peer]
            blocks: list[CID] = []
            size, most = 0, self._size_of_message(peer)
            while client.queue:
                item = client.queue[0]
                if not _is_live(client, item):
                    heapq.heappop(client.queue)
                    continue
                want = client.wants[item[2]]
                if blocks and size + (want.size or 0) > most:
                    break
                heapq.heappop(client.queue)
                del client.wants[item[2]]
                blocks.append(want.cid)
                size += want.size or 0
            client.pending -= size
            keys = list(itertools.islice(client.answers, self.config.presences))
            presences = [client.answers.pop(key) for key in keys]
            if not blocks and not presences:
                self._settle(peer, client)
                continue
            self._busy.setdefault(peer, []).append(size)
            self._in_flight += size
            self._settle(peer, client)
            return Task(peer, blocks, size, presences, client.pending)
        return None

    def sent(self, peer: PeerT, size: int, blocks: int, *, took: float | None = None) -> None:
        """A task for `peer` is done: the bytes it said, of so many blocks, went out, in so many seconds."""
        busy = self._busy.get(peer, [])
        if size in busy:  # else the peer has left meanwhile
            if took is not None and size >= _MEASURABLE:
                pace, before = size * len(busy) / max(took, _SHORTEST), self._paces.find(peer)
                self._paces.put(peer, pace if before is None else (before + pace) / 2)
            busy.remove(size)
            self._in_flight -= size
            if not busy:
                del self._busy[peer]
        if blocks:
            self.ledgers.note_sent(peer, size, blocks)
        client = self._clients.get(peer)
        if client is not None:
            self._settle(peer, client)

    def lost(self, task: Task[PeerT], missing: Iterable[CID]) -> None:
        """Blocks of a task were not here any more when they were read: say so."""
        client = self._clients.get(task.peer)
        for cid in missing:
            if client is None:
                client = self._clients[task.peer] = _Client()
            self._answer(client, cid, has=False)

    def remove_peer(self, peer: PeerT) -> None:
        """Forget a peer that is gone, with all it wanted; its ledger stays."""
        self._in_flight -= sum(self._busy.pop(peer, ()))
        self._turns.pop(peer, None)
        client = self._clients.pop(peer, None)
        if client is not None:
            self._forget(peer, client)

    @property
    def peers(self) -> list[PeerT]:
        """Those that want something now."""
        return list(self._clients)

    @property
    def pending(self) -> int:
        """Bytes that all peers wait for."""
        return sum(client.pending for client in self._clients.values())

    @property
    def in_flight(self) -> int:
        """Bytes of the messages under way."""
        return self._in_flight

    def wantlist(self, peer: PeerT) -> list[CID]:
        """Return what the peer wants, as far as it is known here and not sent."""
        client = self._clients.get(peer)
        return [] if client is None else [want.cid for want in client.wants.values()]


def _is_live(client: _Client, item: tuple[int, int, bytes]) -> bool:
    want = client.wants.get(item[2])
    return want is not None and want.order == item[1] and want.size is not None
