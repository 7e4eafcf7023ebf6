"""Many UDP sockets around one buffer."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from zwerm.core.errors import TransportError
from zwerm.core.machine import Transmit
from zwerm.net import pool as module
from zwerm.net.pool import BUSY, HEADROOM, IcmpError, PooledSocket, UdpPool
from zwerm.net.recvmmsg import Arrival
from zwerm.net.udp import UdpSocket

Received = list[tuple[bytes, tuple[str, int]]]


class Collector:
    """Takes arrivals apart, and tells when so many datagrams have come."""

    def __init__(self, pool: UdpPool) -> None:
        self.pool = pool
        self.received: Received = []
        self.batches: list[int] = []
        self._news = asyncio.Event()

    def __call__(self, _socket: PooledSocket, arrivals: list[Arrival]) -> None:
        self.batches.append(len(arrivals))
        end = 0
        for source, start, size, segment in arrivals:
            assert start >= end + HEADROOM
            end = start + size
            for cut in range(start, end, segment) if segment else (start,):
                self.received.append((bytes(self.pool.view[cut : min(cut + segment, end)]), source))
        self._news.set()

    async def wait_for(self, count: int) -> Received:
        while len(self.received) < count:
            self._news.clear()
            await self._news.wait()
        return self.received


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_what_comes_is_handed_over_with_its_source_and_answered(host: str) -> None:
    pool = UdpPool()
    collector = Collector(pool)
    async with asyncio.timeout(20), UdpSocket.open((host, 0)) as other:
        echoed: asyncio.Queue[bytes] = asyncio.Queue()
        other.on_batch = lambda batch: [echoed.put_nowait(data) for data in batch.datagrams]  # type: ignore[func-returns-value, assignment]
        ours = pool.open((host, 0), collector)
        for data in (b"one", b"", b"x" * 9_000):
            other.send(Transmit(data, ours.address))
            await collector.wait_for(len(collector.batches) + 1)
        assert collector.received == [(b"one", other.address), (b"", other.address), (b"x" * 9_000, other.address)]
        ours.send((b"an", b"swer"), other.address, None)
        assert await echoed.get() == b"answer"
        ours.transmit(Transmit(b"aabbc", other.address, 2))
        assert [await echoed.get() for _ in range(3)] == [b"aa", b"bb", b"c"]
    pool.close()
    pool.close()
    assert len(pool) == 0


async def test_a_run_that_the_kernel_merged_is_told_apart(host: str) -> None:
    pool = UdpPool()
    collector = Collector(pool)
    async with asyncio.timeout(20), UdpSocket.open((host, 0)) as other:
        ours = pool.open((host, 0), collector)
        data = b"".join(bytes([number]) * 1_000 for number in range(40)) + b"end"
        other.send(Transmit(data, ours.address, 1_000))
        received = await collector.wait_for(41)
        assert b"".join(datagram for datagram, _ in received) == data
    pool.close()


async def test_a_busy_pool_looks_by_the_clock_and_loses_nothing() -> None:
    pool = UdpPool()
    collector = Collector(pool)
    async with asyncio.timeout(30), UdpSocket.open(("127.0.0.1", 0)) as other:
        sockets = [pool.open(("127.0.0.1", 0), collector) for _ in range(3)]
        sent = was_by_clock = 0
        while not was_by_clock or sent < 4 * BUSY:
            for _ in range(5):
                other.send(Transmit(sent.to_bytes(4, "big"), sockets[sent % 3].address))
                sent += 1
            await collector.wait_for(sent)
            was_by_clock |= pool.is_by_clock
        assert sorted(int.from_bytes(data, "big") for data, _ in collector.received) == list(range(sent))
        other.send(Transmit(b"late", sockets[0].address))
        await collector.wait_for(sent + 1)
    pool.close()


async def test_without_epoll_the_loop_watches_each_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module.select, "epoll")
    pool = UdpPool()
    collector = Collector(pool)
    async with asyncio.timeout(20), UdpSocket.open(("127.0.0.1", 0)) as other:
        ours = pool.open(("127.0.0.1", 0), collector)
        other.send(Transmit(b"one", ours.address))
        await collector.wait_for(1)
        ours.close()
        ours.close()
    pool.close()


async def test_a_socket_closed_by_its_neighbour_in_the_same_look_is_left_alone() -> None:
    pool = UdpPool()
    closed: list[str] = []
    async with asyncio.timeout(20), UdpSocket.open(("127.0.0.1", 0)) as other:
        done = asyncio.Event()

        def close_all(_socket: PooledSocket, _arrivals: list[Arrival]) -> None:
            closed.append("once")
            for each in sockets:
                each.close()
            done.set()

        sockets = [pool.open(("127.0.0.1", 0), close_all) for _ in range(2)]
        for each in sockets:
            other.send(Transmit(b"x", each.address))
        await done.wait()
        await asyncio.sleep(0)
        assert closed == ["once"]
    pool.close()


class Refusing:
    """A socket whose sends fail as they are told to."""

    def __init__(self, real: socket.socket, error: Callable[[Any], int | None]) -> None:
        self._real, self._error = real, error
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, destination: tuple[str, int]) -> int:
        return self._send(bytes(data), None)

    def sendmsg(self, pieces: list[bytes], control: object, _flags: int, _destination: tuple[str, int]) -> int:
        return self._send(b"".join(pieces), control)

    def _send(self, data: bytes, control: object) -> int:
        if (number := self._error(control)) is not None:
            raise OSError(number, os.strerror(number))
        self.sent.append(data)
        return len(data)

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL], ids=["never takes runs", "not this run"])
async def test_a_run_that_is_refused_goes_one_by_one(number: int) -> None:
    pool = UdpPool()
    ours = pool.open(("127.0.0.1", 0), Collector(pool))
    ours.socket = refusing = Refusing(ours.socket, lambda control: number if control else None)  # type: ignore[assignment]
    for _ in range(2):
        ours.send((b"aab", b"bc"), ("127.0.0.1", 9), 2)
    assert refusing.sent == [b"aa", b"bb", b"c"] * 2
    assert pool.counters.dropped == 0
    pool.close()


async def test_what_does_not_fit_is_dropped_and_counted() -> None:
    pool = UdpPool()
    ours = pool.open(("127.0.0.1", 0), Collector(pool))
    ours.socket = Refusing(ours.socket, lambda _: errno.EAGAIN)  # type: ignore[assignment]
    ours.send((b"aab", b"bc"), ("127.0.0.1", 9), 2)
    ours.send((b"a",), ("127.0.0.1", 9), None)
    assert pool.counters.dropped == 4
    ours.socket = Refusing(ours.socket, lambda _: errno.ENETUNREACH)  # type: ignore[assignment, arg-type]
    ours.send((b"a",), ("127.0.0.1", 9), None)
    assert pool.counters.errors == 1
    pool.close()


async def test_a_port_that_is_taken_is_named() -> None:
    pool = UdpPool()
    first = pool.open(("127.0.0.1", 0), Collector(pool))
    with pytest.raises(TransportError, match="cannot bind UDP"):
        pool.open(first.address, Collector(pool))
    assert len(pool) == 1
    pool.close()


async def test_what_comes_back_about_a_port_that_nobody_listens_on_is_told_and_holds_nothing_up(host: str) -> None:
    pool = UdpPool()
    collector = Collector(pool)
    ours = pool.open((host, 0), collector)
    told: asyncio.Queue[IcmpError] = asyncio.Queue()
    ours.watch_icmp(lambda _, error: told.put_nowait(error))
    async with asyncio.timeout(20), UdpSocket.open((host, 0)) as other:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        other.on_batch = lambda batch: [heard.put_nowait(data) for data in batch.datagrams]  # type: ignore[func-returns-value, assignment]
        gone = pool.open((host, 0), collector)
        gone.close()
        for _ in range(5):
            ours.send((b"anybody",), gone.address, None)
            ours.send((b"hello",), other.address, None)
        expected = (1, 4) if ":" in host else (3, 3)  # port unreachable
        error = await told.get()
        assert (error.destination, (error.type, error.code)) == (gone.address, expected)
        assert [await heard.get() for _ in range(5)] == [b"hello"] * 5
        other.send(Transmit(b"back", ours.address))
        assert await collector.wait_for(1) == [(b"back", other.address)]
    pool.close()


async def test_what_must_stay_whole_is_sent_with_the_bit_and_nothing_else_is(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = UdpPool()
    ours = pool.open((host, 0), Collector(pool))
    option = (socket.IPPROTO_IPV6, 23) if ":" in host else (socket.IPPROTO_IP, 10)  # IP_MTU_DISCOVER
    seen: list[int] = []
    send = PooledSocket.transmit

    def watched(self: PooledSocket, transmit: Transmit) -> None:
        seen.append(self.socket.getsockopt(*option))
        send(self, transmit)

    monkeypatch.setattr(PooledSocket, "transmit", watched)
    async with asyncio.timeout(20), UdpSocket.open((host, 0)) as other:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        other.on_batch = lambda batch: [heard.put_nowait(data) for data in batch.datagrams]  # type: ignore[func-returns-value, assignment]
        ours.transmit_whole(Transmit(b"whole", other.address))
        ours.transmit(Transmit(b"may be cut", other.address))
        assert [await heard.get() for _ in range(2)] == [b"whole", b"may be cut"]
    assert seen == [2, 1]  # IP_PMTUDISC_DO, IP_PMTUDISC_WANT
    pool.close()


async def test_what_is_too_large_to_stay_whole_is_dropped_and_told() -> None:
    """Over IPv6, where loopback takes less than the largest datagram."""
    pool = UdpPool()
    ours = pool.open(("::1", 0), Collector(pool))
    told: asyncio.Queue[IcmpError] = asyncio.Queue()
    ours.watch_icmp(lambda _, error: told.put_nowait(error))
    async with asyncio.timeout(20), UdpSocket.open(("::1", 0)) as other:
        ours.transmit_whole(Transmit(b"x" * 65_500, other.address))
        error = await told.get()
    assert (error.destination, error.type, error.code, error.data) == (other.address, 2, 0, 65_536)
    assert pool.counters.dropped >= 1
    pool.close()
