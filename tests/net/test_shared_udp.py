"""One UDP port for several protocols: who gets what, and when the socket goes."""

from __future__ import annotations

import asyncio

import pytest

from zwerm.core.errors import TransportError
from zwerm.core.machine import Transmit
from zwerm.net.demultiplex import Traffic
from zwerm.net.shared_udp import UdpPorts, UdpShare
from zwerm.net.udp import UdpSocket

ANYWHERE = ("127.0.0.1", 0)
STUN, QUIC = b"\x00stun", b"\xc0quic"


def collect(share: UdpShare) -> asyncio.Queue[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    share.on_batch = lambda batch: [queue.put_nowait(data) for data in batch.datagrams] and None
    return queue


async def test_each_protocol_gets_its_own_and_sends_from_the_same_port() -> None:
    ports = UdpPorts()
    one = ports.open(ANYWHERE, [Traffic.STUN, Traffic.DTLS])
    other = ports.open(one.address, [Traffic.QUIC])
    first, second = collect(one), collect(other)
    async with UdpSocket.open(ANYWHERE) as peer:
        answers: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        peer.on_batch = lambda batch: [answers.put_nowait(batch.source) for _ in batch.datagrams] and None
        for data in (QUIC, STUN, b"\xffquic", b"\x80rtp", STUN):
            peer.send(Transmit(data, one.address))
        assert [await second.get(), await second.get()] == [QUIC, b"\xffquic"]
        assert [await first.get(), await first.get()] == [STUN, STUN]
        for share in (one, other):
            share.send(Transmit(b"answer", peer.address))
        assert [await answers.get(), await answers.get()] == [one.address] * 2
    one.close()
    other.close()


async def test_what_somebody_uses_already_is_refused_by_name() -> None:
    ports = UdpPorts()
    share = ports.open(ANYWHERE, [Traffic.QUIC])
    with pytest.raises(TransportError, match="used for QUIC here already"):
        ports.open(share.address, [Traffic.STUN, Traffic.QUIC])
    with pytest.raises(TransportError, match="cannot bind"):
        UdpPorts().open(share.address, [Traffic.STUN])  # of another node in this process, or of another process
    share.close()


async def test_the_socket_goes_with_the_last_share() -> None:
    ports = UdpPorts()
    one = ports.open(ANYWHERE, [Traffic.STUN])
    other = ports.open(one.address, [Traffic.QUIC])
    address = one.address
    one.close()
    one.close()
    received = collect(other)
    async with UdpSocket.open(ANYWHERE) as peer:
        peer.send(Transmit(QUIC, address))
        assert await received.get() == QUIC
    other.close()
    again = ports.open(address, [Traffic.QUIC])
    assert (again.address, again.is_closed, again.is_full) == (address, False, False)
    again.close()


async def test_port_0_is_a_new_one_for_each() -> None:
    ports = UdpPorts()
    shares = [ports.open(ANYWHERE, [Traffic.QUIC]) for _ in range(2)]
    assert shares[0].address != shares[1].address
    for share in shares:
        share.close()
