"""What waits to be sent, gathered for each peer so that one frame carries all that one input caused."""

from __future__ import annotations

from collections import OrderedDict

from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import MAX_RPC, Prune, Rpc

_MAX_IDONTWANT = 1_000  # IDs in one frame; these only save traffic
_SPARE = 65_536  # bytes of a frame left for what surrounds messages


class Outbox:
    """Frames by peer, those who waited longest first."""

    def __init__(self, limit: int) -> None:
        """Hold at most `limit` bytes of messages for each peer; more are dropped. Control messages are few."""
        self._limit = limit
        self._urgent: OrderedDict[PeerId, list[bytes]] = OrderedDict()
        self._waiting: OrderedDict[PeerId, Rpc] = OrderedDict()
        self._sizes: dict[PeerId, int] = {}
        self.dropped = 0

    def rpc(self, peer: PeerId) -> Rpc:
        """Return the frame of a peer, to be added to."""
        return self._waiting.setdefault(peer, Rpc())

    def add_message(self, peer: PeerId, encoded: bytes) -> None:
        size = self._sizes.get(peer, 0) + len(encoded)
        if size > self._limit:
            self.dropped += 1
            return
        self._sizes[peer] = size
        self.rpc(peer).messages.append(encoded)

    def add_prune(self, peer: PeerId, prune: Prune) -> None:
        """Refuse a peer once for each topic, however often it asks before this frame goes."""
        rpc = self.rpc(peer)
        if all(other.topic != prune.topic for other in rpc.prune):
            rpc.prune.append(prune)

    def add_idontwant(self, peer: PeerId, message_id: bytes) -> None:
        """Spare us a message; gossipsub v1.2 wants this ahead of all else, also of what goes to other peers."""
        ids = self._urgent.setdefault(peer, [])
        if len(ids) < _MAX_IDONTWANT:
            ids.append(message_id)

    def take(self) -> tuple[PeerId, bytes] | None:
        """Remove and return the next frame, none larger than a peer takes."""
        if self._urgent:
            peer, ids = self._urgent.popitem(last=False)
            return peer, Rpc(idontwant=ids).serialize()
        while self._waiting:
            peer, rpc = next(iter(self._waiting.items()))
            room = MAX_RPC - _SPARE
            for count, message in enumerate(rpc.messages):
                room -= len(message) + 8
                if room < 0 and count:
                    part = Rpc(messages=rpc.messages[:count], subscriptions=rpc.subscriptions)
                    rpc.messages, rpc.subscriptions = rpc.messages[count:], []
                    return peer, part.serialize()
            del self._waiting[peer]
            self._sizes.pop(peer, None)
            if rpc:
                return peer, rpc.serialize()
        return None

    def forget(self, peer: PeerId) -> None:
        self._urgent.pop(peer, None)
        self._waiting.pop(peer, None)
        self._sizes.pop(peer, None)
