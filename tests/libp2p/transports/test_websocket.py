"""WebSockets: whole connections, plain and inside TLS, strangers, and messages of any size."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import logging
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import TransportError
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.websocket import Endpoint, WebSocketTransport
from zwerm.multiformats.multiaddr import Multiaddr


def ws_host(
    number: int,
    *,
    server_tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    network: NetworkKey | None = None,
) -> Swarm:
    key = seeded_key(number)
    upgrade = Upgrade(securities(key), network=network, handshake_time=5.0)
    return Swarm(key, [WebSocketTransport(upgrade, server_tls=server_tls, client_tls=client_tls)])


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def talk(alice: Swarm, bob: Swarm, size: int = 300_000) -> None:
    bob.handle("/echo", echo)
    await alice.connect(bob.peer_id, bob.addresses)
    data = bytes(range(256)) * (size // 256)
    async with await alice.open_stream(bob.peer_id, ["/echo"]) as stream:

        async def send() -> None:
            await stream.write(data)
            await stream.close_write()

        sending = asyncio.create_task(send())
        got = b""
        while part := await stream.read():
            got += part
        await sending
        assert got == data


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and a name, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("node.example")]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1/tcp/0/ws", "/ip6/::1/tcp/0/ws"], ids=["IPv4", "IPv6"])
async def test_a_stream_over_a_websocket(address: str) -> None:
    async with ws_host(0) as alice, ws_host(1) as bob:
        await bob.listen([Multiaddr.from_text(address)])
        assert bob.addresses[0].names[2:] == ("ws",)
        await talk(alice, bob)
        (connection,) = alice.connections
        assert connection.remote_address == bob.addresses[0]
        assert connection.muxer == "/yamux/1.0.0"


@pytest.mark.parametrize("form", ["wss", "tls/ws"])
async def test_a_stream_over_a_secure_websocket(form: str, certificate: Path) -> None:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(certificate))
    server.load_cert_chain(certificate)
    async with ws_host(0, client_tls=client) as alice, ws_host(1, server_tls=server) as bob:
        await bob.listen([Multiaddr.from_text(f"/ip4/127.0.0.1/tcp/0/{form}")])
        await talk(alice, bob)
        port = bob.addresses[0].components[1].text
        named = Multiaddr.from_text(f"/ip4/127.0.0.1/tcp/{port}/tls/sni/node.example/ws")
        async with ws_host(2, client_tls=client) as carol:
            await carol.connect(bob.peer_id, [named])
        wrong = Multiaddr.from_text(f"/ip4/127.0.0.1/tcp/{port}/tls/sni/other.example/ws")
        async with ws_host(3, client_tls=client) as dave:
            with pytest.raises(DialFailed, match=r"connect: .*certificate"):
                await dave.connect(bob.peer_id, [wrong])


async def test_a_private_network_over_websockets() -> None:
    network = NetworkKey(bytes(32))
    async with ws_host(0, network=network) as alice, ws_host(1, network=network) as bob:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        await talk(alice, bob)


async def test_nobody_there_is_said_with_the_phase() -> None:
    async with ws_host(0) as alice, ws_host(1) as bob:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        address = bob.addresses[0]
        await bob.close()
        with pytest.raises(DialFailed, match="connect: "):
            await alice.connect(bob.peer_id, [address])


async def test_strangers_are_told_and_hung_up_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with ws_host(1) as bob, aiohttp.ClientSession() as session:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        url = f"http://127.0.0.1:{bob.addresses[0].components[1].text}/"
        async with session.get(url) as answer:
            assert answer.status == 426
        async with session.ws_connect(url) as socket:
            await socket.send_str("hello?")
            while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert "expected binary messages" in caplog.text
        assert not bob.connections


async def test_an_address_that_is_taken_is_said() -> None:
    async with ws_host(0) as alice, ws_host(1) as bob:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        with pytest.raises(TransportError, match="cannot listen on"):
            await alice.listen([bob.addresses[0]])


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("/ip4/192.0.2.1/tcp/4002/ws", Endpoint("192.0.2.1", 4002, is_secure=False, server_name=None)),
        ("/ip6/2001:db8::1/tcp/4002/ws", Endpoint("2001:db8::1", 4002, is_secure=False, server_name=None)),
        ("/dns4/example.org/tcp/443/wss", Endpoint("example.org", 443, is_secure=True, server_name=None)),
        ("/dns/example.org/tcp/443/tls/ws", Endpoint("example.org", 443, is_secure=True, server_name=None)),
        (
            "/ip4/192.0.2.1/tcp/443/tls/sni/example.org/ws",
            Endpoint("192.0.2.1", 443, is_secure=True, server_name="example.org"),
        ),
        ("/ip4/192.0.2.1/tcp/4001", None),
        ("/ip4/192.0.2.1/udp/4001/quic-v1", None),
        ("/ip4/192.0.2.1/tcp/4001/tls", None),
    ],
)
async def test_addresses_of_every_form(text: str, endpoint: Endpoint | None) -> None:
    address = Multiaddr.from_text(text)
    assert Endpoint.find(address) == endpoint
    transport = WebSocketTransport(Upgrade(securities(seeded_key(0))))
    assert transport.can_dial(address) == (endpoint is not None)
    assert transport.can_listen(address) == (endpoint is not None and text.startswith("/ip") and text.endswith("2/ws"))
    await transport.close()


async def test_who_connects_and_asks_for_nothing_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    monkeypatch.setattr("zwerm.libp2p.transports.websocket.UPGRADE_TIME", 0.2)
    async with ws_host(0) as alice, ws_host(1) as bob:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        port = int(bob.addresses[0].value("tcp") or 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: slow")
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert [record for record in caplog.records if "no websocket in 0.2 s" in record.getMessage()]
        await talk(alice, bob)


async def test_only_so_many_may_be_about_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.transports.websocket.MAX_KNOCKING", 2)
    async with ws_host(1) as bob:
        await bob.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        port = int(bob.addresses[0].value("tcp") or 0)
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        for _, one in [*kept, (reader, writer)]:
            one.close()
