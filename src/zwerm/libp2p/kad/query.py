"""What can be asked of the DHT, each as a walk towards a key and what is done with the answers.

libp2p specs, kad-dht, "DHT operations". A query has two halves: the walk (`Lookup`), with one question for every peer
on the way, and the errands, messages for single peers when their time has come: records to store, corrections. `Dht`
sends both and carries the answers back.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.lookup import Candidate, Lookup
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record
from zwerm.libp2p.kad.validator import Namespaces

ERRANDS: Final = 20  # under way at a time, of one query
CONFIRMATIONS: Final = 3  # peers that say where somebody is, before the walk for it ends
OPTIMISTIC_SHARE: Final = 0.5  # of k: so many stored records are enough to say "provided"


class Errand(NamedTuple):
    """A message for one peer."""

    peer: PeerId
    addresses: tuple[bytes, ...]
    message: bytes
    is_answered: bool = True  # whether this kind of message has an answer


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """News of a query that is still running; only the fields that its kind has are set."""

    query: int
    providers: tuple[Peer, ...] = ()  # not told before
    value: bytes | None = None  # better than those told before


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """How a query ended."""

    query: int
    closest: tuple[Peer, ...]  # who answered, nearest first, at most k
    value: bytes | None = None
    peer: Peer | None = None
    stored: int = 0  # peers that took the record
    asked: int = 0  # requests of the walk
    hops: int = 0  # requests in a row that led to the nearest peer
    is_timed_out: bool = False


class Query:
    """Finding the `k` nearest peers: the walk alone. The other kinds say where they differ."""

    kind: MessageType = MessageType.FIND_NODE

    def __init__(self, number: int, preimage: bytes, lookup: Lookup) -> None:
        self.number = number
        self.preimage = preimage
        self.lookup = lookup
        self.errands: deque[Errand] = deque()
        self.errands_under_way = 0
        self.stored = 0
        self.news: deque[Found] = deque()
        self.is_settled = False  # the walk's end was seen
        self.is_told = False  # the result was given out
        self.request = Message(self.kind, preimage).serialize()

    def receive(self, sender: Candidate, answer: Message) -> None:
        """Take an answer to the walk's question."""

    def settle(self) -> None:
        """The walk is over: say what is to be done now."""

    def errand_done(self, *, succeeded: bool) -> None:
        self.stored += succeeded

    @property
    def is_result_ready(self) -> bool:
        return self.is_settled

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to send and nothing under way that matters."""
        return self.is_settled and not self.errands and not self.errands_under_way

    def result(self, *, is_timed_out: bool = False) -> Result:
        closest = self.lookup.closest()
        return Result(
            self.number,
            tuple(Peer(candidate.peer, candidate.addresses) for candidate in closest),
            stored=self.stored,
            asked=self.lookup.requests,
            hops=closest[0].depth if closest else 0,
            is_timed_out=is_timed_out,
        )


class PeerQuery(Query):
    """Finding where one peer is. Several have to say so: one alone could send us anywhere."""

    def __init__(self, number: int, peer: PeerId, lookup: Lookup) -> None:
        super().__init__(number, peer.multihash, lookup)
        self._wanted = peer
        self._addresses: dict[bytes, None] = {}
        self._confirmations = 0

    def receive(self, sender: Candidate, answer: Message) -> None:
        if sender.peer == self._wanted:
            self._addresses.update(dict.fromkeys(sender.addresses))
            self.lookup.stop()
        for named in answer.closer:
            if named.peer == self._wanted and named.addresses:
                self._addresses.update(dict.fromkeys(named.addresses))
                self._confirmations += 1
                if self._confirmations == CONFIRMATIONS:
                    self.lookup.stop()
                return

    def result(self, *, is_timed_out: bool = False) -> Result:
        found = Peer(self._wanted, tuple(self._addresses)) if self._addresses else None
        return dataclasses.replace(super().result(is_timed_out=is_timed_out), peer=found)


class ProvidersQuery(Query):
    """Finding who provides something; over early when `count` are found, 0: never."""

    kind = MessageType.GET_PROVIDERS

    def __init__(self, number: int, preimage: bytes, lookup: Lookup, count: int, limit: int) -> None:
        super().__init__(number, preimage, lookup)
        self._count = count
        self._limit = limit  # providers in all
        self._known: dict[PeerId, bool] = {}  # whether it was told with addresses

    def receive(self, _sender: Candidate, answer: Message) -> None:
        self.add(answer.providers)

    def add(self, providers: Sequence[Peer]) -> None:
        """Tell those that are new, or that were told without addresses."""
        fresh = [peer for peer in providers if self._is_news(peer)]
        if fresh:
            self.news.append(Found(self.number, providers=tuple(fresh)))
        if self._count and len(self._known) >= self._count:
            self.lookup.stop()

    def _is_news(self, provider: Peer) -> bool:
        known = self._known.get(provider.peer)
        if known is None and len(self._known) >= self._limit:
            return False
        if known is None or (provider.addresses and not known):
            self._known[provider.peer] = bool(provider.addresses)
            return True
        return False


class ValueQuery(Query):
    """Getting a record: the best of at least `quorum` valid ones; then the others' holders are told of it."""

    kind = MessageType.GET_VALUE

    def __init__(
        self, number: int, preimage: bytes, lookup: Lookup, quorum: int, validators: Namespaces, k: int
    ) -> None:
        super().__init__(number, preimage, lookup)
        self._quorum = quorum  # 0: ask everybody
        self._validators = validators
        self._k = k
        self._values = 0
        self._best: bytes | None = None
        self._holders: dict[PeerId, bytes] = {}

    def receive(self, sender: Candidate, answer: Message) -> None:
        record = answer.record
        if record is None or record.key != self.preimage:
            return
        try:
            self.add(record.value)
        except WireError:
            return  # not valid: its sender counts as one that has none, and is corrected
        self._holders[sender.peer] = record.value

    def add(self, value: bytes) -> None:
        """Count an untrusted value; WireError when it is not valid."""
        self._validators.validate(self.preimage, value)
        if self._best is None or self._validators.is_better(self.preimage, value, self._best):
            self._best = value
            self.news.append(Found(self.number, value=value))
        self._values += 1
        if self._quorum and self._values >= self._quorum:
            self.lookup.stop()

    def settle(self) -> None:
        """Send the best one to those near the key that have none or a worse one ("Entry correction")."""
        if self._best is None:
            return
        put = Message(MessageType.PUT_VALUE, self.preimage, Record(self.preimage, self._best)).serialize()
        nearest = {candidate.peer: candidate for candidate in self.lookup.closest()}
        for peer in self._holders:
            if peer not in nearest and (candidate := self.lookup.candidate(peer)) is not None:
                nearest[peer] = candidate
        self.errands += [
            Errand(peer, candidate.addresses, put)
            for peer, candidate in nearest.items()
            if self._holders.get(peer) != self._best
        ]

    def result(self, *, is_timed_out: bool = False) -> Result:
        return dataclasses.replace(super().result(is_timed_out=is_timed_out), value=self._best)


