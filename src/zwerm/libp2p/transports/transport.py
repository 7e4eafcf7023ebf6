"""What a transport is: it dials and listens on the addresses it knows, and gives connections with streams.

TCP and WebSocket give bare bytes; `zwerm.libp2p.swarm` secures and multiplexes them. QUIC, WebRTC and memory bring
security and streams of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import MuxedConnection
from zwerm.multiformats.multiaddr import Multiaddr


class Listener(Protocol):
    """An address that is listened on."""

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        """Where it listens, with the port that was given for 0 and one for each interface when it listens on all."""
        ...

    async def close(self) -> None:
        """Accept nothing more. Connections that were accepted stay."""
        ...


class Transport(Protocol):
    """A way to other nodes."""

    @property
    def name(self) -> str: ...

    def can_dial(self, address: Multiaddr) -> bool: ...

    def can_listen(self, address: Multiaddr) -> bool: ...

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MuxedConnection:
        """Connect to `address`, on which `peer` is expected; None: whoever it is.

        Cancelling closes what was begun.

        Raises:
            TransportError: the phase that failed, and why.
            RemoteProtocolError: somebody else is there, or does not prove who it is.
        """
        ...

    async def listen(self, address: Multiaddr, on_connection: Callable[[MuxedConnection], None]) -> Listener:
        """Accept connections, each handed over once its peer is known.

        Raises:
            TransportError: the address is taken, or is none of this machine.
        """
        ...

    async def close(self) -> None:
        """Close every listener and every connection."""
        ...


@runtime_checkable
class HolePuncher(Protocol):
    """A transport through whose NATs two nodes can dial each other at the same moment (dcutr)."""

    def can_punch(self, address: Multiaddr) -> bool: ...

    async def punch(self, address: Multiaddr, peer: PeerId, *, is_client: bool) -> MuxedConnection:
        """Open a connection with `peer`, which dials this node at the same moment, by a path that the NATs let through.

        `is_client` says which of the two begins in the protocols above. Goes on until it is cancelled, which closes
        what was begun. Where the server's part is to make a way for what its listener accepts, it never returns.

        Raises:
            TransportError, RemoteProtocolError: as `Transport.dial`.
        """
        ...
