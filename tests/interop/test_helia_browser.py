"""Helia in real browsers, as the page Fetch runs it: dials us by webrtc-direct, fetches, verifies, and gives back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.direct_node import DirectNode, direct_node, served_page
from tests.interop.tabs import LOOPBACK, Tab, chromium_tab, firefox_tab
from tests.netlab.namespace import private_network

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

SIZES = [
    pytest.param(16 * 1_048_576, id="16 MiB"),
    pytest.param(100_000_000, id="100 MB", marks=pytest.mark.full),
]

START = """
(async () => {
  const { startPeer } = await import("/fetch/peer.js");
  window.peer = await startPeer();
  window.hex = (bytes) => Array.from(new Uint8Array(bytes), (one) => one.toString(16).padStart(2, "0")).join("");
  window.hashOf = async (parts) => hex(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
  return peer.id;
})()
"""
FETCH = """
(async () => {
  const parts = [];
  for await (const part of peer.read(CID)) parts.push(part);
  return [(await peer.find(CID)).size, await hashOf(parts), peer.parties, peer.kept];
})()
"""
PROVIDE = """
(async () => {
  const data = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65536) crypto.getRandomValues(data.subarray(at, Math.min(SIZE, at + 65536)));
  return [await peer.add((async function* () { yield data; })()), await hashOf([data])];
})()
"""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """Where nodes listen, in a network of the module's own: Firefox sends from the default route's address alone."""
    with private_network() as address:
        yield address


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        pytest.param("chromium", marks=pytest.mark.xdist_group("helia-chromium")),
        pytest.param("firefox", marks=pytest.mark.xdist_group("helia-firefox")),
    ],
)
async def tab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, host: str
) -> AsyncIterator[Tab]:
    if request.param == "chromium":
        async with chromium_tab() as chromium:
            yield chromium
    else:
        async with firefox_tab(tmp_path_factory.mktemp("firefox"), LOOPBACK) as firefox:
            yield firefox


@pytest_asyncio.fixture(loop_scope="module")
async def node(host: str) -> AsyncIterator[DirectNode]:
    async with direct_node(host) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def peer(tab: Tab) -> AsyncIterator[Tab]:
    """The tab with Helia started in it."""
    async with served_page() as address:
        await tab.open(address)
        await tab.run(START)
        yield tab
        await tab.run("peer.stop().then(() => true)")


async def ask(tab: Tab, script: str, **values: object) -> Any:
    for name, value in values.items():
        script = script.replace(name, json.dumps(value))
    return await tab.run(script)


@pytest.mark.parametrize("size", SIZES)
async def test_a_tab_fetches_a_file_verifies_it_and_gives_one_back(peer: Tab, node: DirectNode, size: int) -> None:
    data = hashlib.shake_128(b"helia").digest(size)
    cid = node.keep(data)
    await ask(peer, "peer.connect([ADDRESS]).then(() => true)", ADDRESS=node.address)
    got, digest, parties, kept = await ask(peer, FETCH, CID=cid)
    assert (got, digest) == (size, hashlib.sha256(data).hexdigest())
    assert [party["peer"] for party in parties] == [str(node.swarm.peer_id)]
    assert parties[0]["received"] == kept >= size
    theirs, expected = await ask(peer, PROVIDE, SIZE=size)
    back = await node.fetch(theirs)
    assert hashlib.sha256(back).hexdigest() == expected
    assert (await peer.run("peer.parties"))[0]["sent"] >= size


async def test_a_tab_gives_on_what_another_node_asks_it_for(peer: Tab, node: DirectNode, host: str) -> None:
    cid = node.keep(b"from one node to the other, through a tab" * 1_000)
    await ask(peer, "peer.connect([ADDRESS]).then(() => true)", ADDRESS=node.address)
    await ask(peer, FETCH, CID=cid)
    async with direct_node(host, number=2) as other:
        await ask(peer, "peer.connect([ADDRESS]).then(() => true)", ADDRESS=other.address)
        assert await other.fetch(cid) == b"from one node to the other, through a tab" * 1_000


async def test_an_address_with_another_certificate_is_refused_by_the_browser(
    peer: Tab, node: DirectNode, host: str
) -> None:
    async with direct_node(host, number=3) as other:
        parts = node.address.split("/")
        parts[parts.index("certhash") + 1] = other.address.split("/certhash/")[1].split("/")[0]
        failed = await ask(
            peer,
            "peer.connect([ADDRESS], AbortSignal.timeout(4000)).then(() => false, () => true)",
            ADDRESS="/".join(parts),
        )
        assert failed
        assert node.swarm.connections == ()
