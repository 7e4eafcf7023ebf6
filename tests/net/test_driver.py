"""The driver of machines on real sockets: the laws, the one timer, and an end that comes."""

import asyncio
import enum
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from tests.net.sockets import LOOPBACK, Inbox, until
from zwerm.core.machine import DRAIN_LIMIT, Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.net.driver import Driver
from zwerm.net.udp import MAX_PENDING, UdpSocket
from zwerm.webrtc.dtls.connection import State


class Timer(enum.Enum):
    TICK = "time to say something"


class Echo:
    """Answers what it hears, tells of it, and remembers in which order it was driven."""

    def __init__(self) -> None:
        self.transmits: deque[Transmit] = deque()
        self.events: deque[str] = deque()
        self.timers: TimerTable[Timer] = TimerTable(Timer)
        self.calls: list[str] = []

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        assert not self.transmits, "law 1: drained before the next mutation"
        self.calls.append("receive")
        if data == b"not mine":
            return False
        self.transmits.append(Transmit(data.upper(), source))
        self.events.append(data.decode())
        return True

    def handle_timeout(self, now: Instant) -> None:
        assert not self.transmits, "law 1: drained before the next mutation"
        while self.timers.pop_expired(now) is not None:
            self.events.append("tick")

    def next_transmit(self) -> Transmit | None:
        self.calls.append("transmit")
        return self.transmits.popleft() if self.transmits else None

    def next_event(self) -> str | None:
        return self.events.popleft() if self.events else None

    def next_timeout(self) -> Instant | None:
        self.calls.append("timeout")
        return self.timers.next_timeout()


class BatchEcho(Echo):
    """The same with a hot path."""

    batches = 0

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        self.batches += 1
        self.calls.append("receive")
        for data in datagrams:
            self.transmits.append(Transmit(data.upper(), source))
        return len([data for data in datagrams if data != b"not mine"])


@pytest.fixture
async def ours() -> AsyncIterator[UdpSocket]:
    async with UdpSocket.open(LOOPBACK) as opened:
        yield opened


@pytest.fixture
async def theirs() -> AsyncIterator[UdpSocket]:
    async with UdpSocket.open(LOOPBACK) as opened:
        yield opened


@pytest.mark.parametrize("kind", [Echo, BatchEcho], ids=["one by one", "in batches"])
async def test_what_comes_is_answered(ours: UdpSocket, theirs: UdpSocket, kind: Callable[[], Any]) -> None:
    events: list[str] = []
    driver = Driver(kind(), ours, events.append)
    inbox = Inbox(theirs)
    for data in (b"one", b"not mine", b"two"):
        theirs.send(Transmit(data, ours.address))
    await inbox.wait_count(2)
    await until(lambda: driver.unclaimed)
    assert inbox.datagrams[0] == b"ONE"
    assert driver.unclaimed == 1
    driver.close()


