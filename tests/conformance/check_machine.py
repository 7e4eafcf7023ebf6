"""Holds a machine against the laws of `zwerm.core.machine`, as far as they can be seen from outside.

    check_machine(Subject(make=lambda now, random: Request(b"x", SERVER, now=now, random=random), answers=answer))

`check_machine` runs the machine through scripts drawn from seeds: valid datagrams, damaged ones and noise, from the
peer and from strangers, commands, time that passes exactly, early and late. A broken law raises `LawBroken`, which
names the law, the seed and the step. `check_stream_machine` stands in its own file and does the same for streams.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, Generic, NamedTuple, TypeVar
from unittest import mock

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, Machine, Transmit
from zwerm.core.random import seeded

PEER: Final[Address] = ("192.0.2.1", 4_000)
STRANGER: Final[Address] = ("203.0.113.66", 666)

OUTPUTS: Final = 100_000  # transmits and events after one mutation; more is a machine that never runs dry
SETTLING: Final = 1_000  # calls of handle_timeout at one instant until the deadline lies ahead
LATE: Final = 3_600.0  # seconds
SHIFT: Final = 1_048_576.0  # seconds, a power of two: adding it to short decimals costs little precision
_TOLERANCE: Final = 1e-6  # seconds

MachineT = TypeVar("MachineT", bound=Machine[Any])


class LawBroken(AssertionError):
    """A machine broke the law of that number."""

    def __init__(self, law: int, what: str) -> None:
        super().__init__(f"law {law}: {what}")
        self.law = law


@dataclasses.dataclass(frozen=True, slots=True)
class Subject(Generic[MachineT]):
    """How to make a machine and what can be done to it."""

    make: Callable[[Instant, Random], MachineT]  # a new one; the same arguments must give the same machine
    peer: Address = PEER
    valid: Sequence[bytes] = ()  # inputs it understands
    answers: Callable[[Transmit], Sequence[bytes]] = lambda transmit: ()  # what its peer would reply
    commands: Sequence[Callable[[MachineT], object]] = ()  # may raise LocalProtocolError
    seeds: Sequence[int] = range(20)
    steps: int = 60  # in each script
    flood: int = 3_000  # inputs that nobody drains between
    outputs_after_flood: int = 1_024  # transmits and events that may have piled up; bytes, for a stream, times 64
    memory_after_flood: int = 65_536  # bytes it may grow by in a second flood, once the first has filled what it has


class Step(NamedTuple):
    """One line of a script."""

    verb: str
    number: int  # what it is applied to, modulo what there is
    amount: float  # 0 to 1


class Outputs(NamedTuple):
    """What came out after one step; equal in two runs that are the same. Events count by their `repr`."""

    produced: tuple[Any, ...]  # transmits, or the bytes of a stream
    events: tuple[str, ...]
    settled: tuple[str, ...]  # what came out while time was settled before
    timeout: Instant | None  # relative to the start


def check_machine(subject: Subject[Any]) -> None:
    """Hold a datagram machine against every law.

    Raises:
        LawBroken: it broke one.
    """
    for seed in subject.seeds:
        script = script_of(seed, subject.steps, "datagram", "stranger", "noise", "damage", "answer", "duplicate")
        first = Run(subject, seed).play(script)
        if Run(subject, seed).play(script) != first:
            raise LawBroken(2, f"two runs of seed {seed} differ: it draws randomness or time of its own")
        compare_shifted(first, Run(subject, seed, start=SHIFT).play(script), seed)
        if hasattr(subject.make(0.0, seeded(seed)), "receive_datagrams"):
            _check_batches(subject, seed)
    check_flood(Run(subject, seed=0))


def script_of(seed: int, steps: int, *inputs: str) -> list[Step]:
    random = seeded(seed, "script")
    verbs = [*inputs, *inputs, "on time", "on time", "early", "late", "pass", "command"]
    return [Step(random.choice(verbs), random.randrange(1 << 16), random.random()) for _ in range(steps)]


class Run:
    """One machine on its way through a script."""

    def __init__(self, subject: Subject[Any], seed: int, start: Instant = 0.0) -> None:
        self.subject, self.start, self.now = subject, start, start
        self.seed, self.index, self.step = seed, 0, Step("make", 0, 0.0)
        self.answers: list[bytes] = list(subject.valid)
        self._last = b""
        self._settled: list[Any] = []
        with self.watched():
            self.machine: Any = subject.make(start, seeded(seed, "machine"))

    def play(self, script: list[Step]) -> list[Outputs]:
        outputs = [self.drain()]
        for self.index, self.step in enumerate(script):
            self.do(self.step)
            outputs.append(self.drain())
        return outputs

    def do(self, step: Step) -> None:
        match step.verb:
            case "early":
                self._check_early(step.amount)
            case "on time" | "late":
                timeout = self.machine.next_timeout()
                self.now = max(self.now, self.now if timeout is None else timeout)
                self.now += LATE * step.amount if step.verb == "late" else 0.0
                self._settle()
            case "pass":
                timeout = self.machine.next_timeout()
                self.now += step.amount if timeout is None else max(0.0, timeout - self.now) * step.amount
            case "command":
                self._command(step.number)
            case _:
                self.receive(step)

    def receive(self, step: Step) -> None:
        self.feed(self.input_of(step), STRANGER if step.verb == "stranger" else self.subject.peer)

    def feed(self, data: bytes, source: Address | None = None) -> bool:
        with self.watched(on_input=data):
            result = self.machine.receive_datagram(data, source or self.subject.peer, self.now)
        if not isinstance(result, bool):
            raise LawBroken(4, f"receive_datagram returned {result!r}, expected whether it was for this machine")
        return result

    def drain(self) -> Outputs:
        with self.watched():
            transmits = tuple(until_none(self.machine.next_transmit))
            events = tuple(until_none(self.machine.next_event))
            timeout = self.machine.next_timeout()
            if any(True for _ in until_none(self.machine.next_transmit)) or self.machine.next_timeout() != timeout:
                raise LawBroken(1, f"drained outputs changed without a mutation {self.where()}")
        for transmit in transmits:
            _check_transmit(transmit)
            self.answers += self.subject.answers(transmit)
        del self.answers[:-16]
        return self.outputs(transmits, events, timeout)

    def outputs(self, produced: tuple[Any, ...], events: tuple[Any, ...], timeout: Instant | None) -> Outputs:
        settled, self._settled = tuple(map(repr, self._settled)), []
        timeout = None if timeout is None else timeout - self.start
        return Outputs(produced, tuple(map(repr, events)), settled, timeout)

    def input_of(self, step: Step) -> bytes:
        random = seeded(step.number, "input")
        known = [*self.subject.valid, *self.answers]
        data = random.choice(known) if known else b""
        match step.verb:
            case "noise" | "noise data":
                data = random.randbytes(random.choice((0, 1, 20, 1_200)))
            case "answer":
                data = self.answers[-1] if self.answers else data
            case "duplicate":
                return self._last
            case "damage":
                data = damaged(data, random)
        self._last = data
        return data

    def _check_early(self, amount: float) -> None:
        """Law 3: before the deadline, `handle_timeout` changes nothing."""
        timeout = self.machine.next_timeout()
        if timeout is not None:
            self.now = max(self.now, min(self.now + (timeout - self.now) * amount * 0.99, timeout))
        if timeout is not None and timeout <= self.now:
            return
        for _ in range(2):
            with self.watched():
                self.machine.handle_timeout(self.now)
            self.expect_nothing(timeout, "handle_timeout before the deadline")

    def _settle(self) -> None:
        """Law 3: at the deadline, and however late, the machine comes to rest; once more changes nothing."""
        for _ in range(SETTLING):
            with self.watched():
                self.machine.handle_timeout(self.now)
                self._settled += self.take()
                timeout = self.machine.next_timeout()
            if timeout is None or timeout > self.now:
                break
        else:
            raise LawBroken(3, f"the deadline {timeout} does not get past {self.now} {self.where()}")
        with self.watched():
            self.machine.handle_timeout(self.now)
        self.expect_nothing(timeout, "a second handle_timeout")
        for output in self._settled:
            if isinstance(output, Transmit):
                self.answers += self.subject.answers(output)

    def _command(self, number: int) -> None:
        if not self.subject.commands:
            return
        timeout = self.machine.next_timeout()
        command = self.subject.commands[number % len(self.subject.commands)]
        try:
            with self.watched(may_refuse=True):
                command(self.machine)
        except LocalProtocolError:
            self.expect_nothing(timeout, "a refused command", law=4)

    def take(self) -> list[Any]:
        return [*until_none(self.machine.next_transmit), *until_none(self.machine.next_event)]

    def expect_nothing(self, timeout: Instant | None, after: str, law: int = 3) -> None:
        with self.watched():
            produced, now_timeout = self.take(), self.machine.next_timeout()
        if produced or now_timeout != timeout:
            change = f"{len(produced)} outputs, the deadline from {timeout} to {now_timeout}"
            raise LawBroken(law, f"{after} changed something: {change} {self.where()}")

    def where(self) -> str:
        return f"(seed {self.seed}, step {self.index}: {self.step.verb})"

    @contextlib.contextmanager
    def watched(self, on_input: bytes | None = None, *, may_refuse: bool = False) -> Iterator[None]:
        """Laws 2 and 4: no clock is read, and nothing but LocalProtocolError of a command gets out."""
        clocks = ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns")
        with contextlib.ExitStack() as stack:
            for clock in clocks:
                stack.enter_context(mock.patch.object(time, clock, _forbidden_clock))
            try:
                yield
            except LawBroken:
                raise
            except Exception as error:
                if may_refuse and isinstance(error, LocalProtocolError):
                    raise
                what = "a call" if on_input is None else f"{on_input[:64]!r}"
                raise LawBroken(4, f"{what} raised {error!r} {self.where()}") from error


def _forbidden_clock() -> float:
    raise LawBroken(2, "it reads a clock")


def until_none(take: Callable[[], Any]) -> Iterator[Any]:
    for _ in range(OUTPUTS):
        output = take()
        if output is None:
            return
        yield output
    raise LawBroken(1, f"{take.__qualname__} gave {OUTPUTS} outputs and no end")


def _check_transmit(transmit: Any) -> None:
    if not isinstance(transmit, Transmit) or not isinstance(transmit.data, bytes):
        raise LawBroken(1, f"next_transmit gave {transmit!r}, expected a Transmit of bytes")
    if transmit.segment_size is not None and transmit.segment_size < 1:
        raise LawBroken(1, f"segment_size {transmit.segment_size}, expected at least 1")


def damaged(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    match random.randrange(4):
        case 0:
            return data[: random.randrange(len(data) + 1)]
        case 1:
            return data + random.randbytes(random.randrange(1, 9))
        case 2 if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        case 3 if changed:
            start = random.randrange(len(changed))
            changed[start : start + 4] = random.randbytes(4)
    return bytes(changed)


def compare_shifted(first: list[Outputs], shifted: list[Outputs], seed: int) -> None:
    """Law 2: only differences of instants mean anything."""
    for index, (before, after) in enumerate(zip(first, shifted, strict=True)):
        same_timeout = (before.timeout is None) == (after.timeout is None) and (
            before.timeout is None or abs(before.timeout - (after.timeout or 0.0)) < _TOLERANCE
        )
        if before[:3] != after[:3] or not same_timeout:
            raise LawBroken(2, f"seed {seed}, step {index} depends on what time it is: {before} and {after}")


def _check_batches(subject: Subject[Any], seed: int) -> None:
    """The batched form is the plain one, many times."""
    random = seeded(seed, "batch")
    known = [*subject.valid, b"", random.randbytes(20)]
    batch = [damaged(data, random) if random.random() < 0.3 else data for data in random.choices(known, k=16)]
    plain, batched = Run(subject, seed), Run(subject, seed)
    taken = sum(plain.feed(data) for data in batch)
    if batched.machine.receive_datagrams(batch, subject.peer, batched.now) != taken or plain.drain() != batched.drain():
        raise LawBroken(4, f"receive_datagrams and receive_datagram differ (seed {seed})")


def check_flood(run: Run) -> None:
    """Law 5: a peer that sends without end, to a machine that nobody drains, makes it grow only so far."""
    subject, random = run.subject, seeded("flood")
    run.drain()

    def flood() -> None:
        for number in range(subject.flood):
            data = random.choice(subject.valid) if subject.valid and number % 4 else random.randbytes(200)
            run.feed(damaged(data, random) if number % 4 == 1 else bytes(bytearray(data)))  # a new object, as read

    flood()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        flood()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    piled_up = sum(len(output) / 64 if isinstance(output, bytes) else 1 for output in run.take())
    if piled_up > subject.outputs_after_flood:
        raise LawBroken(5, f"{piled_up:.0f} outputs piled up, the limit is {subject.outputs_after_flood}")
    if after - before > subject.memory_after_flood:
        raise LawBroken(5, f"it grew by {after - before} bytes, the limit is {subject.memory_after_flood}")
