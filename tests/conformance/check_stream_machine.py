"""Holds a stream machine against the laws of `zwerm.core.machine`; see `check_machine`.

What is special to streams: they have no frames, so the same bytes, however they are cut, do the same; and they end,
once.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.check_machine import (
    SHIFT,
    LawBroken,
    Outputs,
    Run,
    Step,
    Subject,
    check_flood,
    compare_shifted,
    damaged,
    script_of,
    until_none,
)
from zwerm.core.machine import Address
from zwerm.core.random import seeded


def check_stream_machine(subject: Subject[Any]) -> None:
    """Hold a stream machine against every law.

    Raises:
        LawBroken: it broke one.
    """
    for seed in subject.seeds:
        script = script_of(seed, subject.steps, "data", "data", "noise data", "eof")
        first = StreamRun(subject, seed).play(script)
        if StreamRun(subject, seed).play(script) != first:
            raise LawBroken(2, f"two runs of seed {seed} differ: it draws randomness or time of its own")
        compare_shifted(first, StreamRun(subject, seed, start=SHIFT).play(script), seed)
        _check_cuts(subject, seed)
    check_flood(StreamRun(subject, seed=0))


class StreamRun(Run):
    """One stream machine on its way through a script."""

    def receive(self, step: Step) -> None:
        if step.verb == "eof":
            for turn in range(2):
                with self.watched(on_input=b""):
                    self.machine.receive_eof(self.now)
                if turn == 0:
                    self.drain()
            self.expect_nothing(self.machine.next_timeout(), "a second receive_eof", law=4)
        else:
            self.feed(self.input_of(step))

    def feed(self, data: bytes, source: Address | None = None) -> bool:
        with self.watched(on_input=data):
            self.machine.receive_data(data, self.now)
        return True

    def drain(self) -> Outputs:
        with self.watched():
            data = self.machine.data_to_send()
            events = tuple(until_none(self.machine.next_event))
            timeout = self.machine.next_timeout()
            if self.machine.data_to_send() or self.machine.next_timeout() != timeout:
                raise LawBroken(1, f"drained outputs changed without a mutation {self.where()}")
        return self.outputs((data,), events, timeout)

    def take(self) -> list[Any]:
        data = self.machine.data_to_send()
        return [*([data] if data else []), *until_none(self.machine.next_event)]


def _check_cuts(subject: Subject[Any], seed: int) -> None:
    """A stream has no frames: cut anywhere, the same bytes do the same."""
    random = seeded(seed, "cuts")
    parts = [damaged(data, random) if random.random() < 0.1 else data for data in random.choices(subject.valid, k=6)]
    data = b"".join(parts)
    outcomes = []
    for size in (max(len(data), 1), 1, random.randrange(1, 8)):
        run = StreamRun(subject, seed)
        drained = [run.drain()]
        for start in range(0, len(data), size):
            run.feed(data[start : start + size])
            drained.append(run.drain())
        sent = b"".join(output.produced[0] for output in drained)
        outcomes.append((sent, [event for output in drained for event in output.events], drained[-1].timeout))
    if outcomes.count(outcomes[0]) != len(outcomes):
        raise LawBroken(4, f"what a stream does depends on where it is cut (seed {seed})")
