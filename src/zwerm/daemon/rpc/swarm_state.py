"""`swarm/resources` and `swarm/addrs/autonat`: limits and what is used of them; what others say of our addresses."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from zwerm.daemon.rpc.online import network_of
from zwerm.daemon.rpc.registry import Context, command

_REACHABILITY: Final = {True: "Public", False: "Private", None: "Unknown"}  # in go-libp2p's words


@command("swarm/resources", "Show the limits on connections and streams, and what is used of them", experimental=True)
async def swarm_resources(context: Context) -> dict[str, Any]:
    """The scopes and names are those of go-libp2p's resource manager, as far as there are such limits here."""
    swarm = network_of(context).swarm
    limits = swarm.limits
    connections, streams = Counter[str](), Counter[str]()
    inbound = 0
    protocols = Counter[str]()
    for connection in swarm.connections:
        connections[str(connection.remote_peer)] += 1
        inbound += connection.direction.value == "inbound"
        for stream in connection.streams:
            streams[str(connection.remote_peer)] += 1
            protocols[stream.protocol] += 1
    total = connections.total()
    return {
        "System": {
            "Conns": limits.connections,
            "ConnsUsage": total,
            "ConnsInboundUsage": inbound,
            "ConnsOutboundUsage": total - inbound,
            "Streams": limits.streams,
            "StreamsUsage": streams.total(),
        },
        "Transient": {},
        "Protocols": {
            name: {"Streams": limits.streams, "StreamsUsage": count} for name, count in sorted(protocols.items())
        },
        "Peers": {
            peer: {
                "Conns": limits.connections_per_peer,
                "ConnsUsage": count,
                "Streams": limits.streams_per_peer,
                "StreamsUsage": streams[peer],
            }
            for peer, count in sorted(connections.items())
        },
    }


@command("swarm/addrs/autonat", "Show what other nodes say of this node's addresses")
async def swarm_addrs_autonat(context: Context) -> dict[str, Any]:
    reachability = network_of(context).reach.reachability
    found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for address, verdict in reachability.verdicts.items():
        found[verdict].append(str(address))
    named = {"reachable": sorted(found[True]), "unreachable": sorted(found[False]), "unknown": sorted(found[None])}
    return {"reachability": _REACHABILITY[reachability.is_public]} | {
        name: texts for name, texts in named.items() if texts
    }
