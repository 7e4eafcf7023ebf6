"""The pipe: bytes neither lost nor moved, cut anywhere, late by latency and rate."""

from hypothesis import given
from hypothesis import strategies as st

from tests.sim.clock import VirtualClock
from tests.sim.pipe import SEGMENT, Pipe
from tests.sim.profile import CONGESTED, Profile


@given(st.lists(st.binary(max_size=5_000), max_size=8), st.integers())
def test_every_byte_arrives_once_and_in_order(writes: list[bytes], seed: int) -> None:
    clock = VirtualClock()
    pipe = Pipe(clock, CONGESTED, seed=seed)
    for number, data in enumerate(writes):
        clock.call_at(number * 0.1, lambda data=data: pipe.send(data))
    clock.run_out(limit=1_000.0)
    assert bytes(pipe.received) == b"".join(writes)
    assert pipe.sent == len(pipe.received)


def test_cuts_are_large_and_small_and_repeat_by_the_seed() -> None:
    def sizes(seed: int) -> list[int]:
        clock, chunks = VirtualClock(), []
        pipe = Pipe(clock, seed=seed)
        pipe.on_data = lambda data: chunks.append(len(data))
        pipe.send(bytes(200_000))
        clock.run_out(limit=1.0)
        return chunks

    assert sizes(1) == sizes(1) != sizes(2)
    assert min(sizes(1)) <= 2
    assert 1_300 < max(sizes(1)) <= SEGMENT


def test_latency_and_rate_delay() -> None:
    clock, ends = VirtualClock(), []
    pipe = Pipe(clock, Profile(latency=0.25, rate=8_000))
    pipe.on_eof = lambda: ends.append(clock.now)
    pipe.send(bytes(1_000))
    pipe.close()
    clock.run_out(limit=5.0)
    assert [round(end, 6) for end in ends] == [1.25]


def test_an_end_nobody_listens_to_is_no_error() -> None:
    clock = VirtualClock()
    pipe = Pipe(clock)
    pipe.close()
    clock.run_out(limit=1.0)
    assert pipe.received == b""
