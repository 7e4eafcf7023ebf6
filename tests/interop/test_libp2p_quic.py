"""Our swarm over QUIC beside Kubo 0.22, go-libp2p's daemon and py-libp2p 0.8, each dialling and dialled."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of
from tests.interop.test_libp2p_tcp import ECHO, LARGE, MIRROR, PATTERN, SINK, Events, Peer, echo, mirror, read_all, sink
from tests.libp2p.hosts import seeded_key
from tests.peers.lines import PEERS, LinePeer
from tests.peers.p2pd import p2pd
from tests.peers.p2pd_streams import streams_of
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.host import DialFailed, PeerConnected, PeerDisconnected, PeerIdentified
from zwerm.libp2p.ping.aio import ping
from zwerm.libp2p.stream import Direction, ProtocolNotSupported
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.transports.quic.transport import QuicTransport
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.node import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("quic-peers")]

COUNT = "/count/1.0.0"
LOOPBACK = Multiaddr.from_text("/ip4/127.0.0.1/udp/0/quic-v1")
SIZE = 8 * 1_048_576 + 12_345


@contextlib.asynccontextmanager
async def ours(number: int = 0) -> AsyncIterator[Swarm]:
    key = seeded_key(number)
    async with Swarm(key, [QuicTransport(key)], agent="zwerm/test") as swarm:
        swarm.handle(ECHO, echo)
        swarm.handle(SINK, sink)
        swarm.handle(MIRROR, mirror)
        await swarm.listen([LOOPBACK])
        yield swarm


@contextlib.asynccontextmanager
async def kubo(folder: Path) -> AsyncIterator[tuple[Peer, PeerId, list[Multiaddr]]]:
    with LinePeer.python("kubo.py", str(folder / "kubo")) as lines:
        peer = Peer(lines)
        name = PeerId.from_text(await peer.first())
        addresses = [Multiaddr.from_text(text) for text in json.loads(await peer.ask("addresses"))]
        yield peer, name, [address for address in addresses if address.names[-1] == "quic-v1"]


@contextlib.asynccontextmanager
async def py_libp2p() -> AsyncIterator[tuple[Peer, PeerId, list[Multiaddr]]]:
    python = PEERS / "suites" / "libp2p-venv" / "bin" / "python"
    with LinePeer([python, PEERS / "py_libp2p.py", "quic"]) as lines:
        peer = Peer(lines)
        address = Multiaddr.from_text(await peer.first())
        yield peer, PeerId.from_text(address.value("p2p") or ""), [address]


def go_daemon() -> contextlib.AbstractAsyncContextManager:
    return p2pd("-hostAddrs", str(LOOPBACK))


async def test_kubo_is_dialled_pinged_and_identified(tmp_path: Path) -> None:
    async with kubo(tmp_path) as (peer, name, addresses), ours() as swarm:
        events = Events(swarm)
        connection = await swarm.connect(name, addresses)
        assert (connection.security, connection.muxer) == ("/tls/1.0.0", "quic-v1")
        assert await ping(swarm, name) > 0.0
        identified = await events.of(PeerIdentified, name)
        assert {"/ipfs/bitswap/1.2.0", "/ipfs/ping/1.0.0", "/ipfs/id/push/1.0.0"} <= identified.protocols
        assert swarm.peers.agent(name).startswith("kubo/0.22.0")
        assert str(swarm.peer_id) in str(await peer.ask("peers"))
        with pytest.raises(ProtocolNotSupported):
            await swarm.open_stream(name, ["/nothing/1.0.0"])


async def test_kubo_dials_us(tmp_path: Path) -> None:
    async with kubo(tmp_path) as (peer, name, _), ours() as swarm:
        events = Events(swarm)
        await peer.ask("connect", f"{swarm.addresses[0]}/p2p/{swarm.peer_id}")
        await events.of(PeerIdentified, name)
        (connection,) = swarm.connections_to(name)
        assert connection.direction is Direction.INBOUND
        assert await ping(swarm, name) > 0.0


async def test_kubo_is_not_taken_for_another(tmp_path: Path) -> None:
    async with kubo(tmp_path) as (_, name, addresses), ours() as swarm:
        somebody = PeerId.of(seeded_key(5).public)
        with pytest.raises(DialFailed, match=f"the peer is {name}, expected {somebody}"):
            await swarm.connect(somebody, addresses)


@pytest.mark.parametrize("we_dial", [True, False], ids=["we dial", "Kubo dials"])
async def test_files_go_to_kubo_and_come_from_it(tmp_path: Path, *, we_dial: bool) -> None:
    own, theirs = (seeded("content", name).randbytes(SIZE) for name in ("own", "theirs"))
    (tmp_path / "theirs").write_bytes(theirs)
    (tmp_path / "own").write_bytes(own)
    overrides = {"addresses.swarm": [str(LOOPBACK)]}
    async with (
        kubo(tmp_path) as (peer, name, addresses),
        Node(tmp_path / "ours", profile="test", online=True, overrides=overrides) as node,
    ):
        swarm = network_of(node).swarm
        if we_dial:
            await swarm.connect(name, addresses)
        else:
            await peer.ask("connect", f"{swarm.listen_addresses[0]}/p2p/{node.identity}")
        cid = await node.add(tmp_path / "own")
        await peer.ask("get", str(cid), str(tmp_path / "got"))
        assert (tmp_path / "got").read_bytes() == own
        async with asyncio.timeout(60):
            got = b"".join([part async for part in node.cat(await peer.ask("add", str(tmp_path / "theirs")))])
        assert got == theirs
        assert {connection.muxer for connection in swarm.connections_to(name)} == {"quic-v1"}
        assert network_of(node).bitswap.client.unasked == 0


async def test_the_go_daemon_opens_streams_to_us() -> None:
    async with go_daemon() as daemon, streams_of(daemon) as streams, ours() as swarm:
        await daemon.connect(swarm.peer_id, swarm.addresses)
        reader, writer = await streams.open(swarm.peer_id, "/other", MIRROR)
        for data in (b"x", PATTERN, b"y"):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
        assert await streams.peers() == {swarm.peer_id}


async def test_we_open_streams_to_the_go_daemon() -> None:
    async with go_daemon() as daemon, streams_of(daemon) as streams, ours() as swarm:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                writer.write(data)

        await streams.handle(MIRROR, answer)
        connection = await swarm.connect(daemon.peer, daemon.addresses)
        assert connection.muxer == "quic-v1"
        assert await ping(swarm, daemon.peer) > 0.0
        for data in (b"x", PATTERN):
            async with await swarm.open_stream(daemon.peer, [MIRROR]) as stream:
                sending = asyncio.create_task(stream.write(data))
                assert await read_exactly(stream, len(data)) == data
                await sending


async def test_the_go_daemon_comes_and_goes() -> None:
    async with go_daemon() as daemon, streams_of(daemon) as streams, ours() as swarm:
        events = Events(swarm)
        await swarm.connect(daemon.peer, daemon.addresses)
        await events.of(PeerIdentified, daemon.peer)
        await streams.disconnect(swarm.peer_id)
        await events.of(PeerDisconnected, daemon.peer)
        await daemon.connect(swarm.peer_id, swarm.addresses)
        await events.of(PeerConnected, daemon.peer)


async def test_py_libp2p_is_dialled() -> None:
    async with py_libp2p() as (_, name, addresses), ours() as swarm:
        connection = await swarm.connect(name, addresses)
        assert connection.muxer == "quic-v1"
        assert await ping(swarm, name) > 0.0
        for size in (1, LARGE):
            async with await swarm.open_stream(name, [COUNT]) as stream:
                await stream.write(size.to_bytes(8, "big"))
                await stream.write(bytes(size))
                assert await read_all(stream) == str(size).encode()


async def test_py_libp2p_dials_us() -> None:
    async with py_libp2p() as (peer, name, _), ours() as swarm:
        events = Events(swarm)
        await peer.ask("connect", f"{swarm.addresses[0]}/p2p/{swarm.peer_id}")
        assert await events.of(PeerConnected, name)
        assert await peer.ask("echo", str(swarm.peer_id), "hello zwerm") == "hello zwerm"
        assert await peer.ask("pour", str(swarm.peer_id), LARGE) > 0.0
        assert len(await peer.ask("ping", str(swarm.peer_id))) == 1