async def test_after_each_input_outputs_are_taken_and_the_timeout_last(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    driver = Driver(machine, ours, lambda event: None)
    machine.calls.clear()
    inbox = Inbox(theirs)
    for _ in range(3):
        theirs.send(Transmit(b"x", ours.address))
    await inbox.wait_count(3)
    assert machine.calls.count("receive") == 3
    rounds = " ".join(machine.calls).split("receive")[1:]
    assert all(one.split()[0] == "transmit" and one.split()[-1] == "timeout" for one in rounds)
    driver.close()


async def test_a_batch_is_one_mutation(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = BatchEcho()
    driver = Driver(machine, ours, lambda event: None)
    inbox = Inbox(theirs)
    theirs.send(Transmit(b"abcdef", ours.address, 1))
    assert await inbox.wait_count(6) == [b"A", b"B", b"C", b"D", b"E", b"F"]
    assert machine.batches <= 6
    driver.close()


async def test_the_timer_fires_and_is_set_anew(ours: UdpSocket) -> None:
    machine = Echo()
    ticks: list[str] = []

    def again(event: str) -> None:
        ticks.append(event)
        if len(ticks) < 4:
            machine.timers.arm(Timer.TICK, driver.now + 0.005)

    driver: Driver[str] = Driver(machine, ours, again)
    machine.timers.arm(Timer.TICK, driver.now)
    driver.pump()
    await until(lambda: len(ticks) == 4)
    assert driver._alarm.due is None
    driver.close()


async def test_a_deadline_that_moves_back_keeps_the_timer_and_one_that_comes_nearer_moves_it(ours: UdpSocket) -> None:
    machine = Echo()
    driver = Driver(machine, ours, lambda event: None)
    start = driver.now
    machine.timers.arm(Timer.TICK, start + 1.0)
    driver.pump()
    machine.timers.arm(Timer.TICK, start + 1.2)
    driver.pump()
    assert driver._alarm.due == start + 1.0
    machine.timers.arm(Timer.TICK, start + 0.5)
    driver.pump()
    assert driver._alarm.due == start + 0.5
    machine.timers.cancel(Timer.TICK)
    driver.pump()
    assert driver._alarm.due is None
    driver.close()


async def test_an_early_wake_up_waits_on(ours: UdpSocket) -> None:
    machine = Echo()
    ticks: list[str] = []
    driver = Driver(machine, ours, ticks.append)
    machine.timers.arm(Timer.TICK, driver.now + 0.01)
    driver.pump()
    machine.timers.arm(Timer.TICK, driver.now + 0.05)
    due = driver.now + 0.05
    driver.pump()
    await until(lambda: ticks)
    assert driver.now >= due - 0.002  # uvloop counts whole milliseconds
    assert ticks == ["tick"]
    driver.close()


async def test_commands_from_an_event_are_carried_out(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    inbox = Inbox(theirs)

    def react(event: str) -> None:
        if event == "go":
            machine.transmits.append(Transmit(b"went", theirs.address))
            driver.pump()

    driver: Driver[str] = Driver(machine, ours, react)
    machine.events.append("go")
    driver.pump()
    assert await inbox.wait_count(1) == [b"went"]
    driver.close()


async def test_a_machine_that_is_never_quiet_does_not_starve_the_loop(ours: UdpSocket) -> None:
    machine = Echo()
    seen = 0

    def more(event: str) -> None:
        nonlocal seen
        seen += 1
        machine.events.append("more")

    machine.events.append("first")
    driver = Driver(machine, ours, more)
    before = seen
    assert before <= 16 * DRAIN_LIMIT + 1
    await until(lambda: seen > before)
    driver.close()
    after = seen
    await asyncio.sleep(0)
    assert seen == after


async def test_what_was_left_is_carried_out_before_the_next_input(
    ours: UdpSocket, theirs: UdpSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zwerm.net.driver.ROUNDS", 1)
    machine = Echo()
    events: list[str] = []
    driver = Driver(machine, ours, events.append)
    inbox = Inbox(theirs)
    theirs.send(Transmit(b"ab", ours.address, 1))
    assert await inbox.wait_count(2) == [b"A", b"B"]
    assert events == ["a", "b"]
    driver.close()


async def test_while_the_socket_is_full_transmits_stay_in_the_machine(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    events: list[str] = []
    driver = Driver(machine, ours, events.append)
    ours._pending_size += MAX_PENDING
    machine.transmits.append(Transmit(b"later", theirs.address))
    machine.events.append("told")
    driver.pump()
    assert len(machine.transmits) == 1
    assert events == ["told"]
    ours._pending_size -= MAX_PENDING
    ours.on_writable()
    assert not machine.transmits
    driver.close()


async def test_closing_says_the_last_words_and_nothing_more(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    events: list[str] = []
    driver = Driver(machine, ours, events.append)
    inbox = Inbox(theirs)
    machine.timers.arm(Timer.TICK, driver.now)
    driver.pump()
    machine.transmits.append(Transmit(b"goodbye", theirs.address))
    driver.close()
    driver.close()
    driver.pump()
    assert await inbox.wait_count(1) == [b"goodbye"]
    theirs.send(Transmit(b"too late", ours.address))
    await until(lambda: ours.statistics().datagrams_received)
    assert events == []
    assert machine.calls.count("receive") == 0


async def test_closing_from_an_event_ends_at_once(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    events: list[str] = []

    def end(event: str) -> None:
        events.append(event)
        driver.close()

    driver: Driver[str] = Driver(machine, ours, end)
    theirs.send(Transmit(b"a", ours.address))
    theirs.send(Transmit(b"b", ours.address))
    await until(lambda: ours.statistics().datagrams_received == 2)
    assert events == ["a"]


async def test_a_socket_closed_under_the_driver_is_no_error(ours: UdpSocket, theirs: UdpSocket) -> None:
    machine = Echo()
    driver = Driver(machine, ours, lambda event: None)
    ours.close()
    machine.transmits.append(Transmit(b"x", theirs.address))
    driver.pump()
    driver.close()


async def test_two_dtls_connections_talk_over_real_sockets(ours: UdpSocket, theirs: UdpSocket) -> None:
    from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, SERVER_CERTIFICATE
    from zwerm.webrtc.dtls.connection import DTLSConnection
    from zwerm.webrtc.dtls.event import ApplicationData, Event, Role

    now = asyncio.get_running_loop().time()
    heard: list[Event] = []
    server = DTLSConnection(
        Role.SERVER, SERVER_CERTIFICATE, ours.address, now=now, fingerprints=[CLIENT_CERTIFICATE.fingerprint()]
    )
    client = DTLSConnection(
        Role.CLIENT, CLIENT_CERTIFICATE, theirs.address, now=now, fingerprints=[SERVER_CERTIFICATE.fingerprint()]
    )
    drivers = [Driver(server, theirs, heard.append), Driver(client, ours, heard.append)]
    await until(lambda: client.state is server.state is State.CONNECTED)
    client.send([bytes([number]) * 1_000 for number in range(200)])
    drivers[1].pump()

    def count() -> int:
        return sum(len(event.payloads) for event in heard if isinstance(event, ApplicationData))

    await until(lambda: count() == 200)
    client.close()
    drivers[1].pump()
    await until(lambda: server.state is State.CLOSED)
    for driver in drivers:
        driver.close()
