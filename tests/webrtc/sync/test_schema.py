"""States in whole steps, and differences between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.sync.things import SCHEMA, states
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.sync.schema import MAX_BITS, Field, Quantised, Schema


@given(states, states)
def test_a_difference_brings_one_state_to_the_other(base: Quantised, state: Quantised) -> None:
    data = SCHEMA.write_delta(base, state)
    assert SCHEMA.read_delta(base, data) == state


@given(states)
def test_nothing_changed_takes_one_byte(state: Quantised) -> None:
    assert SCHEMA.write_delta(state, state) == b"\0"


def test_one_changed_field_takes_three_bytes() -> None:
    assert len(SCHEMA.write_delta({3: (1, 2, 3)}, {3: (9, 2, 3)})) == 3


@given(states, st.binary(max_size=60))
def test_untrusted_bytes_are_a_difference_or_refused(base: Quantised, data: bytes) -> None:
    try:
        state = SCHEMA.read_delta(base, data)
    except WireError:
        return
    assert all(0 <= number < 64 for number in state)
    assert SCHEMA.quantise(SCHEMA.restore(state)) == state


@given(states, states)
def test_a_difference_cut_short_or_with_more_behind_is_refused(base: Quantised, state: Quantised) -> None:
    data = SCHEMA.write_delta(base, state)
    for damaged in (data[:-1], data + b"\0", data + b"\1"):
        with pytest.raises(WireError):
            SCHEMA.read_delta(base, damaged)


def test_things_come_once_and_in_order_and_only_what_is_there_can_go() -> None:
    twice = Schema((Field("x", 1),), id_bits=1)
    with pytest.raises(WireError, match="after thing"):
        twice.read_delta({}, bytes([0b1_1_1_1_1_1_0_1, 0b1_0_0_00000]))
    with pytest.raises(WireError, match="not there"):
        twice.read_delta({}, bytes([0b1_1_0_0_0000]))


def test_values_are_taken_to_the_nearest_step_within_the_range() -> None:
    x, heading = SCHEMA.fields[0], SCHEMA.fields[2]
    assert [x.quantise(value) for value in (-9.0, -1.0, -0.9994, -0.9996, 9.0)] == [0, 0, 1, 0, 4_095]
    assert x.restore(x.quantise(0.25)) == pytest.approx(0.25)
    assert heading.quantise(2 * math.pi) == 0
    assert heading.quantise(-math.pi / 2) == 192


@pytest.mark.parametrize(
    "values",
    [{64: (0, 0, 0)}, {-1: (0, 0, 0)}, {1: (0, 0)}, {1: (math.nan, 0, 0)}, {1: (0, math.inf, 0)}],
    ids=["number", "negative", "too few", "nan", "infinite"],
)
def test_a_state_that_cannot_be_written_is_refused(values: dict[int, tuple[float, ...]]) -> None:
    with pytest.raises(LocalProtocolError):
        SCHEMA.quantise(values)


def test_a_schema_that_cannot_be_is_refused() -> None:
    for make in (
        lambda: Field("x", 0),
        lambda: Field("x", MAX_BITS + 1),
        lambda: Field("x", 8, step=0.0),
        lambda: Field("x", 8, step=math.inf),
        lambda: Schema(()),
        lambda: Schema((Field("x", 1),), id_bits=17),
    ):
        with pytest.raises(LocalProtocolError):
            make()
