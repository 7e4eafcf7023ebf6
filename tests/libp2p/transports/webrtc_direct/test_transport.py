"""webrtc-direct on real sockets: dialling, listening, streams as protocols see them, limits and ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.transports.webrtc_direct.sides import KEYS, PEERS
from tests.libp2p.transports.webrtc_direct.test_admission import HELLO, request
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Transmit
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedConnection, MuxedStream, StreamReset
from zwerm.libp2p.transports.webrtc_direct.address import listening_address, matches, socket_address
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.connection import WebRtcDirectConnection
from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectListener, WebRtcDirectTransport
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.udp import UdpSocket

LOOPBACK = Multiaddr.from_text("/ip4/127.0.0.1/udp/0/webrtc-direct")


class Nodes:
    """A dialer and a listener, and what the listener was given."""

    def __init__(self, config: Config | None = None) -> None:
        self.dialer = WebRtcDirectTransport(KEYS[0], config=config)
        self.transport = WebRtcDirectTransport(KEYS[1], config=config)
        self.accepted: asyncio.Queue[MuxedConnection] = asyncio.Queue()
        self.listener: WebRtcDirectListener

    async def dial(self) -> tuple[WebRtcDirectConnection, MuxedConnection]:
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


async def stream_pair(made: Nodes) -> tuple[MuxedStream, MuxedStream]:
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


@pytest.mark.parametrize("host", ["/ip4/127.0.0.1", "/ip4/0.0.0.0", "/ip6/::1"])
async def test_both_know_who_the_other_is_and_where(host: str) -> None:
    async with nodes(where=Multiaddr.from_text(f"{host}/udp/0/webrtc-direct")) as made:
        assert all(matches(address, with_hash=True) for address in made.listener.addresses)
        near, far = await made.dial()
        assert (near.remote_peer, far.remote_peer) == (PEERS[1], PEERS[0])
        assert (near.direction, far.direction) == (Direction.OUTBOUND, Direction.INBOUND)
        assert (near.security, near.muxer, near.is_limited) == ("/noise", "/webrtc", False)
        assert near.remote_address == made.listener.addresses[0]
        assert socket_address(near.local_address) == socket_address(far.remote_address)


async def test_bytes_arrive_in_order_and_the_end_after_them() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        data = bytes(range(256)) * 8_192
        reading = asyncio.create_task(read_all(far))
        await near.write(memoryview(data))
        await near.close_write()
        assert await reading == data
        await far.write(b"back")
        await far.close()
        assert await read_all(near) == b"back"


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
        assert [await (await arrived.get()).read() for _ in range(3)] == [b"\0", b"\1", b"\2"]


async def test_a_writer_waits_for_the_reader() -> None:
    async with nodes(Config(receive_window=100_000, high_water=50_000, low_water=25_000)) as made:
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
        with pytest.raises(StreamReset):
            await near.write(b"more")
        with pytest.raises(StreamReset, match="this side"):
            await far.read()


async def test_a_closed_stream_takes_no_more() -> None:
    async with nodes() as made:
        near, far = await stream_pair(made)
        await far.close()
        await far.close()
        assert await near.read() == b""
        with pytest.raises(StreamReset):
            await far.write(b"late")


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
        assert await far.wait_closed() == "closed"


async def test_a_hundred_connections_share_a_port() -> None:
    async with nodes() as made:
        pairs = [await made.dial() for _ in range(100)]
        streams: asyncio.Queue[MuxedStream] = asyncio.Queue()
        for number, (near, far) in enumerate(pairs):
            far.start(streams.put_nowait)
            stream = await near.open_stream()
            await stream.write(bytes([number]))
        assert sorted([await (await streams.get()).read() for _ in pairs]) == [bytes([n]) for n in range(100)]
        assert made.listener.handshakes == 0


async def test_another_peer_and_another_certificate_are_refused() -> None:
    async with nodes() as made, nodes() as other:
        with pytest.raises(RemoteProtocolError, match=f"expected {PEERS[2]}"):
            await made.dialer.dial(made.listener.addresses[0], PEERS[2])
        certificate = other.transport.certificate.fingerprint()
        wrong = listening_address(socket_address(made.listener.addresses[0]), [certificate])
        with pytest.raises(RemoteProtocolError, match="DTLS: the certificate is"):
            await made.dialer.dial(wrong, PEERS[1])


async def test_an_address_where_nobody_is_fails_with_the_phase() -> None:
    async with nodes(Config(handshake_timeout=0.3)) as made:
        address = made.listener.addresses[0]
        await made.listener.close()
        with pytest.raises(TransportError, match=r"no proved identity within 0\.3 s: ICE"):
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


async def test_streams_are_limited_on_either_side() -> None:
    async with nodes(Config(max_streams=3)) as made:
        near, _ = await made.dial()
        for _ in range(3):
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


async def test_handshakes_that_never_end_are_limited() -> None:
    async with nodes(Config(max_handshakes=2)) as made, nodes(Config(handshake_timeout=0.5)) as late:
        target = socket_address(made.listener.addresses[0])
        for number in range(4):
            async with UdpSocket.open(("127.0.0.1", 0)) as stranger:
                answered = asyncio.Event()
                stranger.on_batch = lambda batch, answered=answered: answered.set()  # type: ignore[misc]
                stranger.send(Transmit(request(number), target))
                await answered.wait()
                stranger.send(Transmit(HELLO, target))
        with pytest.raises(TransportError, match="no proved identity"):
            await late.dialer.dial(made.listener.addresses[0], PEERS[1])
        assert made.listener.handshakes == 2
        assert made.listener.callers == 3


async def test_a_flood_of_requests_keeps_nobody_out() -> None:
    async with nodes(Config(max_answers_of_host=1_000, max_callers=8)) as made:
        target = socket_address(made.listener.addresses[0])
        flood = UdpSocket.open(("127.0.0.1", 0))
        for number in range(300):
            flood.send(Transmit(request(number), target))
        await made.dial()
        assert made.listener.handshakes == 0
        assert made.listener.callers <= 8
        flood.close()


async def test_a_closed_listener_keeps_its_connections() -> None:
    async with nodes() as made:
        near, far = await made.dial()
        await made.listener.close()
        arrived: asyncio.Queue[MuxedStream] = asyncio.Queue()
        far.start(arrived.put_nowait)
        stream = await near.open_stream()
        await stream.write(b"still here")
        assert await (await arrived.get()).read() == b"still here"


async def test_a_port_that_is_taken_is_told() -> None:
    async with nodes() as made:
        port = socket_address(made.listener.addresses[0])[1]
        with pytest.raises(TransportError, match="cannot bind"):
            await made.transport.listen(Multiaddr.from_text(f"/ip4/127.0.0.1/udp/{port}/webrtc-direct"), print)


def test_what_can_be_dialled_and_listened_on() -> None:
    transport = WebRtcDirectTransport(KEYS[0])
    full = listening_address(("192.0.2.1", 1), [transport.certificate.fingerprint()])
    assert (transport.can_dial(full), transport.can_listen(full)) == (True, True)
    assert (transport.can_dial(LOOPBACK), transport.can_listen(LOOPBACK)) == (False, True)
