"""`peers`: with whom this node is connected, how it is reached, and what goes up and down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import RemoteProtocolError, TransportError, WireError
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Request, field, route
from zwerm.node.availability import is_near
from zwerm.node.fetches import transport_name
from zwerm.node.peering import parse_peer_address

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.libp2p.swarm.connection import SwarmConnection
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.network import Network

MAX_SHOWN: Final = 500  # peers
APART: Final = 60.0  # seconds that a peer stays away whose connection was closed by hand
MAX_AGENT: Final = 128  # characters of what a peer says it is


@route("GET", "peers")
async def peers(request: Request) -> dict[str, Any]:
    """Say who is connected, and how this node is reached."""
    network = request.node.network
    if network is None:
        return {"online": False, "peer_id": str(request.node.identity)}
    swarm, reach = network.swarm, network.reach
    usage = swarm.bandwidth.usage()
    rows: dict[PeerId, SwarmConnection] = {}
    for connection in swarm.connections:
        rows.setdefault(connection.remote_peer, swarm.connections_to(connection.remote_peer)[0])
    shown = sorted(rows.values(), key=lambda each: each.opened)
    return {
        "online": True,
        "peer_id": str(swarm.peer_id),
        "reachable": reach.reachability.is_public,
        "relayed": any("p2p-circuit" in address.names for address in swarm.addresses),
        "looking": reach.lan is not None,
        "addresses": [_address(network, address) for address in swarm.addresses],
        "received": usage.received,
        "sent": usage.sent,
        "receive_rate": usage.receive_rate,
        "send_rate": usage.send_rate,
        "step": network.traffic.step,
        "samples": [list(sample) for sample in network.traffic.samples],
        "total": len(shown),
        "peers": [_peer(network, connection) for connection in shown[:MAX_SHOWN]],
    }


@route("POST", "peers/connect")
async def connect(request: Request) -> dict[str, Any]:
    """Connect to the peer of an address."""
    network = _network(request)
    text = field(await request.json(), "address", str).strip()
    try:
        peer, address = parse_peer_address(text if text.startswith("/") else f"/p2p/{text}")
    except WireError as error:
        raise AppError("bad-address", "This is not the address of a peer", str(error)) from None
    network.swarm.forget_failures()
    try:
        connection = await network.swarm.connect(peer, [] if address is None else [address])
    except (TransportError, RemoteProtocolError) as error:
        raise AppError("unreachable", f"{peer} was not reached", str(error)) from None
    return {"peer": _peer(network, connection)}


@route("POST", "peers/disconnect")
async def disconnect(request: Request) -> dict[str, Any]:
    """Close the connections with a peer, and stay apart for a while, or until somebody connects by hand."""
    from zwerm.identity.peer_id import PeerId

    network = _network(request)
    text = field(await request.json(), "peer", str)
    try:
        peer = PeerId.from_text(text)
    except WireError as error:
        raise AppError("bad-address", "This is not the address of a peer", str(error)) from None
    if not network.swarm.connections_to(peer):
        raise AppError("not-found", f"There is no connection with {peer}", str(peer))
    await network.swarm.disconnect(peer, rest=APART)
    return {"peer": str(peer)}


def _network(request: Request) -> Network:
    network = request.node.network
    if network is None:
        raise AppError("alone", "This node is not connected to a network")
    return network


def _address(network: Network, address: Multiaddr) -> dict[str, Any]:
    return {
        "address": f"{address}/p2p/{network.swarm.peer_id}",
        "transport": transport_name(address),
        "relayed": "p2p-circuit" in address.names,
        "near": is_near(address),
        "reachable": network.reach.reachability.is_reachable(address),
    }


def _peer(network: Network, connection: SwarmConnection) -> dict[str, Any]:
    peer, swarm = connection.remote_peer, network.swarm
    usage = swarm.bandwidth.usage_of_peer(peer)
    return {
        "peer": str(peer),
        "agent": swarm.peers.agent(peer)[:MAX_AGENT],
        "address": str(connection.remote_address),
        "transport": transport_name(connection.remote_address),
        "security": connection.security,
        "direction": connection.direction.value,
        "relayed": "p2p-circuit" in connection.remote_address.names,
        "near": is_near(connection.remote_address),
        "latency": connection.latency,
        "age": swarm.clock() - connection.opened,
        "received": usage.received,
        "sent": usage.sent,
        "rate": usage.receive_rate + usage.send_rate,
    }