class StoreQuery(Query):
    """Putting a record, or a provider record, to the `k` nearest.

    With `sure_distance` it is optimistic: a peer that near is given the record as soon as it answers, and the result is
    told when most have it. The rest goes on behind it.
    """

    def __init__(
        self, number: int, preimage: bytes, lookup: Lookup, message: Message, k: int, sure_distance: int = 0
    ) -> None:
        super().__init__(number, preimage, lookup)
        self._message = message.serialize()
        self._is_answered = message.type is MessageType.PUT_VALUE
        self._given: set[PeerId] = set()
        self._sure_distance = sure_distance
        self._enough = max(1, int(k * OPTIMISTIC_SHARE))
        self._target = key_of(preimage)

    def receive(self, sender: Candidate, _answer: Message) -> None:
        if sender.distance < self._sure_distance:
            self._give(sender)

    def settle(self) -> None:
        for candidate in self.lookup.closest():
            self._give(candidate)

    @property
    def is_result_ready(self) -> bool:
        return self.is_finished or (self._sure_distance > 0 and self.stored >= self._enough)

    def _give(self, candidate: Candidate) -> None:
        if candidate.peer not in self._given:
            self._given.add(candidate.peer)
            self.errands.append(Errand(candidate.peer, candidate.addresses, self._message, self._is_answered))


class ErrandsQuery(Query):
    """No walk, only errands: contacts to probe, records for peers that are known already."""

    def __init__(self, number: int, preimage: bytes, lookup: Lookup, errands: Sequence[Errand]) -> None:
        super().__init__(number, preimage, lookup)
        self.errands += errands
        lookup.stop()

    @property
    def is_result_ready(self) -> bool:
        return self.is_finished
