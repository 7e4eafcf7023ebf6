"""`diag/reach`: whether others can get something from this node now, and if not, why; Kubo has nothing like it."""

from __future__ import annotations

from typing import Any

from zwerm.daemon.rpc.registry import Context, argument, command


@command(
    "diag/reach",
    "Say whether others can get some content from this node now, and why not",
    arguments=[argument("path", "Address, /ipfs/ path, or the path of one of the node's files.")],
)
async def diag_reach(context: Context, path: str) -> dict[str, Any]:
    """Nobody is asked: this is what the node knows."""
    from zwerm.ipfs.exchange.switch import offline
    from zwerm.node.availability import availability
    from zwerm.node.fetches import transport_name

    with offline():
        cid = await context.resolve(path)
    found = availability(context.node, cid)
    return {
        "Cid": context.text(cid),
        "Standing": found.standing.value,
        "Here": found.is_here,
        "Told": found.is_told,
        "Pending": found.is_pending,
        "Public": found.is_public,
        "Peers": found.peers,
        "Servers": found.servers,
        "Addresses": [
            {
                "Address": f"{each.address}/p2p/{context.node.identity}",
                "Transport": transport_name(each.address),
                "Relayed": each.is_relayed,
                "Near": each.is_near,
                "Reachable": each.is_reachable,
            }
            for each in found.addresses
        ],
    }
