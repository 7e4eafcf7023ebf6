"""What is being fetched, from whom, and how far the search for others has come: for people who wait."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.exchange.retrieval import Progress, Retrieval
    from zwerm.multiformats.cid import CID
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.network import Network

MAX_NAMED: Final = 32  # peers named in each list
_REASON: Final = 300  # characters of why a peer could not be reached
_TRANSPORTS: Final = ("webrtc-direct", "quic-v1", "wss", "ws", "tcp", "memory")  # the first that an address has


class Phase(enum.Enum):
    """How far a fetch has come."""

    LOOKING = "looking"  # for somebody who has it
    ASKING = "asking"  # those who may have it
    RECEIVING = "receiving"
    FAILED = "failed"  # those who were found could not be reached


@dataclasses.dataclass(frozen=True, slots=True)
class Giver:
    """Somebody that gave blocks."""

    name: str  # a peer's ID, or the address of a gateway
    address: Multiaddr | None  # where it is now; None: no peer, or gone
    blocks: int
    size: int  # bytes
    is_peer: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Fetch:
    """One retrieval."""

    root: CID
    phase: Phase
    blocks: int
    size: int  # bytes of blocks that came
    duplicates: int
    seconds: float  # since it began
    givers: Sequence[Giver]  # who gave most first
    asked: Sequence[PeerId]
    found: int  # providers
    unreachable: dict[PeerId, str]  # with the reason
    others: Sequence[str]  # sources that are no peers and failed, each with its reason


def fetches(network: Network, tag: str | None = None) -> list[Fetch]:
    """Return what is under way; with `tag` what is fetched for that one caller, also when it just ended."""
    source = network.source
    retrievals = source.retrievals if tag is None else source.tagged(tag)
    return [_fetch(network, each, source.progress(each)) for each in retrievals]


def transport_name(address: Multiaddr) -> str:
    """Return how an address is reached; of a relayed one, how the relay is."""
    return next((name for name in _TRANSPORTS if name in address.names), address.names[0])


class Rates:
    """Bytes a second that each source gave since it was looked at last; at first, since the fetch began."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[float, int]] = {}
        self._next: dict[Hashable, tuple[float, int]] = {}

    def turn(self) -> None:
        """Begin a new look; what the one before did not see is forgotten."""
        self._last, self._next = self._next, {}

    def rate(self, key: Hashable, seconds: float, size: int) -> float:
        self._next[key] = seconds, size
        before, had = self._last.get(key, (0.0, 0))
        return (size - had) / (seconds - before) if seconds > before and size >= had else 0.0


def _fetch(network: Network, retrieval: Retrieval, progress: Progress) -> Fetch:
    session = network.bitswap.client.session(retrieval.number)
    asked = list(session.tried) if session is not None else []
    search = progress.search
    givers = [
        Giver(str(peer), _address(network, peer), share.blocks, share.size) for peer, share in progress.shares.items()
    ]
    givers += [Giver(name, None, share.blocks, share.size, is_peer=False) for name, share in progress.others.items()]
    givers.sort(key=lambda giver: giver.size, reverse=True)
    return Fetch(
        retrieval.root,
        _phase(progress, asked),
        progress.blocks,
        progress.size,
        progress.duplicates,
        network.swarm.clock() - retrieval.began,
        givers[:MAX_NAMED],
        asked[:MAX_NAMED],
        len(search.providers),
        {peer: why[:_REASON] for peer, why in list(search.failures.items())[:MAX_NAMED]},
        search.others[:MAX_NAMED],
    )


def _phase(progress: Progress, asked: Sequence[PeerId]) -> Phase:
    search = progress.search
    if progress.blocks:
        return Phase.RECEIVING
    if search.providers and len(search.failures) >= len(search.providers):
        return Phase.FAILED
    return Phase.ASKING if asked or search.providers else Phase.LOOKING


def _address(network: Network, peer: PeerId) -> Multiaddr | None:
    connections = network.swarm.connections_to(peer)
    return connections[0].remote_address if connections else None
