"""Parameters and error causes."""

from __future__ import annotations

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.parameter import MAX_PARAMETERS, Parameter, parse, serialize


def test_they_are_padded_to_four_bytes_and_the_last_one_is_not() -> None:
    written = serialize([Parameter(1, b"abcde"), Parameter(2, b"f")])
    assert written.hex() == "00010009" + b"abcde".hex() + "000000" + "0002000566"
    assert parse(written) == parse(written + bytes(3)) == [Parameter(1, b"abcde"), Parameter(2, b"f")]


def test_there_may_be_none() -> None:
    assert parse(serialize([])) == []


@pytest.mark.parametrize("data", ["0001", "00010003", "0001000961", "0001000461"])
def test_a_length_that_does_not_fit_is_refused(data: str) -> None:
    with pytest.raises(WireError):
        parse(bytes.fromhex(data))


def test_more_than_a_chunk_is_worth_are_refused() -> None:
    assert len(parse(serialize([Parameter(1, b"")] * MAX_PARAMETERS))) == MAX_PARAMETERS
    with pytest.raises(WireError):
        parse(serialize([Parameter(1, b"")] * (MAX_PARAMETERS + 1)))
