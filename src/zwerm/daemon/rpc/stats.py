"""`stats/*`: figures of the node (Kubo, "RPC API", `/api/v0/stats/repo`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from zwerm.daemon.rpc import bitswap, repo
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, command, flag, option

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId


@command(
    "stats/repo",
    "Show how much is stored",
    options=[
        flag("size-only", "s", text="Only the sizes."),
        flag("human", "H", text="Sizes as people write them.", display=True),
    ],
)
async def stats_repo(context: Context, size_only: bool = False) -> Any:
    return await repo.repo_stat(context, size_only)


@command(
    "stats/bitswap",
    "Show what was exchanged",
    options=[
        flag("verbose", "v", text="List the peers, too.", display=True),
        flag("human", text="Sizes as people write them.", display=True),
    ],
)
async def stats_bitswap(context: Context) -> dict[str, Any]:
    return await bitswap.bitswap_stat(context)  # type: ignore[no-any-return]


@command(
    "stats/bw",
    "Show how much went over the network",
    options=[
        option("peer", "p", text="Only with this peer."),
        option("proto", "t", text="Only of this protocol."),
        flag("poll", text="Again and again."),
        option("interval", "i", text="With --poll: how often.", default="1s"),
    ],
)
async def stats_bw(
    context: Context,
    peer: str = "",
    proto: str = "",
    poll: bool = False,
    interval: str = "1s",
) -> AsyncIterator[dict[str, Any]]:
    """Yield what protocols have read and written since the start, and lately; of a node without a network, zeros."""
    import asyncio

    from zwerm.daemon.rpc.online import parse_peer
    from zwerm.daemon.rpc.values import parse_duration

    if peer and proto:
        raise CommandError("cannot filter by both a peer and a protocol")
    whom = parse_peer(peer)[0] if peer else None
    pause = parse_duration(interval)
    yield _bandwidth(context, whom, proto)
    while poll:
        await asyncio.sleep(pause)
        yield _bandwidth(context, whom, proto)


def _bandwidth(context: Context, peer: PeerId | None, protocol: str) -> dict[str, Any]:
    network = context.node.network
    if network is None:
        return {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}
    bandwidth = network.swarm.bandwidth
    if peer is not None:
        usage = bandwidth.usage_of_peer(peer)
    elif protocol:
        usage = bandwidth.usage_of_protocol(protocol)
    else:
        usage = bandwidth.usage()
    return {
        "TotalIn": usage.received,
        "TotalOut": usage.sent,
        "RateIn": usage.receive_rate,
        "RateOut": usage.send_rate,
    }
