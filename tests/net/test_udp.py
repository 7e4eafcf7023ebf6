"""Batched UDP on real loopback sockets, on both event loops."""

import errno
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.net.sockets import LOOPBACK, LOOPBACK6, Inbox, run_of, until
from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.core.machine import Transmit
from zwerm.net import udp
from zwerm.net.udp import Batch, UdpSocket


@pytest.fixture
async def left() -> AsyncIterator[UdpSocket]:
    async with UdpSocket.open(LOOPBACK) as opened:
        yield opened


@pytest.fixture
async def right() -> AsyncIterator[UdpSocket]:
    async with UdpSocket.open(LOOPBACK) as opened:
        yield opened


class Refusing:
    """A socket on which some system calls fail, as on kernels and interfaces that this machine does not have."""

    def __init__(self, inner: socket.socket, fails: Callable[[str, Any], int | None]) -> None:
        self._inner = inner
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sendto(self, data: bytes, destination: Any) -> int:
        self._check("sendto", data)
        return self._inner.sendto(data, destination)

    def sendmsg(self, buffers: Any, control: Any, flags: int, destination: Any) -> int:
        self._check("sendmsg", buffers[0])
        return self._inner.sendmsg(buffers, control, flags, destination)

    def recvmsg_into(self, buffers: Any, space: int) -> Any:
        self._check("recvmsg_into", b"")
        return self._inner.recvmsg_into(buffers, space)

    def _check(self, call: str, data: bytes) -> None:
        if (code := self._fails(call, data)) is not None:
            raise OSError(code, "refused by the test")


def refuse(opened: UdpSocket, fails: Callable[[str, Any], int | None]) -> None:
    opened._socket = Refusing(opened._socket, fails)  # type: ignore[assignment]


@pytest.mark.parametrize("address", [LOOPBACK, LOOPBACK6], ids=["IPv4", "IPv6"])
async def test_datagrams_arrive_with_their_source(address: tuple[str, int]) -> None:
    async with UdpSocket.open(address) as sender, UdpSocket.open(address) as receiver:
        inbox = Inbox(receiver)
        assert receiver.address[1] > 0
        for data in (b"one", b"", b"three"):
            sender.send(Transmit(data, receiver.address))
        assert await inbox.wait_count(3) == [b"one", b"", b"three"]
        assert {batch.source for batch in inbox.batches} == {sender.address}


