"""The routing table: a bucket for each number of leading bits shared with our key (ipfs specs, "Routing Table").

A bucket holds `k` servers, the ones known for longest; who comes later waits as a candidate and moves up when one
fails. So a table cannot be washed out by newcomers: a peer leaves it only by not answering twice. How many may come
from one group of addresses is limited, in the table and in a bucket, so that one owner cannot fill it either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from zwerm.core.machine import Instant
from zwerm.core.protobuf import serialize_field
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import group_of
from zwerm.libp2p.kad.key import BITS, Key, common_prefix_length, key_of
from zwerm.libp2p.kad.message import Peer

_STRIKES = 2  # failures without an answer between them, after which a contact goes


class Node:
    """Who a contact is. It never changes, so tables may share it."""

    __slots__ = ("addresses", "encoded", "groups", "key", "peer")

    def __init__(self, peer: PeerId, addresses: tuple[bytes, ...], key: Key | None = None) -> None:
        self.peer = peer
        self.key = key_of(peer.multihash) if key is None else key
        self.addresses = addresses
        self.encoded = serialize_field(8, Peer(peer, addresses).serialize())  # as it stands in an answer
        self.groups = frozenset(group for address in addresses if (group := group_of(address)) is not None)


class Contact:
    """A node and what this table knows of it."""

    __slots__ = ("last_seen", "node", "strikes")

    def __init__(self, node: Node, last_seen: Instant) -> None:
        self.node = node
        self.last_seen = last_seen  # its last answer
        self.strikes = 0


class RoutingTable:
    """Contacts by how near they are."""

    def __init__(self, local: Key, *, k: int = 20, per_group: int = 0, per_group_in_bucket: int = 0) -> None:
        """Make an empty table; a limit of 0 is none."""
        self._local = local
        self._k = k
        self._per_group = per_group
        self._per_group_in_bucket = per_group_in_bucket
        self._buckets: list[list[Contact]] = []  # by common prefix length, as many as are in use
        self._candidates: dict[int, dict[PeerId, Node]] = {}  # at most k a bucket, the newest last
        self._contacts: dict[PeerId, Contact] = {}
        self._groups: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._contacts)

    def __contains__(self, peer: object) -> bool:
        return peer in self._contacts

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._contacts.values())

    @property
    def bucket_sizes(self) -> list[int]:
        """Contacts by bucket, up to the last that is not empty."""
        sizes = [len(bucket) for bucket in self._buckets]
        while sizes and not sizes[-1]:
            sizes.pop()
        return sizes

    def buckets(self) -> Iterator[tuple[int, PeerId]]:
        """Yield each contact with the number of its bucket."""
        for index, bucket in enumerate(self._buckets):
            for contact in bucket:
                yield index, contact.node.peer

    def find(self, peer: PeerId) -> Contact | None:
        return self._contacts.get(peer)

    def add(self, node: Node, now: Instant) -> bool:
        """Note that a server answered; return whether it is in the table now. A full bucket makes it a candidate."""
        contact = self._contacts.get(node.peer)
        if contact is not None:
            contact.last_seen, contact.strikes = now, 0
            if node.addresses and node.addresses != contact.node.addresses:
                return self._move(contact, node)
            return True
        index = common_prefix_length(node.key, self._local)
        if index == BITS:
            return False  # ourselves
        bucket = self._bucket(index)
        if not self._is_diverse(node, bucket):
            return False
        if len(bucket) >= self._k:
            candidates = self._candidates.setdefault(index, {})
            candidates.pop(node.peer, None)
            candidates[node.peer] = node
            if len(candidates) > self._k:
                del candidates[next(iter(candidates))]
            return False
        self._enter(Contact(node, now), bucket)
        return True

    def strike(self, peer: PeerId, now: Instant) -> bool:
        """Note that a contact did not answer; return whether it was removed for it."""
        contact = self._contacts.get(peer)
        if contact is None:
            candidates = self._candidates.get(common_prefix_length(key_of(peer.multihash), self._local))
            if candidates is not None:
                candidates.pop(peer, None)
            return False
        contact.strikes += 1
        if contact.strikes < _STRIKES:
            return False
        self.remove(peer, now)
        return True

    def remove(self, peer: PeerId, now: Instant) -> None:
        """Take a contact out; the newest fitting candidate takes its place."""
        contact = self._contacts.pop(peer, None)
        if contact is None:
            return
        index = common_prefix_length(contact.node.key, self._local)
        bucket = self._buckets[index]
        bucket.remove(contact)
        self._groups.subtract(contact.node.groups)
        for group in contact.node.groups:
            if self._groups[group] <= 0:
                del self._groups[group]
        self._promote(index, bucket, now)
        while self._buckets and not self._buckets[-1]:
            self._buckets.pop()

    def closest(self, target: Key, count: int, exclude: Sequence[PeerId] = ()) -> list[Node]:
        """Return the contacts nearest to `target`, nearest first; those that failed last are left out."""
        index = common_prefix_length(target, self._local)
        found: list[tuple[int, Node]] = []
        for bucket in self._by_nearness(index):
            if len(found) >= count:
                break
            for contact in bucket:
                node = contact.node
                if not contact.strikes and node.peer not in exclude:
                    found.append((node.key ^ target, node))
        found.sort()
        return [node for _, node in found[:count]]

    def stale(self, before: Instant) -> list[Node]:
        """Return the contacts that were last heard of before that instant, or failed since."""
        return [contact.node for contact in self._contacts.values() if contact.last_seen < before or contact.strikes]

    def _by_nearness(self, index: int) -> Iterator[list[Contact]]:
        """Yield groups of contacts so that none of a later group is nearer than one of an earlier group.

        The bucket of the target shares its next bit. All deeper ones share exactly `index` bits with it, and each
        shallower one exactly its own number.
        """
        buckets = self._buckets
        if index < len(buckets):
            yield buckets[index]
            yield [contact for bucket in buckets[index + 1 :] for contact in bucket]
        for shallower in range(min(index, len(buckets)) - 1, -1, -1):
            yield buckets[shallower]

    def _bucket(self, index: int) -> list[Contact]:
        while len(self._buckets) <= index:
            self._buckets.append([])
        return self._buckets[index]

    def _enter(self, contact: Contact, bucket: list[Contact]) -> None:
        bucket.append(contact)
        self._contacts[contact.node.peer] = contact
        self._groups.update(contact.node.groups)

    def _move(self, contact: Contact, node: Node) -> bool:
        """Give a contact its new addresses, unless these are of a group that is full."""
        bucket = self._buckets[common_prefix_length(node.key, self._local)]
        self._groups.subtract(contact.node.groups)
        bucket.remove(contact)
        if self._is_diverse(node, bucket):
            contact.node = node
        bucket.append(contact)
        self._groups.update(contact.node.groups)
        return True

    def _promote(self, index: int, bucket: list[Contact], now: Instant) -> None:
        candidates = self._candidates.get(index)
        while candidates and len(bucket) < self._k:
            _, node = candidates.popitem()
            if self._is_diverse(node, bucket):
                self._enter(Contact(node, now), bucket)
        if candidates is not None and not candidates:
            del self._candidates[index]

    def _is_diverse(self, node: Node, bucket: list[Contact]) -> bool:
        if not self._per_group:
            return True
        for group in node.groups:
            if self._groups[group] >= self._per_group:
                return False
            if sum(group in contact.node.groups for contact in bucket) >= self._per_group_in_bucket:
                return False
        return True
