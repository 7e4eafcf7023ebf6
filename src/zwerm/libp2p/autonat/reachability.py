"""What the answers of others say about each of our addresses (autonat-v2.md, "Implementation Suggestions").

An address is reachable when more servers said so than not, by `confidence` at least, and unreachable the other way
round. Each server counts once for an address, with what it said last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zwerm.core.bounded import LruCache
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

MAX_ANSWERS: Final = 16  # of one address that count: the latest


class Reachability:
    """The verdict on each address."""

    def __init__(self, confidence: int = 3) -> None:
        self._confidence = confidence
        self._answers: dict[Multiaddr, LruCache[PeerId, bool]] = {}

    def keep(self, addresses: Iterable[Multiaddr]) -> None:
        """Forget what is none of `addresses`."""
        kept = set(addresses)
        for address in [address for address in self._answers if address not in kept]:
            del self._answers[address]
        for address in kept:
            self._answers.setdefault(address, LruCache(MAX_ANSWERS))

    def record(self, address: Multiaddr, server: PeerId, *, reached: bool) -> None:
        """Take one answer; of an address that is not ours any more, nothing."""
        if (answers := self._answers.get(address)) is not None:
            answers.put(server, reached)

    def is_reachable(self, address: Multiaddr) -> bool | None:
        """Say whether an address can be reached from outside; None: not known."""
        answers = self._answers.get(address)
        if answers is None:
            return None
        said = [answers.find(server) for server in list(answers)]
        margin = 2 * sum(bool(each) for each in said) - len(said)
        return margin > 0 if abs(margin) >= self._confidence else None

    def is_settled(self, address: Multiaddr) -> bool:
        return self.is_reachable(address) is not None

    @property
    def is_public(self) -> bool | None:
        """Whether this node can be reached at all: by one address that is reachable, and not when none is."""
        said = [self.is_reachable(address) for address in self._answers]
        if True in said:
            return True
        return False if said and None not in said else None

    @property
    def verdicts(self) -> dict[Multiaddr, bool | None]:
        return {address: self.is_reachable(address) for address in self._answers}
