"""A router that maps ports on request (miniupnpd), asked by PCP, NAT-PMP and UPnP: the port leads in, then is gone."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.netlab.homes import GLOBAL, Home, Kind, WideNetwork, wide_network
from tests.netlab.namespace import Namespace, resident_of
from tests.netlab.residents import NodeThere
from zwerm.net.mapping import client

pytestmark = pytest.mark.slow

LIMIT = 60.0  # seconds for everything of one test
DECLARED = "11.22.33.44"  # the router's address as it says; a program that finds it reserved would not map at all

_CONFIGURATION = f"""
ext_ifname=wan
ext_ip={DECLARED}
listening_ip=lan
enable_natpmp=%s
enable_upnp=%s
force_igd_desc_v1=%s
port=0
secure_mode=yes
allow 1024-65535 0.0.0.0/0 1024-65535
"""
_CHAINS = """
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward { type filter hook forward priority 0; jump miniupnpd; }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
}
"""


@contextlib.contextmanager
def router(home: Home, path: Path, *, upnp: int) -> Iterator[None]:
    """Run the router's program on the box of a home: with UPnP of version `upnp` alone, or (0) without it."""
    configuration = path / "miniupnpd.conf"
    words = ["no" if upnp else "yes", "yes" if upnp else "no", "yes" if upnp == 1 else "no"]
    configuration.write_text(_CONFIGURATION % tuple(words))
    home.box.nft(_CHAINS + "add rule ip home pass ct status dnat accept\n")
    command = ["miniupnpd", "-d", "-f", str(configuration), "-P", str(path / "miniupnpd.pid")]
    with open(path / "miniupnpd.log", "w") as log:
        process = home.box.call(lambda: subprocess.Popen(command, stdout=log, stderr=log))
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.asynccontextmanager
async def mapped_home(path: Path, *, upnp: int = 0) -> AsyncIterator[tuple[WideNetwork, Home, NodeThere]]:
    with wide_network(GLOBAL) as network, contextlib.ExitStack() as stack:
        home = network.join(Kind.PORT)
        stack.enter_context(router(home, path, upnp=upnp))
        resident = stack.enter_context(resident_of(home.host))
        node = NodeThere(resident, path / "node", home.address, network__port_mapping=True)
        try:
            async with asyncio.timeout(LIMIT):
                await node.open()
                yield network, home, node
        finally:
            await node.close()


def rules(box: Namespace) -> str:
    return box.run("nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")


@pytest.mark.parametrize("way", ["PCP", "NAT-PMP", "UPnP 1", "UPnP 2"])
async def test_a_node_at_home_is_reached_by_the_port_that_its_router_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    upnp = int(way[-1]) if way.startswith("UPnP") else 0
    if way == "NAT-PMP":
        monkeypatch.setattr(client, "_FIRST", client.Protocol.NAT_PMP)
    if upnp:
        monkeypatch.setattr(client, "FIRST_WAIT", 0.02)  # seconds; nobody answers by the other two
    async with mapped_home(tmp_path, upnp=upnp) as (network, home, node):
        await node.until(lambda: any(DECLARED in str(each) for each in node.swarm.addresses))
        (mapped,) = [each for each in node.swarm.addresses if DECLARED in str(each)]
        with resident_of(network.core) as core:
            caller = NodeThere(core, tmp_path / "caller", GLOBAL.servers[0])
            await caller.open()
            try:
                outside = NodeThere(core, tmp_path / "unused", home.wan, int(mapped.value("tcp") or 0)).address
                await caller.connect(node, outside)
                assert caller.paths_to(node) == ["direct"]
            finally:
                await caller.close()
        assert "dnat" in rules(home.box)
        await node.close()
        async with asyncio.timeout(20):
            while "dnat" in await asyncio.to_thread(rules, home.box):  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0.05)
