"""`swarm/*`: connections with other nodes (Kubo, "RPC API", `/api/v0/swarm/peers`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.online import latency_text, network_of, parse_peer
from zwerm.daemon.rpc.registry import Context, argument, command, flag

_ADDRESSES: Final = argument("address", "Addresses with their /p2p/ID.", variadic=True, stdin=True)


@command(
    "swarm/peers",
    "List the peers this node is connected with",
    options=[
        flag("verbose", "v", text="Show all that is known."),
        flag("streams", text="Show the protocols of open streams."),
        flag("latency", text="Show how long a round trip takes."),
        flag("direction", text="Show who connected."),
        flag("identify", text="Show what the peer says of itself."),
    ],
)
async def swarm_peers(
    context: Context,
    verbose: bool = False,
    streams: bool = False,
    latency: bool = False,
    direction: bool = False,
    identify: bool = False,
) -> dict[str, Any]:
    swarm = network_of(context).swarm
    rows = []
    for connection in sorted(swarm.connections, key=lambda each: str(each.remote_peer)):
        peer = connection.remote_peer
        row: dict[str, Any] = {"Addr": str(connection.remote_address), "Peer": str(peer), "Identify": {}}
        if verbose or latency:
            row["Latency"] = latency_text(connection)
        if verbose or streams:
            row["Streams"] = [{"Protocol": stream.protocol} for stream in connection.streams]
        if verbose or direction:
            row["Direction"] = 1 if connection.direction.value == "inbound" else 2
        if verbose:
            row["Muxer"] = connection.muxer
        if verbose or identify:
            row["Identify"] = {
                "ID": str(peer),
                "PublicKey": "",
                "Addresses": [f"{address}/p2p/{peer}" for address in swarm.peers.addresses(peer)],
                "AgentVersion": swarm.peers.agent(peer),
                "Protocols": sorted(swarm.peers.protocols(peer)),
            }
        rows.append(row)
    return {"Peers": rows}


@command("swarm/connect", "Connect to peers", arguments=[_ADDRESSES])
async def swarm_connect(context: Context, address: Sequence[str]) -> dict[str, Any]:
    swarm = network_of(context).swarm
    peers = [parse_peer(text) for text in address]
    swarm.forget_failures()
    lines = []
    for peer, addresses in peers:
        try:
            await swarm.connect(peer, addresses)
        except ZwermError as error:
            raise CommandError(f"connect {peer} failure: {error}") from None
        lines.append(f"connect {peer} success")
    return {"Strings": lines}


@command("swarm/disconnect", "Close the connections with peers", arguments=[_ADDRESSES])
async def swarm_disconnect(context: Context, address: Sequence[str]) -> dict[str, Any]:
    swarm = network_of(context).swarm
    lines = []
    for text in address:
        peer, addresses = parse_peer(text)
        chosen = [
            connection
            for connection in swarm.connections_to(peer)
            if not addresses or connection.remote_address in addresses
        ]
        if not chosen:
            raise CommandError(f"disconnect {peer} failure: conn not found")
        await asyncio.gather(*(connection.close() for connection in chosen))
        lines.append(f"disconnect {peer} success")
    return {"Strings": lines}


@command("swarm/addrs", "List the addresses known of peers")
async def swarm_addrs(context: Context) -> dict[str, Any]:
    store = network_of(context).swarm.peers
    known = {str(peer): [str(address) for address in store.addresses(peer)] for peer in list(store)}
    return {"Addrs": {peer: addresses for peer, addresses in sorted(known.items()) if addresses}}


@command("swarm/addrs/listen", "List where this node listens")
async def swarm_addrs_listen(context: Context) -> dict[str, Any]:
    return {"Strings": [str(address) for address in network_of(context).swarm.listen_addresses]}


@command(
    "swarm/addrs/local",
    "List what this node announces as its addresses",
    options=[flag("id", text="With the peer ID at the end.")],
)
async def swarm_addrs_local(context: Context, id_: bool = False) -> dict[str, Any]:
    swarm = network_of(context).swarm
    end = f"/p2p/{swarm.peer_id}" if id_ else ""
    return {"Strings": [f"{address}{end}" for address in swarm.addresses]}


@command("swarm/peering/add", "Stay connected with peers", arguments=[_ADDRESSES])
async def swarm_peering_add(context: Context, address: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
    peering = network_of(context).peering
    peers = [parse_peer(text) for text in address]
    if any(peer == context.node.identity for peer, _ in peers):
        raise CommandError("the peer is this node")
    for peer, addresses in peers:
        peering.add(peer, addresses)
        yield {"ID": str(peer), "Status": "success"}


@command("swarm/peering/ls", "List the peers this node stays connected with")
async def swarm_peering_ls(context: Context) -> dict[str, Any]:
    peers = network_of(context).peering.peers
    return {"Peers": [{"ID": str(peer), "Addrs": [str(address) for address in peers[peer]]} for peer in peers]}


@command(
    "swarm/peering/rm",
    "Stay connected with peers no longer",
    arguments=[argument("id", "Peer IDs.", variadic=True, stdin=True)],
)
async def swarm_peering_rm(context: Context, id_: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
    peering = network_of(context).peering
    for peer, _ in [parse_peer(text) for text in id_]:
        peering.remove(peer)
        yield {"ID": str(peer), "Status": "success"}
