"""`check_machine` passes small real machines, and finds out every machine that breaks a law."""

from __future__ import annotations

import random as unseeded
import time
from random import Random

import pytest

from tests.conformance.check_machine import PEER, LawBroken, Subject, check_machine
from tests.conformance.check_stream_machine import check_stream_machine
from tests.conformance.examples import ANSWER, ID_SIZE, REQUEST, Answered, Lines, Request, Server
from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit

REQUESTS = [REQUEST + bytes([number]) * ID_SIZE + b"text" for number in range(4)]
LINES = [b"hello\n", b"\n", b"a line of thirty-two characters.\n", b"half a ", b"line\nand more\n"]


def make_request(now: Instant, random: Random) -> Request:
    return Request(b"time?", PEER, now=now, random=random)


def answer(transmit: Transmit) -> list[bytes]:
    return [ANSWER + transmit.data[1:]]


def requests(make) -> Subject[Request]:
    return Subject(make, answers=answer, commands=[Request.cancel])


def servers(make) -> Subject[Server]:
    return Subject(make, valid=REQUESTS)


def lines(make) -> Subject[Lines]:
    return Subject(
        make, valid=LINES, commands=[lambda machine: machine.send_line(b"x"), lambda machine: machine.send_line(b"\n")]
    )


def broken(cls: type, **changes):
    """A maker of machines of a subclass with some methods replaced."""
    subclass = type("Broken" + cls.__name__, (cls,), changes)
    if cls is Request:
        return requests(lambda now, random: subclass(b"time?", PEER, now=now, random=random))
    return servers(lambda now, random: subclass()) if cls is Server else lines(lambda now, random: subclass(now=now))


def check(subject: Subject) -> None:
    is_stream = hasattr(subject.make(0.0, Random(0)), "receive_data")
    check_stream_machine(subject) if is_stream else check_machine(subject)


@pytest.mark.parametrize(
    "subject",
    [
        requests(make_request),
        servers(lambda now, random: Server()),
        lines(lambda now, random: Lines(now=now)),
        lines(lambda now, random: Lines(now=now, echo=False, idle=0.1)),
    ],
    ids=["request", "server", "lines", "lines that soon give up"],
)
def test_a_machine_that_keeps_the_laws_passes(subject: Subject) -> None:
    check(subject)


def law(number: int, subject: Subject, match: str) -> None:
    with pytest.raises(LawBroken, match=match) as caught:
        check(subject)
    assert caught.value.law == number


def test_law_1_a_machine_that_never_runs_dry() -> None:
    law(1, broken(Server, next_transmit=lambda self: Transmit(b"x", PEER)), "no end")
    law(1, broken(Server, next_event=lambda self: "again"), "no end")


def test_law_1_a_deadline_that_moves_when_it_is_looked_at() -> None:
    def next_timeout(self: Server) -> Instant:
        self.looks = getattr(self, "looks", 0.0) + 1.0
        return self.looks

    law(1, broken(Server, next_timeout=next_timeout), "without a mutation")


def test_law_1_an_output_that_is_no_transmit() -> None:
    def next_transmit(self: Server) -> object:
        transmit = Server.next_transmit(self)
        return transmit and transmit.data

    law(1, broken(Server, next_transmit=next_transmit), "expected a Transmit")


def test_law_1_a_run_of_datagrams_of_no_size() -> None:
    def next_transmit(self: Server) -> Transmit | None:
        transmit = Server.next_transmit(self)
        return transmit and transmit._replace(segment_size=0)

    law(1, broken(Server, next_transmit=next_transmit), "segment_size 0")


@pytest.mark.parametrize("clock", ["time", "monotonic", "perf_counter"])
def test_law_2_a_machine_that_reads_a_clock(clock: str) -> None:
    def handle_timeout(self: Request, now: Instant) -> None:
        Request.handle_timeout(self, getattr(time, clock)())

    law(2, broken(Request, handle_timeout=handle_timeout), "reads a clock")


def test_law_2_a_machine_that_draws_randomness_of_its_own() -> None:
    def next_transmit(self: Request) -> Transmit | None:
        transmit = Request.next_transmit(self)
        return transmit and transmit._replace(data=transmit.data + unseeded.randbytes(4))

    law(2, broken(Request, next_transmit=next_transmit), "two runs of seed 0 differ")


