"""`bitswap/*`: blocks exchanged with other nodes (Kubo, "RPC API", `/api/v0/bitswap/stat`)."""

from __future__ import annotations

from typing import Any

from zwerm.daemon.rpc.online import network_of, parse_peer
from zwerm.daemon.rpc.registry import Context, argument, command, flag, option


@command(
    "bitswap/stat",
    "Show what was exchanged",
    options=[
        flag("verbose", "v", text="List the peers, too.", display=True),
        flag("human", text="Sizes as people write them.", display=True),
    ],
)
async def bitswap_stat(context: Context) -> dict[str, Any]:
    bitswap = network_of(context).bitswap
    client, count = bitswap.client, bitswap.count
    return {
        "Wantlist": [{"/": context.text(cid)} for cid in client.wantlist],
        "Peers": sorted(str(peer) for peer in client.peers),
        "BlocksReceived": count.blocks_received,
        "DataReceived": count.size_received,
        "DupBlksReceived": client.duplicates,
        "DupDataReceived": client.duplicate_size,
        "MessagesReceived": count.messages_received,
        "BlocksSent": count.blocks_sent,
        "DataSent": count.size_sent,
        "ProvideBufLen": 0,
        "UnaskedBlksReceived": client.unasked,
    }


@command(
    "bitswap/wantlist",
    "List the blocks that are wanted",
    options=[option("peer", "p", text="What this peer wants, instead of this node.")],
)
async def bitswap_wantlist(context: Context, peer: str | None = None) -> dict[str, Any]:
    bitswap = network_of(context).bitswap
    wanted = bitswap.client.wantlist
    if peer is not None:
        other, _ = parse_peer(peer)
        if other != context.node.identity:
            wanted = bitswap.server.wantlist(other)
    return {"Keys": [{"/": context.text(cid)} for cid in wanted]}


@command(
    "bitswap/ledger",
    "Show what was exchanged with a peer",
    arguments=[argument("peer", "The peer's ID.")],
)
async def bitswap_ledger(context: Context, peer: str) -> dict[str, Any]:
    other, _ = parse_peer(peer)
    ledger = network_of(context).bitswap.server.ledgers.of(other)
    return {
        "Peer": str(other),
        "Value": ledger.value,
        "Sent": ledger.sent,
        "Recv": ledger.received,
        "Exchanged": ledger.exchanged,
    }
