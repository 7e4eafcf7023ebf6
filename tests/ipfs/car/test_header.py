"""CAR headers: what is written, what is read, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.values import cids, documents
from zwerm.core.errors import WireError
from zwerm.ipfs.car.header import PRAGMA, V2_SIZE, V2Header, parse_roots, serialize
from zwerm.ipfs.ipld import dag_cbor
from zwerm.multiformats.cid import CID

EMPTY = CID.parse(bytes.fromhex("01550000"))


def test_the_header_has_one_form() -> None:
    wire = "19" + "a2" + "65726f6f7473" + "81" + "d82a450001550000" + "6776657273696f6e" + "01"
    assert serialize([EMPTY]).hex() == wire
    assert parse_roots(bytes.fromhex(wire)[1:]) == (EMPTY,)


@given(st.lists(cids))
def test_roots_survive_a_round_trip(roots: list[CID]) -> None:
    wire = serialize(roots)
    assert parse_roots(wire[2 if len(wire) > 128 else 1 :]) == tuple(roots)


def test_keys_in_another_order_are_read() -> None:
    assert parse_roots(bytes.fromhex("a2" + "6776657273696f6e01" + "65726f6f747380")) == ()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"version": 1},
        {"roots": []},
        {"roots": [], "version": 2},
        {"roots": [], "version": "1"},
        {"roots": [], "version": True},
        {"roots": None, "version": 1},
        {"roots": EMPTY, "version": 1},
        {"roots": [EMPTY, b"root"], "version": 1},
        {"roots": [], "version": 1, "more": 1},
    ],
)
def test_any_other_header_is_refused(value: object) -> None:
    with pytest.raises(WireError):
        parse_roots(dag_cbor.encode(value))


@given(st.binary() | documents().map(dag_cbor.encode))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        roots = parse_roots(data)
    except WireError:
        return
    assert all(isinstance(root, CID) for root in roots)


def test_the_pragma_is_the_header_of_a_version_that_old_readers_refuse() -> None:
    assert dag_cbor.decode(PRAGMA[1:]) == {"version": 2}
    with pytest.raises(WireError):
        parse_roots(PRAGMA[1:])


def v2(*numbers: int) -> bytes:
    return bytes(16) + b"".join(number.to_bytes(8, "little") for number in numbers)


def test_the_version_2_header_says_where_the_payload_is() -> None:
    assert V2Header.parse(v2(51, 448, 499)) == (bytes(16), 51, 448, 499)
    assert V2Header.parse(v2(100, 448, 0)).index_offset == 0


@pytest.mark.parametrize("numbers", [(0, 448, 0), (50, 448, 0), (51, 448, 498), (51, 448, 1)])
def test_a_version_2_header_that_overlaps_itself_is_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(WireError):
        V2Header.parse(v2(*numbers))


@given(st.binary(min_size=V2_SIZE, max_size=V2_SIZE))
def test_any_version_2_header_is_parsed_or_refused(data: bytes) -> None:
    try:
        header = V2Header.parse(data)
    except WireError:
        return
    assert header.data_offset >= 51
