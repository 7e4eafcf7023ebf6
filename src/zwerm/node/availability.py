"""Whether others can get something from this node now, and if not, why: what a person is told of each file.

Three things must hold: it is here, others are told so, and an address of this node leads here. The first that does not
hold is the reason.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zwerm.multiformats.cid import CID
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.network import Network
    from zwerm.node.node import Node


class Standing(enum.Enum):
    """The verdict, with the one reason that counts."""

    REACHABLE = "reachable"  # others were told, and said that an address leads here
    RELAYED = "relayed"  # the same, through a relay
    UNSURE = "unsure"  # others were told; whether an address leads here nobody has said yet
    PENDING = "pending"  # others are about to be told
    OFFLINE = "offline"  # the node runs without a network
    MISSING = "missing"  # it is not here
    ALONE = "alone"  # no other node is known
    UNTOLD = "untold"  # others are not told, because a setting says so
    LISTED = "listed"  # others are told of roots only, and this is none
    NEAR = "near"  # every address is of this machine or its own network
    CLOSED = "closed"  # others tried the addresses, and none led here

    @property
    def is_good(self) -> bool:
        return self in (Standing.REACHABLE, Standing.RELAYED)

    @property
    def is_open(self) -> bool:
        """Whether it is neither good nor bad yet."""
        return self in (Standing.UNSURE, Standing.PENDING)


@dataclasses.dataclass(frozen=True, slots=True)
class OwnAddress:
    """One address that this node announces."""

    address: Multiaddr  # without `/p2p/`
    is_relayed: bool
    is_near: bool  # of this machine, or of a network of its own
    is_reachable: bool | None  # what others said of it; None: nothing, or too little


@dataclasses.dataclass(frozen=True, slots=True)
class Availability:
    """How it stands with one thing."""

    cid: CID
    standing: Standing
    is_here: bool
    is_told: bool  # others were told
    is_pending: bool  # others will be told
    is_public: bool | None  # whether any address leads here, as others say (autonat); None: not known
    addresses: Sequence[OwnAddress]
    peers: int  # connected
    servers: int  # of the public DHT that are known


def availability(node: Node, cid: CID) -> Availability:
    """Say whether others can get `cid` from this node now. Looks at its first block only, and asks nobody."""
    is_here = node.store.has(cid)
    network = node.network
    if network is None:
        return Availability(
            cid,
            Standing.OFFLINE,
            is_here,
            is_told=False,
            is_pending=False,
            is_public=None,
            addresses=(),
            peers=0,
            servers=0,
        )
    ways, swarm = network.ways, network.swarm
    providing = ways.providing
    is_kept = is_here and providing is not None and providing.is_kept(cid.multihash)
    is_pending = is_kept and providing is not None and providing.is_pending(cid.multihash)
    addresses = own_addresses(network)
    is_public = network.reach.reachability.is_public
    peers = len({connection.remote_peer for connection in swarm.connections})
    servers = sum(len(kad.dht.table) for kad in ways.dhts)
    if not is_here:
        standing = Standing.MISSING
    elif providing is None:
        standing = Standing.UNTOLD
    elif not peers and not servers:
        standing = Standing.ALONE
    elif not is_kept:
        standing = Standing.LISTED
    else:
        standing = _reached(addresses, is_public, is_pending=is_pending)
    return Availability(
        cid,
        standing,
        is_here,
        is_told=is_kept and not is_pending,
        is_pending=is_pending,
        is_public=is_public,
        addresses=addresses,
        peers=peers,
        servers=servers,
    )


def own_addresses(network: Network) -> tuple[OwnAddress, ...]:
    """Return what this node announces, and what is known of each address."""
    reachability = network.reach.reachability
    return tuple(
        OwnAddress(address, "p2p-circuit" in address.names, is_near(address), reachability.is_reachable(address))
        for address in network.swarm.addresses
    )


def is_near(address: Multiaddr) -> bool:
    """Whether an address lies on this machine or a network of its own."""
    first = address.components[0]
    if first.protocol.name not in ("ip4", "ip6"):
        return False
    return "p2p-circuit" not in address.names and not ipaddress.ip_address(first.text).is_global


def _reached(addresses: Sequence[OwnAddress], is_public: bool | None, *, is_pending: bool) -> Standing:
    """Judge what others are told of: by which way they come here."""
    relayed = any(each.is_relayed for each in addresses)
    outside = [each for each in addresses if not each.is_near and not each.is_relayed]
    if not is_public and not relayed and (is_public is False or not outside):
        return Standing.CLOSED if outside else Standing.NEAR
    if is_pending:
        return Standing.PENDING
    if is_public:
        return Standing.REACHABLE
    return Standing.RELAYED if relayed else Standing.UNSURE
