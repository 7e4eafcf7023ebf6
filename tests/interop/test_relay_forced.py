"""Connections that may go through a relay only: our server and coturn, by UDP, TCP and TLS, browsers in both roles."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.coturn import turnserver
from tests.interop.tabs import SEEN, Tab, chromium_tab, firefox_tab
from tests.webrtc.certificate import write_signed_certificate
from tests.webrtc.w3c.both import Inbox, announced, connected, signal
from zwerm.webrtc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.credentials import Users
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import ServiceConfig, TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-relay"),
]

LIMIT = 60.0  # seconds, of a busy machine; a connection takes a fifth of one
MESSAGES = ["hello", "x" * 65_536, "schön 🐝", "y" * 16_384]
TRANSPORTS = ["udp", "tcp", "tls"]


class Relay:
    """A running server."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls

    def configuration(self, transport: str) -> RTCConfiguration:
        servers = [RTCIceServer(self.urls[transport], "alice", "wonder")]
        return RTCConfiguration(servers, iceTransportPolicy="relay", includeLoopback=True)

    def of_a_browser(self, transport: str) -> dict[str, Any]:
        server = {"urls": self.urls[transport], "username": "alice", "credential": "wonder"}
        return {"iceServers": [server], "iceTransportPolicy": "relay"}


def urls_of(plain: int, secure: int) -> dict[str, str]:
    """Firefox wants a name where there is TLS."""
    return {
        "udp": f"turn:127.0.0.1:{plain}",
        "tcp": f"turn:127.0.0.1:{plain}?transport=tcp",
        "tls": f"turns:localhost:{secure}",
    }


@contextlib.asynccontextmanager
async def our_server(cert: Path, key: Path) -> AsyncIterator[Relay]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    peers = PeerPolicy([parse_network("127.0.0.0/8")])
    config = TurnServerConfig((("127.0.0.1", 0),), (RelayHost("127.0.0.1"),), peers=peers)
    users = Users("zwerm", {"alice": "wonder"})
    service = TurnService(config, users, ServiceConfig(tls, (("127.0.0.1", 0),)))
    await service.start()
    try:
        ports = {kind: address[1] for kind, address in service.addresses}
        yield Relay(urls_of(ports[Transport.UDP], ports[Transport.TLS]))
        assert service.statistics().traffic.datagrams_to_peers > 0
    finally:
        await service.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def authority(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The folder with what a server shows; connections of ours trust it from here on."""
    folder = tmp_path_factory.mktemp("authority")
    path, _, _ = write_signed_certificate(folder, "127.0.0.1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ours", "coturn"])
async def relay(
    request: pytest.FixtureRequest, authority: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Relay]:
    cert, key = authority / "cert.pem", authority / "key.pem"
    if request.param == "ours":
        async with our_server(cert, key) as server:
            yield server
        return
    async with turnserver(tmp_path_factory.mktemp("coturn"), tls=(cert, key)) as port:
        yield Relay(urls_of(port, port))  # which coturn knows apart by the first byte


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["chromium", "firefox"])
async def tab(
    request: pytest.FixtureRequest, authority: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Tab]:
    if request.param == "chromium":
        async with chromium_tab(SEEN, "--ignore-certificate-errors") as chromium:
            yield chromium
        return
    async with firefox_tab(tmp_path_factory.mktemp("firefox"), authority=authority / "authority.pem") as firefox:
        yield firefox


def check_relayed(connection: RTCPeerConnection) -> None:
    """Only relayed candidates were told, and no address of ours with them."""
    assert connection.localDescription is not None
    candidates = [line for line in connection.localDescription.sdp.splitlines() if line.startswith("a=candidate")]
    assert candidates
    assert all(" typ relay raddr 0.0.0.0 rport 0" in line for line in candidates), candidates


async def check_echo(channel: RTCDataChannel) -> None:
    inbox = Inbox(channel)
    for message in MESSAGES:
        channel.send(message)
    assert await inbox.take(len(MESSAGES)) == MESSAGES


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_two_of_us_meet_through_a_relay_and_nowhere_else(relay: Relay, transport: str) -> None:
    configuration = relay.configuration(transport)
    left, right = RTCPeerConnection(configuration), RTCPeerConnection(configuration)
    right.on("datachannel", lambda channel: channel.on("message", channel.send))
    try:
        channel = left.createDataChannel("chat")
        opened = announced(right)
        async with asyncio.timeout(LIMIT):
            await signal(left, right)
            await connected(channel)
            await opened
            await check_echo(channel)
        check_relayed(left)
        check_relayed(right)
    finally:
        await left.close()
        await right.close()


@pytest.mark.browser
@pytest.mark.parametrize("relay", ["ours"], indirect=True)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("we_offer", [True, False], ids=["we offer", "it offers"])
async def test_a_browser_and_we_meet_through_our_relay(relay: Relay, tab: Tab, transport: str, we_offer: bool) -> None:
    ours = RTCPeerConnection(relay.configuration(transport))
    try:
        await tab.begin(relay.of_a_browser(transport))
        async with asyncio.timeout(LIMIT):
            channel = await tab.open_channel(ours, we_offer=we_offer)
            await check_echo(channel)
            local, by, remote, protocol = await tab.run("selected()")
        assert (local, by, protocol) == ("relay", transport, "udp")
        assert remote in ("relay", "prflx")  # a check may come before the candidate does
        check_relayed(ours)
    finally:
        await tab.end()
        await ours.close()
