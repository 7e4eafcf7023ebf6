"""Browsers where no datagram passes: they connect to our passive candidates by TCP (RFC 6544), in both roles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.interop.tabs import LOOPBACK, SEEN, Tab, chromium_tab, firefox_tab
from tests.netlab.namespace import Namespace, Resident, resident_of, wire
from tests.webrtc.w3c.both import Inbox
from zwerm.webrtc import RTCPeerConnection

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.xdist_group("webrtc-tcp"),
]

LIMIT = 60.0  # seconds, of a busy machine
ADDRESS = "192.0.2.10"


@pytest.fixture(scope="module")
def inside() -> Iterator[Resident]:
    """A namespace that loses every datagram."""
    with Namespace() as here, Namespace() as there:
        wire(here, "eth0", there, "eth0")
        there.ip("link set eth0 up", "addr add 192.0.2.1/24 dev eth0")
        here.ip("link set eth0 up", f"addr add {ADDRESS}/24 dev eth0", "route add default via 192.0.2.1")
        here.nft("table inet lab {\nchain out { type filter hook output priority 0; meta l4proto udp drop; }\n}")
        here.wait_for(ADDRESS)
        with resident_of(here) as resident:
            yield resident


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def tab(request: pytest.FixtureRequest, inside: Resident, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    profile = tmp_path_factory.mktemp("profile")
    manager = chromium_tab(SEEN) if request.param == "chromium" else firefox_tab(profile, LOOPBACK)
    running = inside.do_now(manager.__aenter__())
    try:
        yield running
    finally:
        inside.do_now(manager.__aexit__(None, None, None))


@pytest.mark.parametrize("we_offer", [True, False], ids=["we offer", "it offers"])
async def test_a_browser_connects_by_tcp_where_nothing_else_passes(inside: Resident, tab: Tab, we_offer: bool) -> None:
    async def scenario() -> None:
        ours = RTCPeerConnection()
        try:
            await tab.begin()
            channel = await tab.open_channel(ours, we_offer=we_offer)
            inbox = Inbox(channel)
            messages = ["hello", "x" * 65_536, "y" * 16_384]
            for message in messages:
                channel.send(message)
            assert await inbox.take(len(messages)) == messages
            assert (await tab.run("selected()"))[3] == "tcp"
            pair = ours._bundle.agent.selected_pair
            assert pair is not None
            assert pair.local.transport == "tcp"
        finally:
            await tab.end()
            await ours.close()

    async with asyncio.timeout(LIMIT):
        await inside.do(scenario())
