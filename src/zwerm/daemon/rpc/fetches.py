"""`stats/fetches`: what comes from others now, for people who wait; Kubo has nothing like it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from zwerm.daemon.rpc.registry import Context, command, flag, option
from zwerm.daemon.rpc.values import parse_duration
from zwerm.node.fetches import Fetch, Rates, fetches, transport_name


@command(
    "stats/fetches",
    "Show what is being fetched from others, and from whom",
    options=[
        option("tag", text="Only what is fetched for the request that carries this header X-Zwerm-Tag."),
        flag("poll", text="Again and again."),
        option("interval", "i", text="With --poll: how often.", default="1s"),
    ],
)
async def stats_fetches(
    context: Context, tag: str | None = None, poll: bool = False, interval: str = "1s"
) -> AsyncIterator[dict[str, Any]]:
    """Yield what is under way; of a node without a network, nothing."""
    pause = parse_duration(interval)
    rates = Rates()
    yield _fetches(context, tag, rates)
    while poll:
        await asyncio.sleep(pause)
        yield _fetches(context, tag, rates)


def _fetches(context: Context, tag: str | None, rates: Rates) -> dict[str, Any]:
    network = context.node.network
    if network is None:
        return {"Fetches": []}
    rates.turn()
    return {"Fetches": [_fetch(context, found, rates) for found in fetches(network, tag)]}


def _fetch(context: Context, found: Fetch, rates: Rates) -> dict[str, Any]:
    return {
        "Root": context.text(found.root),
        "Phase": found.phase.value,
        "Blocks": found.blocks,
        "Size": found.size,
        "Duplicates": found.duplicates,
        "Seconds": round(found.seconds, 3),
        "From": [
            {
                "Name": giver.name,
                "Peer": giver.is_peer,
                "Address": "" if giver.address is None else str(giver.address),
                "Transport": "http"
                if not giver.is_peer
                else ""
                if giver.address is None
                else transport_name(giver.address),
                "Relayed": giver.address is not None and "p2p-circuit" in giver.address.names,
                "Blocks": giver.blocks,
                "Size": giver.size,
                "Rate": round(rates.rate((found.root, giver.name), found.seconds, giver.size)),
            }
            for giver in found.givers
        ],
        "Asked": [str(peer) for peer in found.asked],
        "Providers": found.found,
        "Unreachable": [{"Peer": str(peer), "Reason": why} for peer, why in found.unreachable.items()],
        "Others": list(found.others),
    }
