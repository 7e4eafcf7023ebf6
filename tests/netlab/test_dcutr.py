"""Two nodes meet through a relay and go on without it, where the boxes between them allow that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from tests.netlab.homes import GLOBAL, Kind, wide_network
from tests.netlab.namespace import resident_of
from tests.netlab.swarms import Dweller, address_of, close_all
from zwerm.libp2p.dcutr import aio as dcutr
from zwerm.libp2p.relay.slots import RelayLimits
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = pytest.mark.slow

LIMIT = 90.0  # seconds for everything of one test
RELAY = GLOBAL.servers[0]


class Scene(NamedTuple):
    """A caller and who is called, which know each other by way of a relay only."""

    caller: Dweller
    callee: Dweller
    relay: Dweller

    @property
    def circuit(self) -> Multiaddr:
        return address_of(RELAY, self.relay.peer_id).encapsulate(Multiaddr.from_text("/p2p-circuit"))


@contextlib.asynccontextmanager
async def scene(caller: Kind, callee: Kind, limits: RelayLimits | None = None) -> AsyncIterator[Scene]:
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network(GLOBAL))
        homes = [network.join(kind) for kind in (caller, callee)]
        spaces = [*(home.host for home in homes), network.core]
        residents = [stack.enter_context(resident_of(space)) for space in spaces]
        dwellers = [Dweller(resident, number) for number, resident in enumerate(residents)]
        try:
            async with asyncio.timeout(LIMIT):
                for each in dwellers:
                    await each.start()
                made = Scene(*dwellers)
                await made.relay.serve_relay(limits)
                relay = address_of(RELAY, made.relay.peer_id)
                await made.callee.listen_through(relay)
                await made.caller.connect(made.relay.peer_id, relay)
                for each in (made.caller, made.callee):  # where it is seen at is known by then
                    await each.until(
                        lambda each=each: made.relay.peer_id in each.swarm.peers and each.swarm.identify.seen_at()
                    )
                yield made
        finally:
            await close_all(dwellers)


async def meet(made: Scene) -> None:
    await made.caller.connect(made.callee.peer_id, made.circuit)


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        (Kind.PORT, Kind.PORT),
        (Kind.FULL, Kind.PORT),
        (Kind.ADDR, Kind.FULL),
        (Kind.NONE, Kind.PORT),
        (Kind.NONE, Kind.SYMM),
    ],
    ids=lambda kind: kind.value,
)
async def test_two_behind_boxes_that_keep_their_ports_go_direct(caller: Kind, callee: Kind) -> None:
    async with scene(caller, callee) as made:
        await meet(made)
        one, other = made.caller.peer_id, made.callee.peer_id
        await made.caller.until(lambda: made.caller.paths_to(other)[:1] == ["direct"])
        await made.callee.until(lambda: made.callee.paths_to(one)[:1] == ["direct"])
        await made.caller.until(lambda: "relayed" not in made.caller.paths_to(other))
        assert await made.caller.says_back(other, b"from the caller" * 1_000)
        assert await made.callee.says_back(one, b"from the callee" * 1_000)


async def test_behind_a_box_that_draws_ports_they_stay_relayed_and_what_they_say_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dcutr, "DIAL_TIME", 1.0)
    async with scene(Kind.SYMM, Kind.PORT, RelayLimits(circuit_time=0.0, circuit_data=0)) as made:
        await meet(made)
        other = made.callee.peer_id
        await made.callee.until(lambda: made.callee.upgrade.failed == 1)
        assert made.caller.paths_to(other) == ["relayed"]
        assert await made.caller.says_back(other, bytes(1_000_000))


async def test_a_relay_with_limits_stays_a_limited_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcutr, "DIAL_TIME", 1.0)
    async with scene(Kind.SYMM, Kind.SYMM) as made:
        await meet(made)
        await made.callee.until(lambda: made.callee.upgrade.failed == 1)
        assert made.caller.paths_to(made.callee.peer_id) == ["relayed"]
        assert made.caller.swarm.connections_to(made.callee.peer_id)[0].is_limited
        assert await made.caller.says_back(made.callee.peer_id, b"within the limits of the relay")
