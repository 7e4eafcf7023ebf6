"""Sockets of one connection: ports of a range, and what happens when it is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.interop.coturn import free_ports
from tests.net.sockets import until
from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.core.random import seeded
from zwerm.net.tcp import TcpConnections
from zwerm.net.udp import Batch, UdpSocket
from zwerm.webrtc.connection.sockets import LocalSockets

HOST = "127.0.0.1"


class Opened:
    def __init__(self) -> None:
        self.connections = TcpConnections(
            on_opened=lambda number: None, on_data=lambda number, data: None, on_closed=lambda number: None
        )
        self.received: list[tuple[Address, Batch]] = []
        self.sockets = LocalSockets(
            self.connections, seeded(1), lambda local, batch: self.received.append((local, batch)),
            lambda local, remote: None, lambda: None,
        )  # fmt: skip


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    opened = Opened()
    yield opened
    opened.sockets.close()
    opened.connections.close_all()
    await opened.connections.wait_closed()


async def test_what_comes_is_told_with_the_address_it_came_to(opened: Opened) -> None:
    first, second = opened.sockets.open(HOST, None), opened.sockets.open("127.0.0.2", None)
    opened.sockets.udp[first].send(Transmit(b"hello", second))
    await until(lambda: opened.received)
    ((local, batch),) = opened.received
    assert (local, list(batch.datagrams), batch.source) == (second, [b"hello"], first)
    assert not opened.sockets.is_full


async def test_ports_are_of_the_range_and_all_of_them_can_be_had(opened: Opened) -> None:
    first = 40_000 + free_ports(1)[0] % 10_000
    bound = set()
    for _ in range(200):
        try:
            bound.add(opened.sockets.open("127.0.0.3", (first, first + 3))[1])
        except TransportError:
            break
    assert bound <= set(range(first, first + 4))
    assert bound


async def test_a_range_that_is_taken_is_an_error_in_words(opened: Opened) -> None:
    with_port = UdpSocket.open((HOST, 0))
    try:
        port = with_port.address[1]
        with pytest.raises(TransportError, match=str(port)):
            opened.sockets.open(HOST, (port, port))
    finally:
        with_port.close()


async def test_without_a_port_for_tcp_there_is_udp(opened: Opened) -> None:
    assert opened.sockets.listen("192.0.2.77", None) is None
    listening = opened.sockets.listen(HOST, None)
    assert listening is not None
    assert opened.sockets.listening == {HOST: listening}


async def test_an_address_that_is_gone_takes_its_sockets_with_it(opened: Opened) -> None:
    opened.sockets.open(HOST, None)
    opened.sockets.listen(HOST, None)
    kept = opened.sockets.open("127.0.0.2", None)
    opened.sockets.close_host(HOST)
    assert list(opened.sockets.udp) == [kept]
    assert opened.sockets.listening == {}
