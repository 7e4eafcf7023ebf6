"""QUIC on real sockets: dialling, listening, streams as protocols see them, limits and ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.transports.quic.sides import KEYS, PEERS
from tests.libp2p.transports.quic.test_admission import initial
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Transmit
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.multistream.aio import listen
from zwerm.libp2p.multistream.message import HEADER, serialize
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedConnection, MuxedStream, StreamReset
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.transports.quic.address import socket_address
from zwerm.libp2p.transports.quic.config import MAX_STREAMS, Config
from zwerm.libp2p.transports.quic.connection import QuicConnection, QuicStream
from zwerm.libp2p.transports.quic.transport import QuicListener, QuicTransport
from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.shared_udp import UdpPorts
from zwerm.net.udp import UdpSocket

LOOPBACK = Multiaddr.from_text("/ip4/127.0.0.1/udp/0/quic-v1")


class Nodes:
    """A dialer and a listener, and what the listener was given."""

    def __init__(self, config: Config | None = None) -> None:
        self.dialer = QuicTransport(KEYS[0], config=config)
        self.transport = QuicTransport(KEYS[1], config=config)
        self.accepted: asyncio.Queue[MuxedConnection] = asyncio.Queue()
        self.listener: QuicListener

    async def dial(self) -> tuple[QuicConnection, MuxedConnection]:
        near = await self.dialer.dial(self.listener.addresses[0], PEERS[1])
        far = await self.accepted.get()
        return near, far


@contextlib.asynccontextmanager
async def nodes(config: Config | None = None, where: Multiaddr = LOOPBACK) -> AsyncIterator[Nodes]:
    made = Nodes(config)
    made.listener = await made.transport.listen(where, made.accepted.put_nowait)
    try:
        yield made
    finally:
        await made.dialer.close()
        await made.transport.close()


async def stream_pair(made: Nodes) -> tuple[QuicStream, MuxedStream]:
    near, far = await made.dial()
    arrived: asyncio.Queue[MuxedStream] = asyncio.Queue()
    far.start(arrived.put_nowait)
    ours = await near.open_stream()
    await ours.write(b"?")
    theirs = await arrived.get()
    assert await theirs.read() == b"?"
    return ours, theirs


async def read_all(stream: MuxedStream) -> bytes:
    data = b""
    while part := await stream.read():
        data += part
    return data


async def write_for_ever(stream: MuxedStream) -> None:
    while True:
        await stream.write(b"more")
        await asyncio.sleep(0)


@pytest.mark.parametrize("host", ["/ip4/127.0.0.1", "/ip4/0.0.0.0", "/ip6/::1"])
async def test_both_know_who_the_other_is_and_where(host: str) -> None:
    async with nodes(where=Multiaddr.from_text(f"{host}/udp/0/quic-v1")) as made:
        assert all(made.dialer.can_dial(address) for address in made.listener.addresses)
        near, far = await made.dial()
        assert (near.remote_peer, far.remote_peer) == (PEERS[1], PEERS[0])
        assert (near.direction, far.direction) == (Direction.OUTBOUND, Direction.INBOUND)
        assert (near.security, near.muxer, near.is_limited) == ("/tls/1.0.0", "quic-v1", False)
        assert near.remote_address == made.listener.addresses[0]
        assert near.local_address == far.remote_address
        assert near.rtt is not None


async def test_bytes_arrive_in_order_and_the_end_after_them() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        data = bytes(range(256)) * 32_768
        reading = asyncio.create_task(read_all(far))
        await near.write(memoryview(data))
        await near.close_write()
        assert await reading == data
        await far.write(b"back")
        await far.close()
        assert await read_all(near) == b"back"


async def test_pieces_are_given_as_they_came_up_to_a_limit() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        writing = asyncio.create_task(near.write(bytes(300_000)))
        got = 0
        assert isinstance(far, QuicStream)
        while got < 300_000:
            pieces = await far.read_pieces(100_000)
            assert 0 < sum(map(len, pieces)) <= 100_000
            got += sum(map(len, pieces))
        await writing
        await near.close_write()
        assert await far.read_pieces(1) == []


async def test_streams_wait_for_their_taker() -> None:
    async with nodes() as made:
        near, far = await made.dial()
        for number in range(3):
            stream = await near.open_stream()
            await stream.write(bytes([number]))
        back = await far.open_stream()
        await back.write(b"!")
        arrived: asyncio.Queue[MuxedStream] = asyncio.Queue()
        near.start(arrived.put_nowait)
        assert await (await arrived.get()).read() == b"!"
        far.start(arrived.put_nowait)
        assert sorted([await (await arrived.get()).read() for _ in range(3)]) == [b"\0", b"\1", b"\2"]


async def test_a_writer_waits_for_the_reader() -> None:
    config = Config(
        receive_window=100_000, max_data=200_000, max_stream_data=100_000, high_water=50_000, low_water=25_000
    )
    async with nodes(config) as made:
        near, far = await stream_pair(made)
        writing = asyncio.create_task(near.write(bytes(1_000_000)))
        got = len(await far.read(1))
        assert not writing.done()
        while got < 1_000_000:
            got += len(await far.read())
        await writing
        assert got == 1_000_000


async def test_a_cancelled_read_loses_nothing() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        reading = asyncio.create_task(far.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await near.write(b"kept")
        assert await far.read() == b"kept"


async def test_a_reset_is_seen_by_both_sides_whoever_waits() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        reading = asyncio.create_task(near.read())
        await asyncio.sleep(0)
        far.reset()
        far.reset()
        with pytest.raises(StreamReset, match="the peer reset"):
            await reading
        with pytest.raises(StreamReset, match="this side"):
            await far.read()
        with pytest.raises(StreamReset):
            await write_for_ever(near)  # until the peer's wish that nothing more be sent has come


async def test_a_closed_stream_takes_no_more() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        await far.close()
        await far.close()
        assert await near.read() == b""
        with pytest.raises(StreamReset):
            await far.write(b"late")
        assert await far.read() == b""


async def test_the_end_of_a_connection_reaches_everybody_who_waits() -> None:
    async with nodes() as made:
        near, far = await made.dial()
        stream = await near.open_stream()
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        await far.close()
        assert "closed" in await near.wait_closed()
        with pytest.raises(StreamReset):
            await reading
        with pytest.raises(ConnectionClosed):
            await near.open_stream()
        assert await far.wait_closed() == "closed here"


async def test_connections_share_a_port_and_more_come_than_handshakes_are_let_in_unseen() -> None:
    async with nodes(Config(retry_from=0)) as made:  # so each has to show where it is
        pairs = [await made.dial() for _ in range(30)]
        streams: asyncio.Queue[MuxedStream] = asyncio.Queue()
        for number, (near, far) in enumerate(pairs):
            far.start(streams.put_nowait)
            stream = await near.open_stream()
            await stream.write(bytes([number]))
        assert sorted([await (await streams.get()).read() for _ in pairs]) == [bytes([n]) for n in range(30)]
        assert made.listener.handshakes == 0


async def test_another_peer_is_refused_by_name() -> None:
    async with nodes() as made:
        with pytest.raises(RemoteProtocolError, match=f"the peer is {PEERS[1]}, expected {PEERS[2]}"):
            await made.dialer.dial(made.listener.addresses[0], PEERS[2])
        near = await made.dialer.dial(made.listener.addresses[0], None)
        assert near.remote_peer == PEERS[1]


async def test_an_address_where_nobody_is_fails_with_the_phase() -> None:
    async with nodes(Config(handshake_timeout=0.3)) as made:
        address = made.listener.addresses[0]
        await made.listener.close()
        with pytest.raises(TransportError, match="the handshake took too long"):
            await made.dialer.dial(address, PEERS[1])


async def test_a_dial_that_is_cancelled_leaves_nothing() -> None:
    async with nodes() as made:
        address = made.listener.addresses[0]
        await made.listener.close()
        dialling = asyncio.create_task(made.dialer.dial(address, None))
        await asyncio.sleep(0)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling


async def test_streams_are_limited() -> None:
    async with nodes() as made:
        near, _ = await made.dial()
        for _ in range(MAX_STREAMS):
            await near.open_stream()
        with pytest.raises(ResourceLimitError):
            await near.open_stream()


async def test_connections_are_limited_and_those_there_are_stay() -> None:
    async with nodes(Config(max_connections=1, handshake_timeout=0.5)) as made:
        near, far = await made.dial()
        with pytest.raises(TransportError):
            await made.dialer.dial(made.listener.addresses[0], PEERS[1])
        far.start(lambda stream: None)
        assert await near.open_stream()


async def test_a_flood_of_first_packets_begins_no_more_than_is_allowed_and_keeps_nobody_out() -> None:
    async with nodes(Config(retry_from=4)) as made, UdpSocket.open(("127.0.0.1", 0)) as flood:
        target = socket_address(made.listener.addresses[0])
        for number in range(300):
            flood.send(Transmit(initial(destination=number.to_bytes(8, "big")), target))
            flood.send(Transmit(number.to_bytes(2, "big") * 40, target))
        await made.dial()
        assert made.listener.handshakes <= 4
        assert made.listener.dropped


async def test_another_version_is_answered() -> None:
    async with nodes() as made, UdpSocket.open(("127.0.0.1", 0)) as stranger:
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        stranger.on_batch = lambda batch: answers.put_nowait(batch.datagrams[0])
        stranger.send(Transmit(initial(version=0x1A2A3A4A), socket_address(made.listener.addresses[0])))
        assert (await answers.get())[1:5] == bytes(4)


async def test_a_closed_listener_keeps_its_connections() -> None:
    async with nodes() as made:
        near, far = await made.dial()
        await made.listener.close()
        arrived: asyncio.Queue[MuxedStream] = asyncio.Queue()
        far.start(arrived.put_nowait)
        stream = await near.open_stream()
        await stream.write(b"still here")
        assert await (await arrived.get()).read() == b"still here"


async def test_a_node_that_listens_dials_from_the_port_it_is_reached_at() -> None:
    async with nodes() as made:
        listener = await made.dialer.listen(LOOPBACK, print)
        _, far = await made.dial()
        assert far.remote_address == listener.addresses[0]


async def test_a_port_that_is_taken_is_told() -> None:
    async with nodes() as made:
        with pytest.raises(TransportError, match="cannot bind"):
            await made.dialer.listen(made.listener.addresses[0], print)


async def test_webrtc_direct_listens_on_the_same_port() -> None:
    ports = UdpPorts()
    quic, direct = QuicTransport(KEYS[1], ports=ports), WebRtcDirectTransport(KEYS[1], ports=ports)
    others = QuicTransport(KEYS[0]), WebRtcDirectTransport(KEYS[0])
    accepted: asyncio.Queue[MuxedConnection] = asyncio.Queue()
    try:
        first = await quic.listen(LOOPBACK, accepted.put_nowait)
        port = socket_address(first.addresses[0])[1]
        where = Multiaddr.from_text(f"/ip4/127.0.0.1/udp/{port}/webrtc-direct")
        second = await direct.listen(where, accepted.put_nowait)
        for transport, listener in zip(others, (first, second), strict=True):
            near = await transport.dial(listener.addresses[0], PEERS[1])
            far = await accepted.get()
            assert (near.remote_peer, far.remote_peer) == (PEERS[1], PEERS[0])
    finally:
        for transport in (*others, quic, direct):
            await transport.close()


async def test_a_message_is_read_whole_whose_sender_closed_the_stream_before_a_protocol_was_agreed_on() -> None:
    async with nodes() as made:
        near, far = await made.dial()
        arrived: asyncio.Queue[MuxedStream] = asyncio.Queue()
        far.start(arrived.put_nowait)
        ours = await near.open_stream()
        await ours.write(serialize(HEADER) + serialize("/a") + bytes(100_000))
        await ours.close()  # as go-libp2p does: the end, and STOP_SENDING with it
        theirs = await arrived.get()
        protocol, ahead = await listen(theirs, {"/a"}.__contains__)
        assert protocol == "/a"
        assert ahead + await read_all(theirs) == bytes(100_000)


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [(Limits(connections=1), None), (Limits(), [PEERS[0]])],
    ids=["no more than it may", "nobody who is not on its list"],
)
async def test_a_swarm_lets_nobody_in_by_quic_whom_it_would_refuse_elsewhere(
    limits: Limits, allowed: list[PeerId] | None
) -> None:
    async with (
        Swarm(KEYS[1], [QuicTransport(KEYS[1])], limits=limits, allowed=allowed) as host,
        Swarm(KEYS[0], [QuicTransport(KEYS[0])]) as friend,
    ):
        await host.listen([LOOPBACK])
        stranger = QuicTransport(KEYS[2])
        await friend.connect(PEERS[1], host.listen_addresses)
        refused = await stranger.dial(host.listen_addresses[0].decapsulate("p2p") or host.listen_addresses[0], PEERS[1])
        assert await refused.wait_closed() == "the peer closed the connection: closed here"
        assert [connection.remote_peer for connection in host.connections] == [PEERS[0]]
        await stranger.close()
