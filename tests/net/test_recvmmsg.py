"""Many datagrams by one system call, of a real socket."""

import select
import socket
from collections.abc import Iterator

import pytest

from zwerm.net import recvmmsg as module
from zwerm.net.control import UDP_GRO, UDP_SEGMENT
from zwerm.net.recvmmsg import COUNT, LARGEST, MessageReader, find_call

HEADROOM = 4

pytestmark = pytest.mark.skipif(find_call() is None, reason="recvmmsg is a call of Linux")


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """One that reads, and one that writes to it."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as reads, socket.socket(family, socket.SOCK_DGRAM) as writes:
        reads.bind((request.param, 0))
        writes.bind((request.param, 0))
        writes.connect(reads.getsockname())
        reads.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        yield reads, writes


def reader() -> MessageReader:
    return MessageReader(find_call(), HEADROOM)


def pieces(of: MessageReader, start: int, size: int, segment: int) -> list[bytes]:
    return [bytes(of.view[at : min(at + segment, start + size)]) for at in range(start, start + size, segment or 1)]


def read_when_there(of: MessageReader, sock: socket.socket) -> list[module.Arrival]:
    assert select.select([sock], [], [], 10)[0]
    return of.read(sock.fileno())


def test_what_waits_comes_in_order_each_with_its_source(ends: tuple[socket.socket, socket.socket]) -> None:
    reads, writes = ends
    slots = reader()
    sent = [b"one", b"", bytes(range(256)) * 200, b"x"]
    for _ in range(3):  # the slots are good again
        for data in sent:
            writes.send(data)
        arrivals = read_when_there(slots, reads)
        assert [source for source, *_ in arrivals] == [writes.getsockname()[:2]] * len(sent)
        assert [bytes(slots.view[start : start + size]) for _, start, size, _ in arrivals] == sent
        assert all(segment == size for *_, size, segment in arrivals)
        ends_before = 0
        for _, start, size, _ in arrivals:
            assert start >= ends_before + HEADROOM
            ends_before = start + size


def test_nothing_waits(ends: tuple[socket.socket, socket.socket]) -> None:
    assert reader().read(ends[0].fileno()) == []


def test_more_than_there_are_slots_is_read_by_the_next_call(ends: tuple[socket.socket, socket.socket]) -> None:
    reads, writes = ends
    slots = reader()
    for number in range(COUNT + 3):
        writes.send(bytes([number]))
    seen: list[int] = []
    while len(seen) < COUNT + 3:
        arrivals = read_when_there(slots, reads)
        assert len(arrivals) <= COUNT
        seen += [slots.buffer[start] for _, start, _, _ in arrivals]
    assert seen == list(range(COUNT + 3))


def test_runs_that_the_kernel_merged_tell_their_segments(ends: tuple[socket.socket, socket.socket]) -> None:
    reads, writes = ends
    slots = reader()
    runs = [b"".join(bytes([number]) * 500 for number in range(9)) + b"end", b"alone", bytes(1_000) + b"y" * 10]
    for run, segment in zip(runs, (500, 5, 1_000), strict=True):
        writes.sendmsg([run], [(socket.IPPROTO_UDP, UDP_SEGMENT, segment.to_bytes(2, "little"))])
    arrivals: list[module.Arrival] = []
    got: list[bytes] = []
    while sum(map(len, got)) < sum(map(len, runs)):
        arrivals = read_when_there(slots, reads)
        got += [piece for _, start, size, segment in arrivals for piece in pieces(slots, start, size, segment)]
    assert [len(piece) for piece in got] == [500] * 9 + [3, 5, 1_000, 10]
    assert b"".join(got) == b"".join(runs)


def test_the_largest_datagram_stays_in_its_slot() -> None:
    slots = reader()
    assert len(slots.buffer) == COUNT * (HEADROOM + LARGEST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reads:
        reads.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as writes:
            writes.sendto(b"\xff" * 65_507, reads.getsockname())
            writes.sendto(b"next", reads.getsockname())
        (_, start, size, _), (_, second, four, _) = read_when_there(slots, reads)
    assert (size, four) == (65_507, 4)
    assert bytes(slots.view[second : second + 4]) == b"next"
    assert start + size + HEADROOM <= second


def test_an_error_of_the_socket_is_raised_once(ends: tuple[socket.socket, socket.socket]) -> None:
    reads, writes = ends
    slots = reader()
    reads.connect(writes.getsockname())
    writes.close()
    reads.send(b"to nobody")
    with pytest.raises(ConnectionRefusedError):
        read_when_there(slots, reads)
    assert slots.read(reads.fileno()) == []


def test_remembered_sources_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SOURCES", 2)
    slots = reader()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reads:
        reads.bind(("127.0.0.1", 0))
        for _ in range(5):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as writes:
                writes.sendto(b"x", reads.getsockname())
                expected = ("127.0.0.1", writes.getsockname()[1])
                assert [source for source, *_ in read_when_there(slots, reads)] == [expected]
    assert len(slots._sources) <= 2
