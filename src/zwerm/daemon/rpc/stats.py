"""`stats/*`: figures of the node (Kubo, "RPC API", `/api/v0/stats/repo`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from zwerm.daemon.rpc import bitswap, repo
from zwerm.daemon.rpc.registry import Context, command, flag, option


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
    _context: Context,
    peer: str = "",  # noqa: ARG001
    proto: str = "",  # noqa: ARG001
    poll: bool = False,
    interval: str = "1s",
) -> AsyncIterator[dict[str, Any]]:
    """Yield zeros: this node speaks to no peers yet."""
    import asyncio

    from zwerm.daemon.rpc.values import parse_duration

    pause = parse_duration(interval)
    yield {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}
    while poll:
        await asyncio.sleep(pause)
        yield {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}