def test_law_2_a_machine_that_takes_zero_for_a_time_of_its_own() -> None:
    def handle_timeout(self: Request, now: Instant) -> None:
        Request.handle_timeout(self, now if now < 100_000.0 else now + 5.0)

    law(2, broken(Request, handle_timeout=handle_timeout), "depends on what time it is")


def test_law_3_a_machine_that_acts_before_its_deadline() -> None:
    def handle_timeout(self: Request, now: Instant) -> None:
        Request.handle_timeout(self, now + 0.4)

    law(3, broken(Request, handle_timeout=handle_timeout), "before the deadline|second handle_timeout")


def test_law_3_a_machine_that_acts_twice() -> None:
    def handle_timeout(self: Server, now: Instant) -> None:
        self._transmits.append(Transmit(b"tick", PEER))

    law(3, broken(Server, handle_timeout=handle_timeout), "changed something")


def test_law_3_a_machine_that_never_catches_up() -> None:
    law(3, broken(Server, next_timeout=lambda self: -1.0), "does not get past")


def test_law_4_a_parser_whose_error_gets_out() -> None:
    def receive_datagram(self: Server, data: bytes, source: Address, now: Instant) -> bool:
        if len(data) < 1 + ID_SIZE:
            raise WireError("cut short")
        return Server.receive_datagram(self, data, source, now)

    law(4, broken(Server, receive_datagram=receive_datagram), "cut short")


def test_law_4_a_parser_with_a_bug() -> None:
    def receive_datagram(self: Server, data: bytes, source: Address, now: Instant) -> bool:
        return data[0] == REQUEST[0] and Server.receive_datagram(self, data, source, now)

    law(4, broken(Server, receive_datagram=receive_datagram), "IndexError")


def test_law_4_a_machine_that_blames_its_caller_for_the_peer() -> None:
    def receive_datagram(self: Request, data: bytes, source: Address, now: Instant) -> bool:
        mine = Request.receive_datagram(self, data, source, now)
        if mine:
            self.cancel()
        return mine

    law(4, broken(Request, receive_datagram=receive_datagram), "LocalProtocolError")


def test_law_4_a_machine_that_does_not_say_whose_a_datagram_is() -> None:
    law(4, broken(Server, receive_datagram=lambda self, data, source, now: None), "returned None")


def test_law_4_a_refused_command_that_changed_something() -> None:
    def cancel(self: Request) -> None:
        self._events.append(Answered(b"?"))
        Request.cancel(self)

    subject = broken(Request)
    law(4, Subject(subject.make, answers=answer, commands=[cancel]), "a refused command changed")


def test_law_4_a_batch_that_is_not_its_datagrams() -> None:
    def receive_datagrams(self: Server, datagrams: list[bytes], source: Address, now: Instant) -> int:
        return Server.receive_datagrams(self, datagrams[:-1], source, now)

    law(4, broken(Server, receive_datagrams=receive_datagrams), "receive_datagrams")


def test_law_4_a_stream_that_likes_whole_frames() -> None:
    def receive_data(self: Lines, data: bytes, now: Instant) -> None:
        Lines.receive_data(self, data if data.endswith(b"\n") else data + b"\n", now)

    law(4, broken(Lines, receive_data=receive_data), "where it is cut")


def test_law_4_an_end_that_comes_twice() -> None:
    def receive_eof(self: Lines, now: Instant) -> None:
        self._to_send += b"bye\n"

    law(4, broken(Lines, receive_eof=receive_eof), "second receive_eof")


def test_law_5_a_backlog_without_a_limit() -> None:
    subject = servers(lambda now, random: Server(backlog=1_000_000))
    law(5, subject, "outputs piled up")


def test_law_5_a_memory_without_a_limit() -> None:
    def receive_datagram(self: Server, data: bytes, source: Address, now: Instant) -> bool:
        self.seen = [*getattr(self, "seen", []), data]
        return Server.receive_datagram(self, data, source, now)

    law(5, broken(Server, receive_datagram=receive_datagram), "it grew by")


def test_law_5_a_stream_that_keeps_an_endless_line() -> None:
    def receive_data(self: Lines, data: bytes, now: Instant) -> None:
        self._partial += data

    law(5, broken(Lines, receive_data=receive_data), "it grew by")


def test_law_5_a_stream_whose_events_pile_up() -> None:
    law(5, lines(lambda now, random: Lines(now=now, longest=10**9, pending=10**9)), "outputs piled up")
