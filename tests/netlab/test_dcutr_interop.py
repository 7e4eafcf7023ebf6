"""go-libp2p between two of ours, as the relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.netlab.homes import GLOBAL, Kind, WideNetwork, wide_network
from tests.netlab.namespace import Namespace, resident_of
from tests.netlab.swarms import Dweller, address_of, close_all
from tests.peers.p2pd import P2pd, p2pd
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LIMIT = 90.0  # seconds for everything of one test
RELAY = GLOBAL.servers[0]
CIRCUIT = Multiaddr.from_text("/p2p-circuit")


@contextlib.asynccontextmanager
async def daemon_in(namespace: Namespace, host: str, *options: str) -> AsyncIterator[P2pd]:
    """go-libp2p's daemon in a namespace; it is asked over the file system."""
    with namespace.entered():
        starting = p2pd("-hostAddrs", f"/ip4/{host}/tcp/4001", *options)
        daemon = await starting.__aenter__()
    try:
        yield daemon
    finally:
        await starting.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def laboratory(*kinds: Kind) -> AsyncIterator[tuple[WideNetwork, list[Dweller]]]:
    """Homes, each with one of our swarms in it."""
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network(GLOBAL))
        homes = [network.join(kind) for kind in kinds]
        residents = [stack.enter_context(resident_of(home.host)) for home in homes]
        dwellers = [Dweller(resident, number) for number, resident in enumerate(residents)]
        try:
            async with asyncio.timeout(LIMIT):
                for each in dwellers:
                    await each.start()
                yield network, dwellers
        finally:
            await close_all(dwellers)


async def test_two_of_ours_go_direct_through_a_relay_of_go_libp2p() -> None:
    async with (
        laboratory(Kind.PORT, Kind.PORT) as (network, (caller, callee)),
        daemon_in(network.core, RELAY, "-relayService", "-forceReachabilityPublic") as daemon,
    ):
        relay = address_of(RELAY, daemon.peer)
        await callee.listen_through(relay)
        await caller.connect(daemon.peer, relay)
        for each in (caller, callee):
            await each.until(lambda each=each: each.swarm.identify.seen_at())
        await caller.connect(callee.peer_id, relay.encapsulate(CIRCUIT))
        await caller.until(lambda: caller.paths_to(callee.peer_id) == ["direct"])
        assert await caller.says_back(callee.peer_id, bytes(100_000))
