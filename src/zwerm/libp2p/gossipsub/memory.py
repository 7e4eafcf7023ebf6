"""What a router remembers of messages: those it can still give, the IDs it has seen, and who promised what.

Gossipsub v1.0, "Message Cache"; v1.1, "Spam Protection Measures".
"""

from __future__ import annotations

from collections import OrderedDict, deque

from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import Message


class MessageCache:
    """The messages of the last heartbeats, in windows of one heartbeat each."""

    def __init__(self, length: int, gossip: int, limit: int) -> None:
        """Keep `length` windows, tell of `gossip` of them, and hold at most `limit` bytes, the oldest going first."""
        self._gossip = gossip
        self._limit = limit
        self._windows: deque[list[bytes]] = deque([[]], maxlen=length)
        self._messages: OrderedDict[bytes, Message] = OrderedDict()
        self._given: dict[bytes, dict[PeerId, int]] = {}
        self.size = 0  # bytes

    def put(self, message_id: bytes, message: Message) -> None:
        if message_id in self._messages:
            return
        self._messages[message_id] = message
        self._windows[0].append(message_id)
        self.size += len(message.encoded)
        while self.size > self._limit:
            self._forget(next(iter(self._messages)))

    def find(self, message_id: bytes) -> Message | None:
        return self._messages.get(message_id)

    def give(self, message_id: bytes, peer: PeerId) -> tuple[Message, int] | None:
        """Return a message that a peer asked for, and how often it has asked for it by now."""
        message = self._messages.get(message_id)
        if message is None:
            return None
        counts = self._given.setdefault(message_id, {})
        counts[peer] = counts.get(peer, 0) + 1
        return message, counts[peer]

    def gossip_ids(self, topic: str) -> list[bytes]:
        """Return the IDs of the messages of a topic that others are told of."""
        found = []
        for window in list(self._windows)[: self._gossip]:
            for message_id in window:
                message = self._messages.get(message_id)
                if message is not None and message.topic == topic:
                    found.append(message_id)
        return found

    def shift(self) -> None:
        """A heartbeat has passed."""
        if len(self._windows) == self._windows.maxlen:
            for message_id in self._windows[-1]:
                self._forget(message_id)
        self._windows.appendleft([])

    def _forget(self, message_id: bytes) -> None:
        message = self._messages.pop(message_id, None)
        self._given.pop(message_id, None)
        if message is not None:
            self.size -= len(message.encoded)

    def __len__(self) -> int:
        return len(self._messages)


class SeenCache:
    """The IDs of messages that were handled, for a while and at most so many."""

    def __init__(self, lifetime: float, limit: int) -> None:
        self._lifetime = lifetime
        self._limit = limit
        self._seen: OrderedDict[bytes, Instant] = OrderedDict()  # until when

    def add(self, message_id: bytes, now: Instant) -> bool:
        """Remember an ID; return whether it is new."""
        if message_id in self:
            return False
        self._seen[message_id] = now + self._lifetime
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)
        return True

    def forget(self, prefix: bytes = b"") -> int:
        """Take IDs that begin so as new again; return how many they were."""
        gone = [message_id for message_id in self._seen if message_id.startswith(prefix)]
        for message_id in gone:
            del self._seen[message_id]
        return len(gone)

    def expire(self, now: Instant) -> None:
        while self._seen:
            message_id, until = next(iter(self._seen.items()))
            if until > now:
                return
            del self._seen[message_id]

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._seen

    def __len__(self) -> int:
        return len(self._seen)


class Promises:
    """One message of each gossip that we asked for, until it comes from whoever or its time is over."""

    def __init__(self, patience: float, rng: Random) -> None:
        self._patience = patience
        self._rng = rng
        self._due: dict[bytes, dict[PeerId, Instant]] = {}

    def add(self, peer: PeerId, ids: list[bytes], now: Instant) -> None:
        """`peer` said that it has these; one at random is watched."""
        watched = self._rng.choice(ids)
        self._due.setdefault(watched, {}).setdefault(peer, now + self._patience)

    def kept(self, message_id: bytes) -> None:
        """The message came, from whomever."""
        self._due.pop(message_id, None)

    def forget(self, peer: PeerId) -> None:
        for promises in self._due.values():
            promises.pop(peer, None)

    def broken(self, now: Instant) -> dict[PeerId, int]:
        """Return and forget who broke how many promises."""
        count: dict[PeerId, int] = {}
        for message_id, promises in list(self._due.items()):
            for peer, due in list(promises.items()):
                if due <= now:
                    count[peer] = count.get(peer, 0) + 1
                    del promises[peer]
            if not promises:
                del self._due[message_id]
        return count

    def __len__(self) -> int:
        return len(self._due)
