"""Other implementations beside ours: go-libp2p as the relay between two, js-libp2p as the other end of the upgrade."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from tests.netlab.homes import GLOBAL, Kind, WideNetwork, wide_network
from tests.netlab.namespace import Namespace, resident_of
from tests.netlab.swarms import Dweller, address_of, close_all
from tests.peers.lines import LinePeer
from tests.peers.p2pd import P2pd, p2pd
from zwerm.identity.peer_id import PeerId
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


class Beside(NamedTuple):
    """One of ours and js-libp2p, each in a home of its own, and a relay of ours that both reach."""

    ours: Dweller
    js: LinePeer
    js_peer: PeerId
    relay: Multiaddr

    async def ask(self, question: object) -> Any:
        return (await asyncio.to_thread(self.js.ask, question))["result"]


@contextlib.asynccontextmanager
async def beside_js(ours: Kind, theirs: Kind) -> AsyncIterator[Beside]:
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network(GLOBAL))
        homes = [network.join(kind) for kind in (ours, theirs)]
        dwellers = [
            Dweller(stack.enter_context(resident_of(space)), number)
            for number, space in enumerate((homes[0].host, network.core))
        ]
        with homes[1].host.entered():
            js = stack.enter_context(LinePeer.node("libp2p_dcutr.mjs", "/ip4/0.0.0.0/tcp/4001"))
        try:
            async with asyncio.timeout(LIMIT):
                peer = PeerId.from_text((await asyncio.to_thread(js.answer))["peer"])
                for each in dwellers:
                    await each.start()
                await dwellers[1].serve_relay()
                yield Beside(dwellers[0], js, peer, address_of(RELAY, dwellers[1].peer_id))
        finally:
            js.kill()
            await close_all(dwellers)


async def test_js_libp2p_behind_a_nat_calls_and_is_agreed_with() -> None:
    """It names no address that leads to it, so both dial after CONNECT, CONNECT and SYNC, and its dial arrives."""
    async with beside_js(Kind.NONE, Kind.PORT) as made:
        await made.ours.listen_through(made.relay)
        await made.ours.until(made.ours.swarm.identify.seen_at)
        await made.ask({"connect": str(made.relay)})
        await made.ask({"connect": f"{made.relay}/p2p-circuit/p2p/{made.ours.peer_id}"})
        await made.ours.until(lambda: made.ours.paths_to(made.js_peer) == ["direct"])
        assert await made.ours.says_back(made.js_peer, bytes(100_000))
        assert await made.ask({"echo": [str(made.ours.peer_id), 100_000]}) == 100_000
        await made.ours.until(lambda: made.ours.upgrade.succeeded == 1)


async def test_js_libp2p_is_called_and_dials_back() -> None:
    async with beside_js(Kind.NONE, Kind.PORT) as made:
        await made.ours.connect(PeerId.from_text(str(made.relay.value("p2p"))), made.relay)
        await made.ask({"listen": str(made.relay)})
        await made.ours.connect(made.js_peer, made.relay.encapsulate(CIRCUIT))
        await made.ours.until(lambda: made.ours.paths_to(made.js_peer) == ["direct"])
        assert await made.ours.says_back(made.js_peer, bytes(100_000))
