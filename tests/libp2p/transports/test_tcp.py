"""Swarms over real sockets: whole connections, both families, and strangers who knock."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence

import pytest
import uvloop

from tests.libp2p.hosts import seeded_key
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.errors import TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.secure import SecureHandshake
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Security, Upgrade, securities
from zwerm.libp2p.transports import tcp as module
from zwerm.libp2p.transports.tcp import TcpTransport, TcpWire, address_of, endpoint_of
from zwerm.libp2p.yamux.config import Config as YamuxConfig
from zwerm.multiformats.multiaddr import Multiaddr


async def read_all(stream: Stream) -> None:
    while await stream.read():
        pass


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"], ids=["IPv4", "IPv6"])
async def test_a_stream_over_a_secured_connection(address: str) -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob:
        await bob.listen([Multiaddr.from_text(address)])
        bob.handle("/echo", echo)
        connection = await alice.connect(bob.peer_id, bob.addresses)
        assert connection.security in ("/noise", "/tls/1.0.0")
        assert connection.muxer == "/yamux/1.0.0"
        assert connection.remote_address == bob.addresses[0]
        data = bytes(range(256)) * 4_096
        async with await connection.open_stream(["/echo"]) as stream:

            async def send() -> None:
                for start in range(0, len(data), 50_000):
                    await stream.write(data[start : start + 50_000])
                await stream.close_write()

            sending = asyncio.create_task(send())
            got = b""
            while part := await stream.read():
                got += part
            await sending
            assert got == data


async def test_the_address_of_all_interfaces_becomes_one_for_each() -> None:
    async with tcp_host(0) as alice:
        await alice.listen([Multiaddr.from_text("/ip4/0.0.0.0/tcp/0")])
        assert any(address.value("ip4") == "127.0.0.1" for address in alice.addresses)
        assert not any(address.value("ip4") == "0.0.0.0" for address in alice.addresses)
        port = alice.addresses[0].value("tcp")
        with pytest.raises(TransportError, match="cannot listen on"):
            await alice.listen([Multiaddr.from_text(f"/ip4/0.0.0.0/tcp/{port}")])


@pytest.mark.parametrize("protocol", ["/noise", "/tls/1.0.0"])
@pytest.mark.parametrize("silent", [0, 1], ids=["dialler", "listener"])
async def test_a_peer_that_names_no_muxer_in_the_handshake_is_asked_for_one_behind_it(
    protocol: str, silent: int
) -> None:
    def upgrade(number: int) -> Upgrade:
        channel = next(each for each in securities(seeded_key(number)) if each.protocol == protocol)

        def begin(is_initiator: bool, expected: PeerId | None, muxers: Sequence[str]) -> SecureHandshake:
            return channel.begin(is_initiator, expected, () if number == silent else muxers)

        return Upgrade([Security(protocol, begin)])

    async with (
        Swarm(seeded_key(0), [TcpTransport(upgrade(0))], agent=None) as alice,
        Swarm(seeded_key(1), [TcpTransport(upgrade(1))], agent=None) as bob,
    ):
        await bob.listen([LOOPBACK])
        bob.handle("/echo", echo)
        connection = await alice.connect(bob.peer_id, bob.addresses)
        assert (connection.security, connection.muxer) == (protocol, "/yamux/1.0.0")
        async with await connection.open_stream(["/echo"]) as stream:
            await stream.write(b"hello")
            assert await stream.read() == b"hello"


async def test_nobody_there_is_said_with_the_phase() -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob:
        await bob.listen([LOOPBACK])
        addresses = list(bob.addresses)
        await bob.close()
        with pytest.raises(DialFailed, match="connect: "):
            await alice.connect(bob.peer_id, addresses)


async def test_somebody_else_there_is_found_out() -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob:
        await bob.listen([LOOPBACK])
        expected = PeerId.of(seeded_key(2).public)
        with pytest.raises(DialFailed, match=f"secure channel: .*{bob.peer_id}, expected {expected}"):
            await alice.connect(expected, bob.addresses)
        assert bob.connections == ()


@pytest.mark.parametrize(
    "wire",
    [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1_000, b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x05hello", b""],
    ids=["HTTP", "a length without end", "a broken handshake", "nothing"],
)
async def test_strangers_who_do_not_speak_libp2p_are_hung_up_on(wire: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with tcp_host(1, handshake_time=0.2) as bob:
        await bob.listen([LOOPBACK])
        reader, writer = await asyncio.open_connection(*endpoint_of(bob.addresses[0]))
        name = address_of(writer.get_extra_info("sockname"))
        writer.write(wire)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                while await reader.read(100):
                    pass
        writer.close()
        assert bob.connections == ()
        assert [line for record in caplog.records if str(name) in (line := record.getMessage())]


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"max_inbound": 2}, "3 handshakes of others, the limit is 2"),
        ({"max_inbound_per_host": 2}, "3 handshakes of one host, the limit is 2"),
    ],
    ids=["of all", "of one host"],
)
async def test_only_so_many_strangers_may_shake_hands_at_once(
    limits: dict[str, int], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with tcp_host(0) as alice, tcp_host(1, **limits) as bob:  # type: ignore[arg-type]
        await bob.listen([LOOPBACK])
        knocking = [await asyncio.open_connection(*endpoint_of(bob.addresses[0])) for _ in range(3)]
        with contextlib.suppress(ConnectionError):
            assert await knocking[2][0].read() == b""  # the third is refused at once
        assert complaint in caplog.text
        with pytest.raises(DialFailed):
            await alice.connect(bob.peer_id, bob.addresses)
        for _, writer in knocking:
            writer.close()


async def test_a_peer_that_stops_reading_holds_up_nobody_else() -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob, tcp_host(2) as carol:
        await bob.listen([LOOPBACK])
        bob.handle("/echo", echo)
        full = asyncio.Event()

        async def pour(stream: Stream) -> None:
            for _ in range(1_000):
                try:
                    async with asyncio.timeout(0.5):
                        await stream.write(bytes(65_536))
                except TimeoutError:
                    full.set()
                    raise

        bob.handle("/pour", pour)
        deaf = await alice.open_stream((await alice.connect(bob.peer_id, bob.addresses)).remote_peer, ["/pour"])
        await full.wait()  # no window is left: the writer waits, and what waits is bounded
        async with await carol.open_stream(
            (await carol.connect(bob.peer_id, bob.addresses)).remote_peer, ["/echo"]
        ) as s:
            await s.write(b"still served")
            assert await s.read() == b"still served"
        with pytest.raises(StreamReset):
            await read_all(deaf)


@pytest.mark.parametrize("limit", ["of the node", "of a connection"])
async def test_a_peer_that_sends_what_nobody_reads_does_not_fill_the_memory(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    own = YamuxConfig(max_unread=1_000_000) if limit == "of a connection" else None
    async with tcp_host(0) as mallory, tcp_host(1, memory=1_000_000, yamux=own) as bob, tcp_host(2) as carol:
        await bob.listen([LOOPBACK])
        bob.handle("/echo", echo)

        async def ignore(stream: Stream) -> None:
            await asyncio.Event().wait()

        bob.handle("/ignore", ignore)
        await mallory.connect(bob.peer_id, bob.addresses)
        streams = [await mallory.open_stream(bob.peer_id, ["/ignore"]) for _ in range(20)]
        pouring = [asyncio.create_task(stream.write(bytes(300_000))) for stream in streams]
        with pytest.raises(StreamReset):
            await asyncio.wait_for(asyncio.gather(*pouring), 10.0)  # without the limit all of them wait for ever
        budget = bob.connections[0].muxed._session._budget  # type: ignore[attr-defined]
        assert budget.used <= 1_000_000
        [line] = [each.getMessage() for each in caplog.records if "reset a stream of" in each.getMessage()]
        assert str(mallory.peer_id) in line
        assert ("received and not read" if own else "that nobody has read") in line
        await carol.connect(bob.peer_id, bob.addresses)
        async with await carol.open_stream(bob.peer_id, ["/echo"]) as stream:
            await stream.write(bytes(200_000))
            assert await read_exactly(stream, 200_000) == bytes(200_000)
        for task in pouring:
            task.cancel()
        await asyncio.gather(*pouring, return_exceptions=True)
        await mallory.close()
        await bob.disconnect(mallory.peer_id)
        assert (budget.used, budget.sessions) == (0, 1)


async def test_all_connections_together_hold_no_more_than_twice_the_limit_of_the_node() -> None:
    """Each of eight keeps within what one connection may hold; what they hold together is the node's."""
    limit, piece = 400_000, 240_000
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        bob = await stack.enter_async_context(tcp_host(0, memory=limit))
        await bob.listen([LOOPBACK])
        bob.handle("/echo", echo)

        async def ignore(stream: Stream) -> None:
            await asyncio.Event().wait()

        bob.handle("/ignore", ignore)
        for number in range(1, 9):
            mallory = await stack.enter_async_context(tcp_host(number))
            await mallory.connect(bob.peer_id, bob.addresses)
            stream = await mallory.open_stream(bob.peer_id, ["/ignore"])
            with contextlib.suppress(StreamReset):
                await stream.write(bytes(piece))
            async with await mallory.open_stream(bob.peer_id, ["/echo"]) as echoed:
                await echoed.write(b"behind it")
                assert await echoed.read() == b"behind it"
        held = [connection.muxed._session._unread for connection in bob.connections]  # type: ignore[attr-defined]
        assert len(held) == 8
        assert max(held) <= piece
        assert sum(held) <= 2 * limit


