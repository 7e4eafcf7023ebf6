"""Our client and our server on the loopback: UDP, TCP and TLS, and what a server does about clients that misbehave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.webrtc.certificate import tls_contexts
from zwerm.core.errors import TransportError
from zwerm.core.machine import Transmit
from zwerm.net.udp import UdpSocket
from zwerm.webrtc.stun.uri import ServerUri, Transport
from zwerm.webrtc.turn.aio import Allocation, TurnFailed
from zwerm.webrtc.turn.credentials import Credential, Users
from zwerm.webrtc.turn.events import Event, PeerUnreachable
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import MAX_BATCH, ServiceConfig, TurnService, batches
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

ALICE = Credential("alice", "wonder")
USERS = Users("zwerm", {"alice": "wonder"})
LOOPBACK = PeerPolicy([parse_network("127.0.0.0/8")])
SERVER_TLS, CLIENT_TLS = tls_contexts("127.0.0.1")


@contextlib.asynccontextmanager
async def running(peers: PeerPolicy = LOOPBACK, **limits: object) -> AsyncIterator[TurnService]:
    config = TurnServerConfig((("127.0.0.1", 0),), (RelayHost("127.0.0.1"),), peers=peers)
    service = TurnService(
        config,
        USERS,
        ServiceConfig(SERVER_TLS, (("127.0.0.1", 0),), **limits),  # type: ignore[arg-type]
    )
    await service.start()
    try:
        yield service
    finally:
        await service.close()
        await service.close()


def uri(service: TurnService, transport: Transport) -> ServerUri:
    port = next(address[1] for kind, address in service.addresses if kind is transport)
    scheme = "turns" if transport is Transport.TLS else "turn"
    suffix = "tcp" if transport in (Transport.TCP, Transport.TLS) else "udp"
    return ServerUri.from_text(f"{scheme}:127.0.0.1:{port}?transport={suffix}")


class Peer:
    """Somebody with a socket on the loopback."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.socket = UdpSocket.open(("127.0.0.1", 0))
        self.socket.on_batch = lambda batch: [
            self.received.put_nowait((data, batch.source)) for data in batch.datagrams
        ]  # type: ignore[func-returns-value, assignment]

    def send(self, data: bytes, destination: tuple[str, int]) -> None:
        self.socket.send(Transmit(data, destination))


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    yield peer
    peer.socket.close()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP, Transport.TLS], ids=lambda kind: kind.value)
async def test_data_is_relayed_both_ways(transport: Transport, peer: Peer) -> None:
    async with asyncio.timeout(20), running() as service:
        async with await Allocation.open(uri(service, transport), ALICE, tls=CLIENT_TLS) as allocation:
            for with_channel in (False, True):
                if with_channel:
                    await allocation.bind_channel(peer.socket.address)
                    await allocation.bind_channel(peer.socket.address)
                await allocation.permit("127.0.0.1")
                for size in (0, 1, 3, 1_200):
                    allocation.send(bytes(size), peer.socket.address)
                    assert await peer.received.get() == (bytes(size), allocation.relayed[0])
                    peer.send(bytes(size), allocation.relayed[0])
                    assert await allocation.receive() == (bytes(size), peer.socket.address)
            assert service.statistics().allocations == 1
        assert service.statistics().allocations == 0


class Listening(Allocation):
    """Keeps what comes back about peers that are not there."""

    def __init__(self) -> None:
        super().__init__()
        self.unreachable: asyncio.Queue[PeerUnreachable] = asyncio.Queue()

    def _receive_event(self, event: Event) -> None:
        if isinstance(event, PeerUnreachable):
            self.unreachable.put_nowait(event)
        super()._receive_event(event)


async def test_a_client_hears_that_nobody_listens_at_its_peer(peer: Peer) -> None:
    async with (
        asyncio.timeout(20),
        running() as service,
        await Listening.open(uri(service, Transport.UDP), ALICE) as allocation,
    ):
        await allocation.bind_channel(peer.socket.address)
        peer.socket.close()
        allocation.send(b"anybody", peer.socket.address)
        event = await allocation.unreachable.get()
        assert (event.peer, event.icmp.type, event.icmp.code) == (peer.socket.address, 3, 3)


async def test_a_wrong_password_is_a_failure_that_names_it() -> None:
    async with asyncio.timeout(20), running() as service:
        with pytest.raises(TurnFailed, match="password is wrong"):
            await Allocation.open(uri(service, Transport.UDP), Credential("alice", "wrong"))


