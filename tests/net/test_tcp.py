"""Connections by number: opened, taken, written to, closed; with TLS; and ends without leftovers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.net.sockets import until
from tests.webrtc.certificate import write_signed_certificate
from zwerm.core.errors import TransportError
from zwerm.core.machine import Address
from zwerm.net.tcp import FULL, MAX_UNSENT, TcpConnections

ANY = ("127.0.0.1", 0)


class Owner:
    """A machine that only remembers."""

    def __init__(self, connect_time: float = 20.0) -> None:
        self.opened: list[int] = []
        self.data: dict[int, bytes] = {}
        self.closed: list[int] = []
        self.accepted: list[tuple[Address, Address]] = []
        self.writable = 0
        self.numbers = iter(range(100, 200))
        self.connections = TcpConnections(
            on_opened=self.opened.append,
            on_data=self._take,
            on_closed=self.closed.append,
            on_writable=self._can_write,
            connect_time=connect_time,
        )

    def _take(self, number: int, data: bytes) -> None:
        self.data[number] = self.data.get(number, b"") + data

    def _can_write(self) -> None:
        self.writable += 1

    def accept(self, local: Address, remote: Address) -> int | None:
        self.accepted.append((local, remote))
        return next(self.numbers)

    async def end(self) -> None:
        self.connections.close_all()
        self.connections.close_all()
        await self.connections.wait_closed()


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    owner = Owner()
    yield owner
    await owner.end()


@pytest.fixture
async def other() -> AsyncIterator[Owner]:
    other = Owner()
    yield other
    await other.end()


async def joined(owner: Owner, other: Owner) -> tuple[int, int]:
    """Connect; the numbers at both ends."""
    address = other.connections.listen(ANY, other.accept)
    owner.connections.connect(1, ANY, address)
    await until(lambda: owner.opened and other.opened)
    return owner.opened[-1], other.opened[-1]


async def test_what_is_written_arrives_and_each_side_has_its_own_numbers(owner: Owner, other: Owner) -> None:
    here, there = await joined(owner, other)
    assert (here, there) == (1, 100)
    assert owner.connections.write(here, b"ping")
    assert other.connections.write(there, b"pong")
    await until(lambda: owner.data and other.data)
    assert (owner.data, other.data) == ({1: b"pong"}, {100: b"ping"})
    ((local, remote),) = other.accepted
    assert (local[0], remote[0]) == ("127.0.0.1", "127.0.0.1")


async def test_the_other_side_is_told_of_an_end_and_the_one_who_ends_is_not(owner: Owner, other: Owner) -> None:
    here, there = await joined(owner, other)
    owner.connections.write(here, b"last words")
    owner.connections.close(here)
    await until(lambda: other.closed)
    assert (other.data, other.closed) == ({there: b"last words"}, [there])
    assert owner.closed == []
    assert not owner.connections.write(here, b"too late")
    owner.connections.close(here)


async def test_a_connection_leaves_from_the_port_that_listens_and_that_port_stays_taken(
    owner: Owner, other: Owner
) -> None:
    ours = owner.connections.listen(ANY, owner.accept)
    address = other.connections.listen(ANY, other.accept)
    owner.connections.connect(1, ours, address)
    await until(lambda: other.accepted)
    assert other.accepted == [(address, ours)]
    with pytest.raises(TransportError, match="cannot listen"):
        other.connections.listen(ours, other.accept)


async def test_nobody_listening_is_told_as_closed(owner: Owner) -> None:
    with socket.socket() as taken:
        taken.bind(ANY)
        owner.connections.connect(7, ANY, taken.getsockname())
        await until(lambda: owner.closed)
    assert (owner.opened, owner.closed) == ([], [7])


async def test_a_connection_that_nobody_answers_is_given_up() -> None:
    """The line of a listener that takes nobody is full after one."""
    impatient = Owner(connect_time=0.2)
    with socket.socket() as deaf:
        deaf.bind(ANY)
        deaf.listen(0)
        for number in range(4):
            impatient.connections.connect(number, ANY, deaf.getsockname())
        await until(lambda: impatient.closed)
        await impatient.end()


async def test_opening_can_be_stopped_and_is_not_told(owner: Owner, other: Owner) -> None:
    address = other.connections.listen(ANY, other.accept)
    owner.connections.connect(3, ANY, address)
    owner.connections.close(3)
    await owner.end()
    assert (owner.opened, owner.closed) == ([], [])


async def test_who_is_not_wanted_is_hung_up_on(owner: Owner, other: Owner) -> None:
    address = other.connections.listen(ANY, lambda local, remote: None)
    owner.connections.connect(1, ANY, address)
    await until(lambda: owner.closed)
    assert other.opened == []


async def test_what_nobody_reads_fills_up_and_then_packets_are_dropped(owner: Owner) -> None:
    with socket.socket() as deaf:
        deaf.bind(ANY)
        deaf.listen(1)
        owner.connections.connect(1, ANY, deaf.getsockname())
        await until(lambda: owner.opened)
        peer, _ = deaf.accept()
        with peer:
            packet = bytes(65_536)
            written = 0
            while owner.connections.write(1, packet):
                written += len(packet)
                assert written < 2**28
            assert owner.connections.is_full
            assert FULL < MAX_UNSENT
            peer.settimeout(0)
            loop = asyncio.get_running_loop()
            while written:
                written -= len(await loop.sock_recv(peer, 1_048_576))
            await until(lambda: owner.writable)
            assert not owner.connections.is_full


async def test_a_full_connection_that_is_closed_holds_nobody_up(owner: Owner) -> None:
    with socket.socket() as deaf:
        deaf.bind(ANY)
        deaf.listen(1)
        owner.connections.connect(1, ANY, deaf.getsockname())
        await until(lambda: owner.opened)
        while owner.connections.write(1, bytes(65_536)):
            pass
        owner.connections.close(1)
        assert not owner.connections.is_full


async def test_an_address_that_is_not_ours_cannot_be_listened_on(owner: Owner) -> None:
    with pytest.raises(TransportError, match=r"192\.0\.2\.77"):
        owner.connections.listen(("192.0.2.77", 0), owner.accept)


async def test_no_more_connections_are_taken_once_listening_has_stopped(owner: Owner, other: Owner) -> None:
    here, _ = await joined(owner, other)
    address = other.accepted[0][0]
    other.connections.stop_listening(address)
    other.connections.stop_listening(address)
    owner.connections.connect(2, ANY, address)
    await until(lambda: owner.closed)
    assert owner.closed == [2]
    assert owner.connections.write(here, b"what was there goes on")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_tls_is_spoken_to_whom_the_certificate_names(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    authority, cert, key = write_signed_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, *ANY, ssl=context) as server:
        address = server.sockets[0].getsockname()
        owner.connections.connect(1, ANY, address, tls_name=name)
        await until(lambda: owner.opened)
        owner.connections.write(1, b"secret")
        await until(lambda: owner.data)
        assert owner.data == {1: b"secret"}
        owner.connections.connect(2, ANY, address, tls_name="another.example")
        await until(lambda: owner.closed)
        assert owner.closed == [2]
        await owner.end()
        await until(lambda: not server.sockets or not [task for task in asyncio.all_tasks() if "echo" in repr(task)])
