"""What a node is to the protocols above libp2p: peers to connect to, streams to open, protocols to answer.

`zwerm.libp2p.swarm` has the one implementation. Protocols take a `Host` and nothing else of libp2p, so that the same
protocol runs over memory in a test, over TCP and over WebRTC.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from zwerm.core.errors import TransportError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import Connection, Stream
from zwerm.multiformats.multiaddr import Multiaddr

StreamHandler: TypeAlias = Callable[[Stream], Awaitable[None]]


class DialFailed(TransportError):
    """No address of a peer led to it. The message names each address with its reason, and the phase that failed."""


@dataclasses.dataclass(frozen=True, slots=True)
class PeerConnected:
    """The first connection to a peer is there."""

    peer: PeerId


@dataclasses.dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """The last connection to a peer is gone."""

    peer: PeerId
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class PeerIdentified:
    """A peer said who it is and what it speaks, for the first time or again (identify, identify push)."""

    peer: PeerId
    protocols: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class AddressesChanged:
    """What this node announces as its addresses changed."""

    addresses: tuple[Multiaddr, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ReachabilityChanged:
    """Others found out, or no longer know, whether this node can be reached from outside (autonat)."""

    is_public: bool | None  # None: not known


HostEvent: TypeAlias = PeerConnected | PeerDisconnected | PeerIdentified | AddressesChanged | ReachabilityChanged


class PeerStore(Protocol):
    """What is known about peers, connected or not; bounded, least recently used first out."""

    def addresses(self, peer: PeerId) -> Sequence[Multiaddr]:
        """Return the addresses that have not expired, without `/p2p/` at the end, freshest first."""
        ...

    def add_addresses(self, peer: PeerId, addresses: Sequence[Multiaddr], lifetime: float) -> None:
        """Remember addresses for `lifetime` seconds; a longer remaining lifetime is kept."""
        ...

    def protocols(self, peer: PeerId) -> frozenset[str]:
        """Return what the peer said it speaks; empty when it has not said."""
        ...

    def agent(self, peer: PeerId) -> str:
        """Return the peer's agent version; empty when it has not said."""
        ...

    def signed_record(self, peer: PeerId) -> bytes | None:
        """Return the newest peer record it sealed, as the bytes of its envelope."""
        ...


class Host(Protocol):
    """A node of the network, seen by its protocols."""

    @property
    def peer_id(self) -> PeerId: ...

    @property
    def key(self) -> PrivateKey: ...

    @property
    def peers(self) -> PeerStore: ...

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        """What this node announces, without `/p2p/`."""
        ...

    @property
    def connections(self) -> Sequence[Connection]: ...

    def connections_to(self, peer: PeerId) -> Sequence[Connection]:
        """Return the connections to a peer, the one to prefer first: direct before relayed, then the older."""
        ...

    async def connect(
        self, peer: PeerId, addresses: Sequence[Multiaddr] = (), *, force_direct: bool = False
    ) -> Connection:
        """Return a connection to `peer`, dialling its known `addresses` and these when there is none.

        Calls for the same peer share one dial; cancelling one leaves the others'. With `force_direct` a connection
        through a relay does not count.

        Raises:
            DialFailed: no address led to it.
            ResourceLimitError: the limit on connections or dials is reached.
        """
        ...

    async def open_stream(self, peer: PeerId, protocols: Sequence[str], *, allow_limited: bool = False) -> Stream:
        """Open a stream to `peer`, connecting first when there is no connection.

        Args:
            peer: whom to reach.
            protocols: in order of preference.
            allow_limited: whether a connection through a relay with limits will do.

        Raises:
            DialFailed, ResourceLimitError, ProtocolNotSupported, StreamReset: see there.
        """
        ...

    async def disconnect(self, peer: PeerId) -> None: ...

    def handle(self, protocol: str, handler: StreamHandler, *, allow_limited: bool = False) -> None:
        """Answer streams of `protocol`. Each gets a task of the host's; a handler that raises resets its stream."""
        ...

    def unhandle(self, protocol: str) -> None: ...

    def protect(self, peer: PeerId, tag: str) -> None:
        """Keep the connections to `peer` when others are closed for being too many, until `unprotect` with this tag."""
        ...

    def unprotect(self, peer: PeerId, tag: str) -> None: ...

    def subscribe(self, listener: Callable[[HostEvent], None]) -> Callable[[], None]:
        """Call `listener` on every event, on the loop; return what ends that."""
        ...
