"""A node that listens on secure WebSockets with a certificate of its own, dialled by ours and by js-libp2p."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.libp2p.transports.test_websocket import ws_host
from tests.peers.lines import LinePeer
from zwerm.core.errors import StorageError
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.node import Node
from zwerm.node.secure_websocket import certificate_names, named_addresses

NOW = dt.datetime.now(dt.UTC)
ADDRESS = "/ip4/127.0.0.1/tcp/0/tls/ws"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.DNSName("*.example.org"), x509.DNSName("node.example.org")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def node_of(path: Path, cert: Path | str, key: Path | str) -> Node:
    overrides = {"addresses.swarm": [ADDRESS], "websocket.cert": str(cert), "websocket.key": str(key)}
    return Node(path, profile="test", overrides=overrides, online=True)


def port_of(node: Node) -> str | None:
    assert node.network is not None
    return node.network.swarm.listen_addresses[0].value("tcp")


async def test_the_names_of_the_certificate_are_announced_and_lead_to_the_node(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    async with node_of(tmp_path / "node", *files) as node:
        assert node.network is not None
        announced = [str(each) for each in node.network.swarm.addresses]
        port = port_of(node)
        assert announced == [
            f"/ip4/127.0.0.1/tcp/{port}/tls/ws",
            f"/dns/localhost/tcp/{port}/tls/ws",
            f"/dns/node.example.org/tcp/{port}/tls/ws",
        ]
        async with ws_host(0, client_tls=ssl.create_default_context(cafile=str(files[0]))) as ours:
            named = Multiaddr.from_text(f"/ip4/127.0.0.1/tcp/{port}/tls/sni/localhost/ws")
            connection = await ours.connect(node.identity, [named])
            assert connection.remote_peer == node.identity


@pytest.mark.interop
@pytest.mark.slow
async def test_js_libp2p_dials_it_and_checks_the_certificate(
    tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(files[0]))
    async with node_of(tmp_path / "node", *files) as node, asyncio.timeout(90):
        address = f"/dns4/localhost/tcp/{port_of(node)}/tls/ws/p2p/{node.identity}"
        with LinePeer.node("libp2p_ws.mjs", "noise") as peer:
            await asyncio.to_thread(peer.answer)
            made = await asyncio.to_thread(peer.ask, {"connect": address})
            assert made["result"]["peer"] == str(node.identity)
            assert await asyncio.to_thread(peer.ask, {"ping": address}) is not None


@pytest.mark.parametrize(
    ("cert", "key", "words"),
    [
        ("", "key.pem", "websocket.key is set"),
        ("missing.pem", "key.pem", "cannot read"),
        ("key.pem", "key.pem", "no certificate with its key"),
        ("cert.pem", "other.pem", "is not that of the certificate"),
        ("cert.pem", "", "no certificate with its key in PEM form in .*cert.pem$"),
    ],
    ids=["a key alone", "no file", "no certificate", "another key", "no key in it"],
)
async def test_what_is_wrong_with_the_files_is_said(
    tmp_path: Path, files: tuple[Path, Path], cert: str, key: str, words: str
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "other.pem").write_bytes(
        other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert files[0].parent == tmp_path
    node = node_of(tmp_path / "node", tmp_path / cert if cert else "", tmp_path / key if key else "")
    with pytest.raises(StorageError, match=words):
        await node.open()
    await node.close()


def test_only_names_of_hosts_are_taken_and_only_secure_ports(files: tuple[Path, Path]) -> None:
    names = certificate_names(str(files[0]))
    assert names == ["localhost", "node.example.org"]
    listening = [
        Multiaddr.from_text(text) for text in ("/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/2/ws", "/ip6/::1/tcp/3/wss")
    ]
    assert [str(each) for each in named_addresses(listening, names)] == [
        "/dns/localhost/tcp/3/tls/ws",
        "/dns/node.example.org/tcp/3/tls/ws",
    ]
