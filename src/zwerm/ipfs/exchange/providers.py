"""Who has some content: what the exchange asks of routing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple, Protocol

from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr


class Provider(NamedTuple):
    """A peer that says it has the content."""

    peer: PeerId
    addresses: Sequence[Multiaddr] = ()  # without `/p2p/`; empty: as far as the peer store knows


class ContentRouting(Protocol):
    """Finds providers."""

    def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        """Yield providers as they are found; ends when nobody is left to ask. Closing it ends the search."""
        ...
