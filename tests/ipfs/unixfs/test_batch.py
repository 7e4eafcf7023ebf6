"""Blocks go to the store many at a time, in order, and none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.batch import MAX_BLOCKS, MAX_SIZE, BlockBatch


class Calls:
    """A sink that remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[list[Block]] = []

    def put(self, blocks: Iterable[Block]) -> None:
        self.calls.append(list(blocks))


class FullDisk:
    """A sink that takes nothing."""

    def put(self, blocks: Iterable[Block]) -> None:
        raise StorageError(f"no room for {len(list(blocks))} blocks")


def small(number: int) -> Block:
    return Block.create(b"%d" % number)


def test_small_blocks_go_on_together_and_in_order() -> None:
    store = Calls()
    batch = BlockBatch(store)
    blocks = [small(number) for number in range(MAX_BLOCKS + 1)]
    for block in blocks[:-2]:
        batch.put([block])
    assert store.calls == []
    batch.put([blocks[-2]])
    batch.put([blocks[-1]])
    assert store.calls == [blocks[:-1]]
    batch.flush()
    assert store.calls == [blocks[:-1], blocks[-1:]]


def test_large_blocks_go_on_by_their_size() -> None:
    store = Calls()
    batch = BlockBatch(store)
    half = Block.create(bytes(MAX_SIZE // 2))
    batch.put([half])
    assert store.calls == []
    batch.put([half])
    assert store.calls == [[half, half]]


def test_while_gathering_nothing_goes_on_and_it_says_when_it_is_full() -> None:
    store = Calls()
    batch = BlockBatch(store)
    blocks = [small(number) for number in range(2 * MAX_BLOCKS)]
    with batch.gathering():
        batch.put(blocks[:MAX_BLOCKS])
        batch.put(blocks[MAX_BLOCKS:])
    assert store.calls == []
    assert batch.is_full
    batch.flush()
    assert store.calls == [blocks]
    assert not batch.is_full


def test_nothing_gathered_is_no_call() -> None:
    store = Calls()
    batch = BlockBatch(store)
    batch.flush()
    batch.put([small(1)])
    batch.clear()
    batch.flush()
    assert store.calls == []


def test_the_error_of_the_store_comes_through() -> None:
    batch = BlockBatch(FullDisk())
    batch.put([small(1)])
    with pytest.raises(StorageError, match="no room for 1 blocks"):
        batch.flush()
