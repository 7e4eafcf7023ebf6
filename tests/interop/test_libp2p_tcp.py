"""Our swarm over TCP beside Kubo 0.22, go-libp2p's daemon and py-libp2p 0.8, each dialling and dialled."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.peers.lines import PEERS, LinePeer
from tests.peers.p2pd import p2pd
from tests.peers.p2pd_streams import Refused, streams_of
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.host import DialFailed, HostEvent, PeerConnected, PeerDisconnected, PeerIdentified
from zwerm.libp2p.ping.aio import ping
from zwerm.libp2p.stream import Direction, ProtocolNotSupported, Stream
from zwerm.libp2p.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ECHO, SINK, MIRROR = "/echo/1.0.0", "/sink/1.0.0", "/mirror/1.0.0"
LARGE = 4_194_304  # bytes: several windows
PATTERN = bytes(range(256)) * (LARGE // 256)


class Events:
    """What a swarm tells, to be waited for."""

    def __init__(self, swarm: Swarm) -> None:
        self._queue: asyncio.Queue[HostEvent] = asyncio.Queue()
        swarm.subscribe(self._queue.put_nowait)

    async def of(self, kind: type, peer: PeerId) -> Any:
        async with asyncio.timeout(30):
            while True:
                event = await self._queue.get()
                if isinstance(event, kind) and event.peer == peer:
                    return event


async def read_all(stream: Stream) -> bytes:
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


async def echo(stream: Stream) -> None:
    await stream.write(await read_all(stream))


async def mirror(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def sink(stream: Stream) -> None:
    await stream.write(str(len(await read_all(stream))).encode())


@contextlib.asynccontextmanager
async def ours() -> AsyncIterator[Swarm]:
    async with tcp_host(0, agent="zwerm/test") as swarm:
        swarm.handle(ECHO, echo)
        swarm.handle(SINK, sink)
        swarm.handle(MIRROR, mirror)
        await swarm.listen([LOOPBACK])
        yield swarm


class Peer:
    """A peer in a process that answers lines, asked without holding up our loop."""

    def __init__(self, lines: LinePeer) -> None:
        self._lines = lines

    async def ask(self, *question: object) -> Any:
        return (await asyncio.to_thread(self._lines.ask, question))["result"]

    async def first(self) -> Any:
        return (await asyncio.to_thread(self._lines.answer))["result"]


@contextlib.asynccontextmanager
async def kubo(folder: Path) -> AsyncIterator[tuple[Peer, PeerId, list[Multiaddr]]]:
    with LinePeer.python("kubo.py", str(folder / "repo")) as lines:
        peer = Peer(lines)
        name = PeerId.from_text(await peer.first())
        addresses = [Multiaddr.from_text(text) for text in json.loads(await peer.ask("addresses"))]
        yield peer, name, addresses


@contextlib.asynccontextmanager
async def py_libp2p() -> AsyncIterator[tuple[Peer, PeerId, list[Multiaddr]]]:
    python = PEERS / "suites" / "libp2p-venv" / "bin" / "python"
    with LinePeer([python, PEERS / "py_libp2p.py"]) as lines:
        peer = Peer(lines)
        address = Multiaddr.from_text(await peer.first())
        yield peer, PeerId.from_text(address.value("p2p") or ""), [address]


async def test_kubo_is_dialled_pinged_and_identified(tmp_path: Path) -> None:
    async with kubo(tmp_path) as (peer, name, addresses), ours() as swarm:
        events = Events(swarm)
        connection = await swarm.connect(name, addresses)
        assert connection.muxer == "/yamux/1.0.0"
        assert await ping(swarm, name) > 0.0
        identified = await events.of(PeerIdentified, name)
        assert {"/ipfs/bitswap/1.2.0", "/ipfs/ping/1.0.0", "/ipfs/id/push/1.0.0"} <= identified.protocols
        assert swarm.peers.agent(name).startswith("kubo/0.22.0")
        assert swarm.peers.signed_record(name) is not None
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
    async with kubo(tmp_path) as (_, name, addresses), ours() as swarm, tcp_host(5) as somebody:
        with pytest.raises(DialFailed, match=f"the peer is {name}, expected {somebody.peer_id}"):
            await swarm.connect(somebody.peer_id, addresses)


# The daemon gives up a stream as soon as one direction of its Unix socket ends, so nothing is closed before all came.


async def test_the_go_daemon_opens_streams_to_us() -> None:
    async with p2pd() as daemon, streams_of(daemon) as streams, ours() as swarm:
        await daemon.connect(swarm.peer_id, swarm.addresses)
        reader, writer = await streams.open(swarm.peer_id, "/other", MIRROR)
        for data in (b"x", PATTERN, b"y"):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
        with pytest.raises(Refused, match="protocols not supported"):
            await streams.open(swarm.peer_id, "/nothing/1.0.0")
        assert await streams.peers() == {swarm.peer_id}


async def test_we_open_streams_to_the_go_daemon() -> None:
    async with p2pd() as daemon, streams_of(daemon) as streams, ours() as swarm:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                writer.write(data)

        await streams.handle(MIRROR, answer)
        events = Events(swarm)
        await swarm.connect(daemon.peer, daemon.addresses)
        assert await ping(swarm, daemon.peer) > 0.0
        identified = await events.of(PeerIdentified, daemon.peer)
        assert MIRROR in identified.protocols  # so the streams are opened lazily
        for data in (b"x", PATTERN):
            async with await swarm.open_stream(daemon.peer, [MIRROR]) as stream:
                sending = asyncio.create_task(stream.write(data))
                assert await read_exactly(stream, len(data)) == data
                await sending


async def test_the_go_daemon_comes_and_goes() -> None:
    async with p2pd() as daemon, streams_of(daemon) as streams, ours() as swarm:
        events = Events(swarm)
        await swarm.connect(daemon.peer, daemon.addresses)
        await events.of(PeerIdentified, daemon.peer)
        await streams.disconnect(swarm.peer_id)
        await events.of(PeerDisconnected, daemon.peer)
        await daemon.connect(swarm.peer_id, swarm.addresses)
        await events.of(PeerConnected, daemon.peer)


async def test_py_libp2p_is_dialled() -> None:
    async with py_libp2p() as (_, name, addresses), ours() as swarm:
        await swarm.connect(name, addresses)
        assert await ping(swarm, name) > 0.0
        async with await swarm.open_stream(name, [ECHO]) as stream:
            await stream.write(b"hello py-libp2p")
            await stream.close_write()
            assert await read_all(stream) == b"hello py-libp2p"
        async with await swarm.open_stream(name, [SINK]) as stream:
            await stream.write(bytes(LARGE))
            await stream.close_write()
            assert await read_all(stream) == str(LARGE).encode()


async def test_py_libp2p_dials_us() -> None:
    async with py_libp2p() as (peer, name, _), ours() as swarm:
        events = Events(swarm)
        await peer.ask("connect", f"{swarm.addresses[0]}/p2p/{swarm.peer_id}")
        assert await events.of(PeerConnected, name)
        assert await peer.ask("echo", str(swarm.peer_id), "hello zwerm") == "hello zwerm"
        assert await peer.ask("pour", str(swarm.peer_id), LARGE) > 0.0
        assert len(await peer.ask("ping", str(swarm.peer_id))) == 1