async def test_the_loopback_is_refused_unless_it_was_opened() -> None:
    async with asyncio.timeout(20), running(PeerPolicy()) as service:
        allocation = await Allocation.open(uri(service, Transport.UDP), ALICE)
        with pytest.raises(TurnFailed, match=r"peer 127\.0\.0\.2"):
            await allocation.permit("127.0.0.2")
        with pytest.raises(TurnFailed, match="Forbidden"):
            await allocation.bind_channel(("127.0.0.2", 22))
        await allocation.close()


async def test_a_server_that_stops_ends_allocations_over_streams() -> None:
    async with asyncio.timeout(20), running() as service:
        allocation = await Allocation.open(uri(service, Transport.TCP), ALICE)
        await service.close()
        with pytest.raises(TurnFailed, match="closed the connection"):
            await allocation.receive()
        await allocation.close()


async def hung_up_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True
    finally:
        writer.close()


async def test_a_stream_that_nobody_logs_in_on_is_ended() -> None:
    async with asyncio.timeout(20), running(login_time=0.05) as service:
        port = uri(service, Transport.TCP).port
        assert await hung_up_on(*await asyncio.open_connection("127.0.0.1", port))


async def test_a_tls_handshake_that_nobody_goes_on_with_is_ended() -> None:
    async with asyncio.timeout(20), running(handshake_time=0.1) as service:
        port = uri(service, Transport.TLS).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01")
        assert await hung_up_on(reader, writer)
        assert not service.connections


async def test_a_client_that_reads_too_slowly_loses_data_and_holds_up_nobody(peer: Peer) -> None:
    async with asyncio.timeout(60), running(max_unread=65_536) as service:
        address = uri(service, Transport.TCP)
        quick, slow = await Allocation.open(address, ALICE), await Allocation.open(address, ALICE)
        for allocation in (quick, slow):
            await allocation.bind_channel(peer.socket.address)
        stuck = next(held for client, held in service.connections.items() if client.source == slow.mapped)
        slow._shut.__self__.pause_reading()  # type: ignore[attr-defined]  # of its transport
        run = Transmit(bytes(50_000), slow.relayed[0], 1_000)
        while stuck._transport.get_write_buffer_size() < 65_536:  # what the kernel takes is full by then
            peer.socket.send(run)
            await asyncio.sleep(0)
        for _ in range(40):
            peer.socket.send(run)
            await asyncio.sleep(0)
        assert stuck._transport.get_write_buffer_size() <= 65_536 + 70_000
        peer.send(b"still here", quick.relayed[0])
        assert (await quick.receive()).data == b"still here"
        await quick.close()
        slow._shut()


def test_one_look_that_brings_much_is_handed_on_in_pieces_between_which_a_limit_is_kept() -> None:
    arrivals = [(("192.0.2.1", 1), number * 50_000, 50_000, 1_000) for number in range(18)]
    arrivals += [(("192.0.2.2", 2), 0, 7, 7), (("192.0.2.2", 2), 0, 0, 0)]
    handed_on = list(batches(memoryview(bytes(900_000)), arrivals))
    sizes = [(source[1], len(datagrams), sum(map(len, datagrams))) for source, datagrams in handed_on]
    assert sizes == [(1, 50, 50_000)] * 18 + [(2, 2, 7)]
    assert 50_000 < MAX_BATCH < 100_000


async def test_noise_on_a_stream_is_its_end() -> None:
    async with asyncio.timeout(20), running() as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", uri(service, Transport.TCP).port)
        writer.write(b"\xff" * 20)
        assert await hung_up_on(reader, writer)


async def test_there_are_so_many_streams() -> None:
    async with asyncio.timeout(20), running(max_connections=1) as service:
        first = await Allocation.open(uri(service, Transport.TCP), ALICE)
        assert await hung_up_on(*await asyncio.open_connection("127.0.0.1", uri(service, Transport.TCP).port))
        await first.close()


async def test_a_port_that_is_taken_is_named_and_nothing_is_left_open() -> None:
    async with running() as service:
        address = service.addresses[0][1]
        config = TurnServerConfig((("127.0.0.1", 0), address), (RelayHost("127.0.0.1"),))
        with pytest.raises(TransportError):
            await TurnService(config, USERS).start()
