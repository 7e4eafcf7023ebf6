"""`ping`: how long a round trip to a peer takes (Kubo, "RPC API", `/api/v0/ping`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.online import network_of, parse_peer
from zwerm.daemon.rpc.registry import Context, OptionKind, argument, command, option

_PAUSE: Final = 1.0  # seconds between two pings
_PATIENCE: Final = 10.0  # seconds for one
_NANOSECONDS: Final = 1_000_000_000


@command(
    "ping",
    "Measure the round trip to a peer",
    arguments=[argument("peer", "Its ID, or an address that ends in it.")],
    options=[option("count", "n", kind=OptionKind.INT, text="How often.", default=10)],
)
async def ping(context: Context, peer: str, count: int = 10) -> AsyncIterator[dict[str, Any]]:
    from zwerm.libp2p.ping.aio import pings

    if count < 1:
        raise CommandError("ping count must be greater than 0")
    swarm = network_of(context).swarm
    other, addresses = parse_peer(peer)
    if other == swarm.peer_id:
        raise CommandError("can't ping self")
    if not swarm.connections_to(other):
        yield {"Success": True, "Time": 0, "Text": f"Looking up peer {other}"}
        try:
            await swarm.connect(other, addresses)
        except ZwermError as error:
            raise CommandError(f"peer lookup error: {error}") from None
    yield {"Success": True, "Time": 0, "Text": f"PING {other}."}
    total = 0.0
    async with aclosing(pings(swarm, other)) as trips:  # type: ignore[type-var]
        for number in range(count):
            if number:
                await asyncio.sleep(_PAUSE)
            async with asyncio.timeout(_PATIENCE):
                seconds = await anext(trips)
            total += seconds
            yield {"Success": True, "Time": int(seconds * _NANOSECONDS), "Text": ""}
    yield {"Success": True, "Time": 0, "Text": f"Average latency: {total / count * 1000:.3f}ms"}