async def test_a_run_arrives_as_the_datagrams_it_is_made_of(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(right)
    transmit = run_of(40, 1_200, right.address, last=300)
    left.send(transmit)
    assert await inbox.wait_count(40) == list(transmit.datagrams())
    assert left.statistics().datagrams_sent == right.statistics().datagrams_received == 40
    assert left.statistics().bytes_sent == right.statistics().bytes_received == len(transmit.data)


async def test_a_run_takes_one_system_call_each_way_where_the_kernel_can(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(right)
    left.send(run_of(50, 1_000, right.address))
    await inbox.wait_count(50)
    assert left.has_segmentation
    assert right.has_coalescing
    assert left.statistics().writes == 1
    assert right.statistics().reads == 1


@pytest.mark.parametrize("count", [65, 130], ids=lambda count: f"{count} datagrams")
async def test_a_run_longer_than_the_kernel_takes_is_cut(left: UdpSocket, right: UdpSocket, count: int) -> None:
    inbox = Inbox(right)
    left.send(run_of(count, 1_200, right.address))
    assert len(await inbox.wait_count(count)) == count
    assert left.statistics().errors == 0
    assert left.statistics().writes == -(-count // 54)


async def test_datagrams_from_two_sources_come_in_batches_of_one_source_each(left: UdpSocket, right: UdpSocket) -> None:
    async with UdpSocket.open(LOOPBACK) as other:
        inbox = Inbox(right)
        right.pause_reading()
        for number in range(4):
            left.send(Transmit(b"l%d" % number, right.address))
            other.send(Transmit(b"o%d" % number, right.address))
        right.resume_reading()
        await inbox.wait_count(8)
        for sender, letter in ((left, b"l"), (other, b"o")):
            came = [
                datagram for batch in inbox.batches if batch.source == sender.address for datagram in batch.datagrams
            ]
            assert came == [letter + b"%d" % number for number in range(4)]


async def test_a_wake_up_reads_only_so_much(left: UdpSocket, right: UdpSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "READS_PER_WAKE", 3)
    inbox = Inbox(right)
    right.pause_reading()
    for number in range(10):
        left.send(Transmit(b"%d" % number, right.address))
    right._is_reading = right._is_run = True
    right._read()
    assert len(inbox.datagrams) == 3
    right._is_reading = False
    right.resume_reading()
    assert len(await inbox.wait_count(10)) == 10


async def test_a_batch_is_no_longer_than_its_bound(
    left: UdpSocket, right: UdpSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "BATCH", 4)
    inbox = Inbox(right)
    right.pause_reading()
    for number in range(10):
        left.send(Transmit(b"%d" % number, right.address))
    right.resume_reading()
    await inbox.wait_count(10)
    assert max(len(batch.datagrams) for batch in inbox.batches) == 4


async def test_a_callback_may_pause_and_loses_nothing(left: UdpSocket, right: UdpSocket) -> None:
    async with UdpSocket.open(LOOPBACK) as other:
        seen: list[bytes] = []

        def take(batch: Batch) -> None:
            seen.extend(batch.datagrams)
            right.pause_reading()

        right.pause_reading()
        right.on_batch = take
        for number in range(6):
            (left, other)[number % 2].send(Transmit(b"%d" % number, right.address))
        for _ in range(6):
            right.resume_reading()
            await until(lambda: not right._is_reading)
            if len(seen) == 6:
                break
        assert sorted(seen) == [b"%d" % number for number in range(6)]


async def test_a_callback_may_close_the_socket(left: UdpSocket, right: UdpSocket) -> None:
    right.on_batch = lambda batch: right.close()
    left.send(Transmit(b"x", right.address))
    await until(lambda: right.is_closed)


async def test_the_local_address_is_told_and_can_be_sent_from(left: UdpSocket) -> None:
    async with UdpSocket.open(("0.0.0.0", 0), local_addresses=True) as everywhere:
        inbox, back = Inbox(everywhere), Inbox(left)
        port = everywhere.address[1]
        left.send(Transmit(b"x", ("127.0.0.2", port)))
        await inbox.wait_count(1)
        assert inbox.batches[0].destination == "127.0.0.2"
        everywhere.send(Transmit(b"y", left.address, source=("127.0.0.2", port)))
        await back.wait_count(1)
        assert back.batches[0].source == ("127.0.0.2", port)


async def test_the_local_address_of_ipv6_too() -> None:
    async with UdpSocket.open(("::", 0), local_addresses=True) as everywhere, UdpSocket.open(LOOPBACK6) as sender:
        inbox, back = Inbox(everywhere), Inbox(sender)
        sender.send(Transmit(b"x", ("::1", everywhere.address[1])))
        await inbox.wait_count(1)
        assert inbox.batches[0].destination == "::1"
        everywhere.send(run_of(3, 100, sender.address)._replace(source=("::1", 0)))
        assert len(await back.wait_count(3)) == 3


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOPROTOOPT], ids=["no offload", "an old kernel"])
async def test_where_segmentation_is_refused_datagrams_go_one_by_one(
    left: UdpSocket, right: UdpSocket, code: int
) -> None:
    inbox = Inbox(right)
    refuse(left, lambda call, _: code if call == "sendmsg" else None)
    transmit = run_of(20, 500, right.address)
    left.send(transmit)
    left.send(transmit)
    assert await inbox.wait_count(40) == [*transmit.datagrams()] * 2
    assert not left.has_segmentation
    assert left.statistics().writes == 40


async def test_segments_above_the_mtu_go_one_by_one_and_segmentation_stays(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(right)
    refuse(left, lambda call, _: errno.EINVAL if call == "sendmsg" else None)
    left.send(run_of(3, 500, right.address))
    await inbox.wait_count(3)
    assert left.has_segmentation


@pytest.mark.parametrize("is_plain", [True, False], ids=["without control messages", "with them"])
async def test_without_coalescing_each_datagram_is_read_by_itself(
    left: UdpSocket, right: UdpSocket, is_plain: bool
) -> None:
    right._socket.setsockopt(socket.IPPROTO_UDP, 104, 0)
    right._is_plain = is_plain
    inbox = Inbox(right)
    left.send(run_of(20, 500, right.address))
    assert len(await inbox.wait_count(20)) == 20
    assert right.statistics().reads == right.statistics().datagrams_received == 20


async def test_what_the_kernel_has_no_room_for_waits_and_goes_in_order(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(right)
    is_blocked = True
    refuse(left, lambda call, _: errno.EAGAIN if is_blocked else None)
    transmits = [Transmit(b"first", right.address), run_of(5, 100, right.address), Transmit(b"last", right.address)]
    for transmit in transmits:
        left.send(transmit)
    assert inbox.datagrams == []
    is_blocked = False
    expected = [datagram for transmit in transmits for datagram in transmit.datagrams()]
    assert await inbox.wait_count(7) == expected
    assert left.statistics().dropped == 0


async def test_a_full_line_drops_and_says_when_there_is_room(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(right)
    writable: list[bool] = []
    left.on_writable = lambda: writable.append(left.is_full)
    is_blocked = True
    refuse(left, lambda call, _: errno.ENOBUFS if is_blocked else None)
    sent = 0
    while not left.is_full:
        left.send(run_of(10, 1_000, right.address))
        sent += 10
    left.send(run_of(10, 1_000, right.address))
    assert left.statistics().dropped == 10
    assert writable == []
    is_blocked = False
    await inbox.wait_count(sent)
    assert writable == [False]


async def test_a_run_that_is_cut_in_the_middle_by_a_full_kernel_is_finished_later(
    left: UdpSocket, right: UdpSocket
) -> None:
    inbox = Inbox(right)
    calls = 0

    def fails(call: str, _: Any) -> int | None:
        nonlocal calls
        calls += 1
        if call == "sendmsg":
            return errno.EIO
        return errno.EAGAIN if calls in (4, 5) else None

    refuse(left, fails)
    transmit = run_of(8, 100, right.address)
    left.send(transmit)
    assert await inbox.wait_count(8) == list(transmit.datagrams())


async def test_a_datagram_too_large_is_dropped_and_counted(left: UdpSocket, right: UdpSocket) -> None:
    inbox = Inbox(left)
    left.send(Transmit(bytes(70_000), right.address))
    assert left.statistics().dropped == 1
    assert [error.errno for error in inbox.errors] == [errno.EMSGSIZE]


async def test_a_port_that_nobody_listens_on_is_reported_and_survived(right: UdpSocket) -> None:
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plain.bind(LOOPBACK)
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(LOOPBACK)
    nobody = closed.getsockname()
    closed.close()
    plain.connect(nobody)
    async with UdpSocket(plain) as opened:
        inbox = Inbox(opened)
        plain.send(b"x")
        await until(lambda: inbox.errors)
        assert isinstance(inbox.errors[0], ConnectionRefusedError)
        assert opened.statistics().errors == 1
        plain.connect(right.address)
        right.send(Transmit(b"alive", opened.address))
        assert await inbox.wait_count(1) == [b"alive"]


async def test_a_send_that_the_network_refuses_is_reported_not_raised(left: UdpSocket) -> None:
    inbox = Inbox(left)
    refuse(left, lambda call, _: errno.ENETUNREACH if call == "sendto" else None)
    left.send(Transmit(b"x", ("192.0.2.1", 9)))
    assert [error.errno for error in inbox.errors] == [errno.ENETUNREACH]


async def test_a_truncated_datagram_is_not_given_out(
    left: UdpSocket, right: UdpSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(right)
    monkeypatch.setattr(right, "_buffers", [bytearray(4)])
    left.send(Transmit(b"too long", right.address))
    await until(lambda: right.statistics().truncated)
    monkeypatch.undo()
    left.send(Transmit(b"fits", right.address))
    assert await inbox.wait_count(1) == [b"fits"]


async def test_a_taken_port_is_an_error_in_words(left: UdpSocket) -> None:
    with pytest.raises(TransportError, match=f"port {left.address[1]}"):
        UdpSocket.open(left.address)
    with pytest.raises(TransportError):
        UdpSocket.open(("192.0.2.77", 0))
    with pytest.raises(TransportError):
        UdpSocket.open(("127.0.0.1", 70_000))


async def test_a_port_can_be_shared_by_those_who_say_so() -> None:
    first = UdpSocket.open(LOOPBACK, share_port=True)
    async with first, UdpSocket.open(first.address, share_port=True) as second:
        assert second.address == first.address


@pytest.mark.parametrize("destination", [("127.0.0.1", 70_000), ("127.0.0.1", "x")], ids=["port", "text"])
async def test_a_destination_that_is_none_is_our_own_error(left: UdpSocket, destination: Any) -> None:
    with pytest.raises(LocalProtocolError):
        left.send(Transmit(b"x", destination))


async def test_a_closed_socket_takes_nothing_and_may_be_closed_again(left: UdpSocket) -> None:
    left.close()
    left.close()
    left.resume_reading()
    with pytest.raises(LocalProtocolError):
        left.send(Transmit(b"x", ("127.0.0.1", 9)))


async def test_closing_tries_what_waits_a_last_time(right: UdpSocket) -> None:
    inbox = Inbox(right)
    left = UdpSocket.open(LOOPBACK)
    is_blocked = True
    refuse(left, lambda call, _: errno.EAGAIN if is_blocked else None)
    left.send(Transmit(b"goodbye", right.address))
    is_blocked = False
    left.close()
    assert await inbox.wait_count(1) == [b"goodbye"]


async def test_closing_does_not_wait_for_a_kernel_that_has_no_room(right: UdpSocket) -> None:
    left = UdpSocket.open(LOOPBACK)
    refuse(left, lambda call, _: errno.EAGAIN)
    left.send(run_of(5, 100, right.address))
    left.close()
    assert left.is_closed


async def test_ecn_and_fragmentation_are_left_to_the_system(left: UdpSocket) -> None:
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with plain:
        for option in (socket.IP_TOS, socket.IP_TTL, 10):  # IP_MTU_DISCOVER
            assert left._socket.getsockopt(socket.IPPROTO_IP, option) == plain.getsockopt(socket.IPPROTO_IP, option)
