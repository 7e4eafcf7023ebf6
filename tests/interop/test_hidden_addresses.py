"""Browsers with default settings, which hide host addresses behind names of multicast DNS; we may do the same.

Everything runs in a network namespace with one interface: names are found there, or nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.interop.tabs import Tab, chromium_tab, firefox_tab
from tests.netlab.namespace import Namespace, Resident, resident_of, wire
from tests.webrtc.w3c.both import Inbox
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.xdist_group("webrtc-hidden"),
]

LIMIT = 60.0  # seconds, of a busy machine; a connection takes a tenth of one
ADDRESS = "192.0.2.10"


@pytest.fixture(scope="module")
def inside() -> Iterator[Resident]:
    with Namespace() as here, Namespace() as there:
        wire(here, "eth0", there, "eth0")
        there.ip("link set eth0 up", "addr add 192.0.2.1/24 dev eth0")
        here.ip("link set eth0 up", f"addr add {ADDRESS}/24 dev eth0", "route add default via 192.0.2.1")
        here.wait_for(ADDRESS)
        with resident_of(here) as resident:
            yield resident


@contextlib.asynccontextmanager
async def tab_of(name: str, profile: Path) -> AsyncIterator[Tab]:
    async with chromium_tab() if name == "chromium" else firefox_tab(profile, {}) as tab:
        yield tab


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def tab(request: pytest.FixtureRequest, inside: Resident, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    manager = tab_of(request.param, tmp_path_factory.mktemp("profile"))
    running = inside.do_now(manager.__aenter__())
    try:
        yield running
    finally:
        inside.do_now(manager.__aexit__(None, None, None))


def candidates(connection: RTCPeerConnection, *, ours: bool) -> list[str]:
    description = connection.localDescription if ours else connection.remoteDescription
    assert description is not None
    return [line for line in description.sdp.splitlines() if line.startswith("a=candidate") and "typ host" in line]


@pytest.mark.parametrize("we_offer", [True, False], ids=["we offer", "it offers"])
@pytest.mark.parametrize("we_hide", [False, True], ids=["we show", "we hide"])
async def test_a_browser_that_hides_its_address_is_found(
    inside: Resident, tab: Tab, we_offer: bool, we_hide: bool
) -> None:
    async def scenario() -> None:
        ours = RTCPeerConnection(RTCConfiguration(hideAddresses=we_hide))
        try:
            await tab.begin()
            channel = await tab.open_channel(ours, we_offer=we_offer)
            inbox = Inbox(channel)
            channel.send("hello")
            assert await inbox.take(1) == ["hello"]
            theirs = candidates(ours, ours=False)
            assert theirs
            assert all(".local " in line and ADDRESS not in line for line in theirs)
            assert all((".local " in line) is we_hide for line in candidates(ours, ours=True))
            agent = ours._bundle.agent
            while (  # noqa: ASYNC110 - their check may have come before their name was found
                agent.selected_pair is None or agent.selected_pair.remote.type != "host"
            ):
                await asyncio.sleep(0.01)
            assert agent.selected_pair.remote_address[0] == ADDRESS
        finally:
            await tab.end()
            await ours.close()

    async with asyncio.timeout(LIMIT):
        await inside.do(scenario())