async def test_a_connection_that_breaks_is_told_to_streams_and_swarms() -> None:
    async with tcp_host(0) as alice, tcp_host(1) as bob:
        await bob.listen([LOOPBACK])
        bob.handle("/echo", echo)
        connection = await alice.connect(bob.peer_id, bob.addresses)
        stream = await connection.open_stream(["/echo"])
        bob.connections[0].muxed._wire.abort()  # type: ignore[attr-defined]
        with pytest.raises(StreamReset):
            await stream.read()
        await connection.watch
        assert alice.connections == ()


async def test_a_link_that_is_away_is_tried_more_often_until_it_was_back_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurries: list[bool] = []
    looks: list[tuple[int, int]] = []
    done = asyncio.Event()

    class Gone:
        def is_closing(self) -> bool:
            return False

        def get_extra_info(self, _: str) -> None:
            return None

        def write(self, _: bytes) -> None:
            pass

    def outstanding(_: object) -> tuple[int, int]:
        if len(looks) == 1:
            done.set()
        return looks.pop(0)

    monkeypatch.setattr(module, "LOOK", 0.001)
    monkeypatch.setattr(module, "CALM", 2)
    monkeypatch.setattr(module, "outstanding", outstanding)
    monkeypatch.setattr(module, "hurry", lambda _, *, is_urgent: hurries.append(is_urgent))
    wire = TcpWire(memoryview(bytearray(16)))
    wire._transport = Gone()  # type: ignore[assignment]
    wire._is_far = True
    for seen, expected in (
        ([(9, 0), (9, 1), (0, 0)], []),  # a slow link is none that is away
        ([(1, 5), (7, 9), (0, 0)], []),  # who sent little leaves the first word to the other
        ([(9, 2), (9, 30), (9, 0), (9, 0), (0, 0)], [True, False]),
        ([(9, 2), (9, 0), (9, 3), (0, 0), (0, 0)], [True, False]),  # away again before it was back for long
    ):
        looks[:] = seen
        done.clear()
        wire.write(b"something")
        async with asyncio.timeout(10):
            await done.wait()
        assert hurries == expected
        assert wire._watch is None, "nothing is looked at any more"
        hurries.clear()
    looks[:] = [(9, 5)]
    wire.write(b"something")
    wire.connection_lost(None)
    assert looks


def test_names_of_sockets_are_multiaddrs() -> None:
    assert str(address_of(("127.0.0.1", 80))) == "/ip4/127.0.0.1/tcp/80"
    assert str(address_of(("::ffff:192.0.2.1", 80, 0, 0))) == "/ip4/192.0.2.1/tcp/80"
    assert str(address_of(("fe80::1%eth0", 80, 0, 2))) == "/ip6/fe80::1/tcp/80"


def test_what_comes_as_soon_as_a_connection_is_made_is_kept_by_uvloop_too() -> None:
    """It begins to read after `connection_made`, even when that has paused reading."""
    hello = b"\x13/multistream/1.0.0\n"

    def speak_at_once(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(hello)
            return client.recv(len(hello), socket.MSG_WAITALL)

    async def run() -> None:
        async with tcp_host(1) as host:
            await host.listen([LOOPBACK])
            port = int(host.listen_addresses[0].components[1].text)
            for _ in range(5):
                assert await asyncio.to_thread(speak_at_once, port) == hello

    uvloop.run(run())
