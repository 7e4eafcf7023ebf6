"""A block is data that was hashed: made from our own, or checked against the CID it came with."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.ipfs.block import MAX_BLOCK, Block, BlockNotFound, CorruptBlock, HashMismatch
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"  # b"hello"


def test_our_own_data_is_hashed() -> None:
    assert str(Block.create(b"hello").cid) == HELLO
    block = Block.create(b"hello", multicodec.DAG_PB, version=0)
    assert (block.cid.version, block.cid.codec, block.data) == (0, multicodec.DAG_PB, b"hello")
    assert Block.create(b"hello", hash_code=multicodec.IDENTITY).cid.digest == b"hello"


def test_data_that_came_with_a_cid_is_held_against_it() -> None:
    cid = CID.from_text(HELLO)
    assert Block.check(cid, b"hello") == (cid, b"hello")
    with pytest.raises(HashMismatch, match=f"5 bytes that are not {HELLO}"):
        Block.check(cid, b"hellp")


@pytest.mark.parametrize(
    "function", [Block.create, lambda data: Block.check(CID.of(data), data)], ids=["own", "theirs"]
)
def test_two_mebibytes_are_a_block_and_one_byte_more_is_none(function) -> None:
    assert len(function(bytes(MAX_BLOCK)).data) == MAX_BLOCK
    with pytest.raises(ResourceLimitError, match=f"block of {MAX_BLOCK + 1} bytes, the limit is {MAX_BLOCK}"):
        function(bytes(MAX_BLOCK + 1))


def test_a_hash_that_is_unknown_here_cannot_be_checked() -> None:
    with pytest.raises(LocalProtocolError):
        Block.check(CID(1, multicodec.RAW, bytes([0x7F, 20, *range(20)])), b"hello")


def test_what_is_not_here_and_what_is_damaged_name_the_block() -> None:
    cid = CID.from_text(HELLO)
    assert str(BlockNotFound(cid)) == f"block {HELLO} is not here"
    assert BlockNotFound(cid).cid == CorruptBlock(cid).cid == cid
    assert "`zwerm repo repair`" in str(CorruptBlock(cid))
