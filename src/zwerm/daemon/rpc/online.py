"""What commands about the network share: the network, peers as callers write them, and durations as Kubo does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core.errors import WireError
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.libp2p.stream import Connection
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.network import Network


def network_of(context: Context) -> Network:
    """Return the network.

    Raises:
        CommandError: the node is offline.
    """
    if context.node.network is None or context.offline:
        raise CommandError("this command must be run in online mode; start the node with `zwerm up`")
    return context.node.network


def parse_peer(text: str) -> tuple[PeerId, list[Multiaddr]]:
    """Read a peer ID, or an address that ends in one.

    Raises:
        CommandError: neither.
    """
    from zwerm.identity.peer_id import PeerId
    from zwerm.node.peering import parse_peer_address

    try:
        if not text.startswith("/"):
            return PeerId.from_text(text), []
        peer, address = parse_peer_address(text)
    except WireError as error:
        raise CommandError(f"invalid peer {text!r}: {error}") from None
    return peer, [] if address is None else [address]


def latency_text(connection: Connection) -> str:
    """Write the round trip of a connection as Go writes durations; `n/a` while it was not measured."""
    seconds = getattr(connection, "latency", None)
    return "n/a" if seconds is None else f"{seconds * 1000:.6g}ms"
