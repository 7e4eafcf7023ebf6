"""The machine contract's own code: splitting runs of datagrams, and draining in the order of law 1."""

import pytest

from zwerm.core.machine import DRAIN_LIMIT, Address, Instant, Transmit, drain, drain_stream

PEER = ("192.0.2.1", 3478)


class Echo:
    """Sends back what it receives, tells of it, and asks to be woken; writes down who asked what."""

    def __init__(self, copies: int = 1) -> None:
        self.asked: list[str] = []
        self._copies = copies
        self._transmits: list[Transmit] = []
        self._events: list[bytes] = []

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        self._transmits += [Transmit(data, source)] * self._copies
        self._events.append(data)
        return True

    def receive_data(self, data: bytes, now: Instant) -> None:
        self.receive_datagram(data, PEER, now)

    def receive_eof(self, now: Instant) -> None:
        self._events.append(b"")

    def handle_timeout(self, now: Instant) -> None:
        pass

    def next_transmit(self) -> Transmit | None:
        self.asked.append("transmit")
        return self._transmits.pop(0) if self._transmits else None

    def data_to_send(self) -> bytes:
        self.asked.append("data")
        data = b"".join(transmit.data for transmit in self._transmits)
        self._transmits.clear()
        return data

    def next_event(self) -> bytes | None:
        self.asked.append("event")
        return self._events.pop(0) if self._events else None

    def next_timeout(self) -> Instant | None:
        self.asked.append("timeout")
        return 7.0


@pytest.mark.parametrize(
    ("data", "segment_size", "datagrams"),
    [
        (b"abcdef", None, [b"abcdef"]),
        (b"abcdef", 6, [b"abcdef"]),
        (b"abcdef", 9, [b"abcdef"]),
        (b"abcdef", 2, [b"ab", b"cd", b"ef"]),
        (b"abcde", 2, [b"ab", b"cd", b"e"]),
        (b"", None, [b""]),
        (b"", 2, [b""]),
    ],
)
def test_a_run_splits_into_equal_datagrams_and_a_shorter_last(
    data: bytes, segment_size: int | None, datagrams: list[bytes]
) -> None:
    assert list(Transmit(data, PEER, segment_size).datagrams()) == datagrams


def test_drain_takes_everything_and_the_timeout_last() -> None:
    machine = Echo()
    machine.receive_datagram(b"one", PEER, 0.0)
    machine.receive_datagram(b"two", PEER, 0.0)
    drained = drain(machine)
    assert drained == ([Transmit(b"one", PEER), Transmit(b"two", PEER)], [b"one", b"two"], 7.0)
    assert drained.is_whole
    assert machine.asked == ["transmit"] * 3 + ["event"] * 3 + ["timeout"]


def test_drain_stops_at_its_limit_and_says_so() -> None:
    machine = Echo(copies=DRAIN_LIMIT + 1)
    machine.receive_datagram(b"one", PEER, 0.0)
    first = drain(machine)
    assert (len(first.transmits), first.events, first.is_whole) == (DRAIN_LIMIT, [], False)
    second = drain(machine)
    assert (len(second.transmits), second.events, second.is_whole) == (1, [b"one"], True)


def test_drain_stream_takes_bytes_then_events_then_the_timeout() -> None:
    machine = Echo()
    machine.receive_data(b"one", 0.0)
    machine.receive_eof(0.0)
    assert drain_stream(machine) == (b"one", [b"one", b""], 7.0)
    assert machine.asked == ["data"] + ["event"] * 3 + ["timeout"]
