"""Runs of datagrams: what one system call can carry."""

from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.machine import Transmit
from zwerm.webrtc.turn.server.relaying import MAX_RUN, MAX_SEGMENTS, runs


@given(st.lists(st.sampled_from([b"", b"a", b"bb", b"cc", b"ddd"]), max_size=30))
def test_a_run_comes_apart_into_the_datagrams_it_was_made_of(datagrams: list[bytes]) -> None:
    found = [data for run, size in runs(datagrams) for data in Transmit(run, ("192.0.2.1", 1), size).datagrams()]
    assert found == datagrams


def test_runs_are_as_long_as_the_kernel_takes_them() -> None:
    assert [len(data) // 100 for data, _ in runs([bytes(100)] * 150)] == [MAX_SEGMENTS, MAX_SEGMENTS, 22]
    assert all(len(data) <= MAX_RUN for data, _ in runs([bytes(1_400)] * 200))
    assert [size for _, size in runs([bytes(2), bytes(2), bytes(1), bytes(2)])] == [2, None]
