"""A node that nobody can dial finds relays by itself, is reached through them, and goes direct where it can."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.netlab.homes import GLOBAL, Kind, wide_network
from tests.netlab.namespace import resident_of
from tests.netlab.residents import NodeThere
from zwerm.libp2p.autonat import aio as autonat
from zwerm.libp2p.dcutr import aio as dcutr
from zwerm.node import reach, relays

pytestmark = pytest.mark.slow

LIMIT = 120.0  # seconds for everything of one test
RELAYS = 3


class Scene(NamedTuple):
    """Public nodes that relay and dial for others, and two nodes at home."""

    relays: list[NodeThere]
    hidden: NodeThere
    other: NodeThere


@contextlib.asynccontextmanager
async def scene(path: Path, monkeypatch: pytest.MonkeyPatch, hidden: Kind, other: Kind) -> AsyncIterator[Scene]:
    monkeypatch.setattr(autonat, "DIAL_TIME", 0.5)
    monkeypatch.setattr(dcutr, "DIAL_TIME", 1.0)
    monkeypatch.setattr(reach, "SETTLE", 0.05)
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network(GLOBAL))
        homes = [network.join(kind) for kind in (hidden, other)]
        core = stack.enter_context(resident_of(network.core))
        at_home = [stack.enter_context(resident_of(home.host)) for home in homes]
        unlimited = {"relay__serve": True, "relay__circuit_time": "0s", "relay__circuit_data": "0"}
        relays = [
            NodeThere(core, path / f"relay-{number}", GLOBAL.servers[0], 4_001 + number, **unlimited)
            for number in range(RELAYS)
        ]
        ends = [
            NodeThere(resident, path / f"home-{number}", home.address, relay__auto=True)
            for number, (resident, home) in enumerate(zip(at_home, homes, strict=True))
        ]
        try:
            async with asyncio.timeout(LIMIT):
                for each in (*relays, *ends):
                    await each.open()
                    each.network.reach.direct._longest_grace = 2.0
                for end in ends:
                    for relay in relays:
                        await end.connect(relay)
                yield Scene(relays, *ends)
        finally:
            for each in (*ends, *relays):
                await each.close()


def places(node: NodeThere) -> set[str]:
    """The relays through which it says that it is reached."""
    return {str(address.value("p2p")) for address in node.swarm.addresses if "p2p-circuit" in address.names}


async def test_a_node_that_is_told_that_it_cannot_be_dialled_holds_two_places_and_replaces_one_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, monkeypatch, Kind.PORT, Kind.NONE) as made:
        await made.hidden.until(lambda: len(places(made.hidden)) == 2)
        assert made.hidden.network.reach.reachability.is_public is False
        first = places(made.hidden)
        dying = next(each for each in made.relays if str(each.node.identity) in first)
        spare = next(each for each in made.relays if str(each.node.identity) not in first)
        await dying.close()
        kept = first - {str(dying.node.identity)}
        await made.hidden.until(lambda: places(made.hidden) == kept | {str(spare.node.identity)})
        await made.other.until(lambda: made.other.network.reach.reachability.is_public is True)
        assert places(made.other) == set()


async def test_a_node_that_met_no_relay_finds_two_by_the_dht(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three public nodes say that it cannot be dialled; they relay for nobody, and know two that do."""
    monkeypatch.setattr(autonat, "DIAL_TIME", 0.5)
    monkeypatch.setattr(reach, "SETTLE", 0.05)
    monkeypatch.setattr(relays, "LOOK", 1.0)
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network(GLOBAL))
        home, *hosts = [network.join(kind) for kind in (Kind.PORT, Kind.NONE, Kind.NONE)]
        core = stack.enter_context(resident_of(network.core))
        inside, *outside = [stack.enter_context(resident_of(each.host)) for each in (home, *hosts)]
        known = [
            NodeThere(core, tmp_path / f"known-{number}", GLOBAL.servers[0], 4_001 + number, routing__dht="server")
            for number in range(3)
        ]
        relaying = [
            NodeThere(resident, tmp_path / host.address, host.address, relay__serve=True, routing__dht="server")
            for resident, host in zip(outside, hosts, strict=True)
        ]
        hidden = NodeThere(inside, tmp_path / "hidden", home.address, relay__auto=True)
        everybody = (*known, *relaying, hidden)
        try:
            async with asyncio.timeout(LIMIT):
                for each in everybody:
                    await each.open()
                for one in relaying:
                    for other in known:
                        await one.connect(other)
                for other in known:
                    await hidden.connect(other)
                await hidden.until(lambda: places(hidden) == {str(each.node.identity) for each in relaying})
        finally:
            for each in reversed(everybody):
                await each.close()


@pytest.mark.parametrize(
    ("hidden", "other", "path"),
    [(Kind.PORT, Kind.PORT, "direct"), (Kind.SYMM, Kind.PORT, "relayed"), (Kind.PORT, Kind.NONE, "direct")],
    ids=["port and port", "symmetric and port", "port and public"],
)
async def test_content_of_a_node_at_home_is_fetched_whatever_stands_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: Kind, other: Kind, path: str
) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "content").write_bytes(content)
    async with scene(tmp_path, monkeypatch, hidden, other) as made:
        await made.hidden.until(lambda: len(places(made.hidden)) == 2)
        cid = await made.hidden.add(tmp_path / "content")
        circuits = [each for each in made.hidden.swarm.addresses if "p2p-circuit" in each.names]
        await made.other.connect(made.hidden, *circuits)
        assert await made.other.cat(cid) == content
        if path == "direct":
            await made.other.until(lambda: made.other.paths_to(made.hidden) == ["direct"])
        else:
            await made.hidden.until(lambda: made.hidden.network.reach.direct.failed == 1)
            assert set(made.other.paths_to(made.hidden)) == {"relayed"}
