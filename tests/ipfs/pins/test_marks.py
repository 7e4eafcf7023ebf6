"""Marks: a set and a stack that may be far larger than memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.check_blockstore import block
from tests.ipfs.pins.dags import leaves, node
from zwerm.ipfs.pins.marks import Marks, is_leaf
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


@pytest.fixture
def marks() -> Iterator[Marks]:
    marks = Marks()
    yield marks
    marks.close()


NODES = [node([], str(number)).cid for number in range(5)]


def test_only_new_ones_are_returned_and_counted(marks: Marks) -> None:
    assert marks.add(NODES[:3]) == NODES[:3]
    assert marks.add([NODES[1], NODES[3], NODES[3]]) == [NODES[3]]
    assert marks.count == 4
    assert marks.has(NODES[3].multihash)
    assert not marks.has(NODES[4].multihash)


def test_what_was_found_last_is_read_first_and_leaves_are_not_read(marks: Marks) -> None:
    marks.add([*NODES[:3], *(item.cid for item in leaves(0, 3))])
    assert marks.pop(2) == [NODES[2], NODES[1]]
    marks.add([NODES[4]])
    assert marks.pop(10) == [NODES[4], NODES[0]]
    assert marks.pop(10) == []


def test_one_block_under_two_codecs_is_read_as_each(marks: Marks) -> None:
    as_raw = CID(1, multicodec.RAW, NODES[0].multihash)
    assert marks.add([as_raw, NODES[0]]) == [as_raw, NODES[0]]
    assert marks.pop(9) == [NODES[0]]


def test_versions_of_a_cid_are_one_mark_and_the_first_is_kept(marks: Marks) -> None:
    old = NODES[0].to_v0()
    assert marks.add([old, NODES[0]]) == [old]
    assert marks.pop(9) == [old]
    assert marks.page(None, 9) == [old]


def test_blocks_alone_are_kept_without_what_is_below(marks: Marks) -> None:
    marks.add_alone([NODES[0]])
    assert marks.has(NODES[0].multihash)
    assert marks.pop(9) == []
    assert marks.add([NODES[0]]) == [NODES[0]]


def test_a_round_can_be_taken_back(marks: Marks) -> None:
    marks.add(NODES[:2])
    assert len(marks.pop(9)) == 2
    marks.begin_round()
    marks.add(NODES)
    marks.take_back_round()
    assert marks.count == 2
    assert marks.pop(9) == []
    assert marks.add(NODES) == NODES[2:]


@given(st.lists(st.integers(0, 200)), st.integers(1, 7))
def test_pages_name_every_mark_once_in_order(numbers: list[int], size: int) -> None:
    marks = Marks()
    marks.add(block(number).cid for number in numbers)
    found: list[CID] = []
    while page := marks.page(found[-1] if found else None, size):
        assert len(page) <= size
        found += page
    marks.close()
    assert [cid.multihash for cid in found] == sorted({block(number).cid.multihash for number in numbers})


def test_leaves_are_known_by_their_codec() -> None:
    key = NODES[0].multihash
    assert [is_leaf(CID(1, code, key)) for code in (multicodec.RAW, multicodec.DAG_PB, multicodec.DAG_CBOR)] == [
        True,
        False,
        False,
    ]
    assert is_leaf(CID(1, 0x99999, key))  # unknown: nothing can be read from it
